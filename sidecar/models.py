"""The model gateway: the only way from a runtime or a judge to a model, through litellm.

A runtime's requests go to the model of `[model]`, a judge's reviews to that of `[judge]`,
held to the form of their answer. Until content is replaced by tokens before it leaves, which
this build does not do yet, it serves only models that the settings declare to be inside your
own walls.
"""

import asyncio
import os
from typing import Any

from schemas.settings import ModelSettings
from sidecar.duties import CallReviewer
from sidecar.effects import CallModel, ModelAnswer
from sidecar.errors import ModelsMissing

# Without it litellm looks for its price list on the network when it is imported.
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")


class ModelGateway:
    """The configured models, None where there is none. The keys come from the vault."""

    def __init__(
        self,
        settings: ModelSettings | None,
        api_key: str,
        *,
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
        self._runtime = (settings, api_key)
        self._judge = (judge, judge_key)

    async def call(self, effect: CallModel) -> ModelAnswer:
        """Ask once. A model that fails or is late gives an answer with `error` set."""
        review = isinstance(effect, CallReviewer)
        settings, api_key = self._judge if review else self._runtime
        if settings is None:
            whose = "judge" if review else "model"
            return _silent("", f"no model is configured in [{whose}]")
        try:
            async with asyncio.timeout(settings.timeout_s):
                said = await self._complete(
                    model=settings.model,
                    api_base=settings.url,
                    api_key=api_key,
                    messages=list(effect.messages),
                    max_tokens=settings.max_tokens,
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
        return ModelAnswer(
            model=settings.model,
            text=said.choices[0].message.content or "",
            input_tokens=getattr(usage, "prompt_tokens", 0) or 0,
            output_tokens=getattr(usage, "completion_tokens", 0) or 0,
        )


def _form(effect: CallModel) -> dict[str, Any]:
    """The answer's schema for the provider. Not its strict mode: a change is free in form."""
    if not isinstance(effect, CallReviewer) or not effect.form:
        return {}
    schema = {"name": "verdict", "schema": effect.form, "strict": False}
    return {"response_format": {"type": "json_schema", "json_schema": schema}}


def _silent(model: str, problem: str) -> ModelAnswer:
    return ModelAnswer(model=model, text="", error=problem)
