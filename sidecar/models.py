"""The model gateway: the only way from a runtime or a judge to a model, through litellm.

A runtime's requests go to the model of `[model]`, a judge's reviews to that of `[judge]`,
held to the form of their answer. Tokens stand for what is sensitive in all that leaves
(`sidecar.tokenising`) and are restored in the answer; only for a model inside your own walls
may the settings switch that off. What a call may use up is bounded by what the budgets leave.
"""

import asyncio
import math
import os
from typing import Any

from schemas.settings import ModelSettings
from sidecar.duties import CallReviewer
from sidecar.effects import CallModel, ModelAnswer
from sidecar.errors import ModelsMissing
from sidecar.tokenising import Masked, Masker, unmask

# Without it litellm looks for its price list on the network when it is imported.
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")


class ModelGateway:
    """The configured models, None where there is none. The keys come from the vault."""

    def __init__(
        self,
        settings: ModelSettings | None,
        api_key: str,
        *,
        masker: Masker,
        judge: ModelSettings | None = None,
        judge_key: str = "none",
    ) -> None:
        try:
            import litellm
            from openai import OpenAIError
        except ImportError as error:
            raise ModelsMissing(
                "a model is configured but litellm is not installed",
                fix="pip install 'anyteam-trust[models]'",
            ) from error
        self._complete = litellm.acompletion
        # The root of litellm's own errors: each of them is one of the OpenAI client's.
        self._failure = OpenAIError
        self._masker = masker
        self._runtime = (settings, api_key)
        self._judge = (judge, judge_key)

    async def call(self, effect: CallModel) -> ModelAnswer:
        """Ask once. A model that fails or is late gives an answer with `error` set."""
        review = isinstance(effect, CallReviewer)
        settings, api_key = self._judge if review else self._runtime
        if settings is None:
            whose = "judge" if review else "model"
            return _silent("", f"no model is configured in [{whose}]")
        sent = Masked(effect.messages, {})
        if settings.tokens or not settings.local:
            sent = self._masker.mask(effect.messages)
        room = _room(settings, effect, sent.messages)
        if room < 1:
            return _silent(settings.model, "the ceilings leave no room for an answer")
        try:
            async with asyncio.timeout(settings.timeout_s):
                said = await self._complete(
                    model=settings.model,
                    api_base=settings.url,
                    api_key=api_key,
                    messages=list(sent.messages),
                    max_tokens=room,
                    num_retries=0,
                    max_retries=0,
                    **_form(effect),
                )
        except TimeoutError:
            return _silent(settings.model, f"no answer within {settings.timeout_s} s")
        except (self._failure, OSError) as error:
            # Its text may repeat the prompt, and an error stands in the ledger in the clear.
            status = getattr(error, "status_code", None)
            return _silent(settings.model, f"{type(error).__name__} {status or ''}".strip())
        if not said.choices:
            return _silent(settings.model, "the answer holds no choice")
        usage = getattr(said, "usage", None)
        taken = getattr(usage, "prompt_tokens", 0) or 0
        given = getattr(usage, "completion_tokens", 0) or 0
        return ModelAnswer(
            model=settings.model,
            text=unmask(said.choices[0].message.content or "", sent.table),
            input_tokens=taken,
            output_tokens=given,
            cost=math.ceil(taken * settings.price_in + given * settings.price_out),
        )


def _room(settings: ModelSettings, effect: CallModel, sent: tuple[dict[str, str], ...]) -> int:
    """How many tokens the answer may have, by the settings and by what the budgets leave.

    A price per million tokens is as many millionths for one. The prompt is reckoned at four
    bytes a token, no more than which most texts take; what it took in fact is charged.
    """
    room = settings.max_tokens
    prompt = math.ceil(sum(len(m["content"].encode(errors="replace")) for m in sent) / 4)
    if effect.tokens is not None:
        room = min(room, effect.tokens - prompt)
    if effect.money is not None:
        left = effect.money - prompt * settings.price_in
        if left < 0:
            return 0
        if settings.price_out:
            room = min(room, int(left / settings.price_out))
    return room


def _form(effect: CallModel) -> dict[str, Any]:
    """The answer's schema for the provider. Not its strict mode: a change is free in form."""
    if not isinstance(effect, CallReviewer) or not effect.form:
        return {}
    schema = {"name": "verdict", "schema": effect.form, "strict": False}
    return {"response_format": {"type": "json_schema", "json_schema": schema}}


def _silent(model: str, problem: str) -> ModelAnswer:
    return ModelAnswer(model=model, text="", error=problem)
