"""The model gateway: the only way from a runtime to a model, through litellm.

Until content is replaced by tokens before it leaves, which this build does not do yet, it
serves only models that the settings declare to be inside your own walls.
"""

import asyncio
import os

from schemas.settings import ModelSettings
from sidecar.effects import CallModel, ModelAnswer
from sidecar.errors import ModelsMissing

# Without it litellm looks for its price list on the network when it is imported.
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")


class ModelGateway:
    """One configured model. `api_key` comes from the vault."""

    def __init__(self, settings: ModelSettings, api_key: str) -> None:
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
        self._settings = settings
        self._api_key = api_key

    async def call(self, effect: CallModel) -> ModelAnswer:
        """Ask once. A model that fails or is late gives an answer with `error` set."""
        settings = self._settings
        try:
            async with asyncio.timeout(settings.timeout_s):
                said = await self._complete(
                    model=settings.model,
                    api_base=settings.url,
                    api_key=self._api_key,
                    messages=list(effect.messages),
                    max_tokens=settings.max_tokens,
                    num_retries=0,
                )
        except TimeoutError:
            return self._silent(f"no answer within {settings.timeout_s} s")
        except (self._failure, OSError) as error:
            return self._silent(f"{type(error).__name__}: {error}"[:300])
        usage = said.usage
        return ModelAnswer(
            model=settings.model,
            text=said.choices[0].message.content or "",
            input_tokens=usage.prompt_tokens,
            output_tokens=usage.completion_tokens,
        )

    def _silent(self, problem: str) -> ModelAnswer:
        return ModelAnswer(model=self._settings.model, text="", error=problem)
