"""The public attack texts of AgentDojo: each of its templates with each goal of a suite."""

from collections.abc import Iterator
from typing import Any, Final

from agentdojo.agent_pipeline import BasePipelineElement
from agentdojo.attacks.attack_registry import load_attack

_MARKED: Final = (
    "ignore_previous",
    "system_message",
    "injecagent",
    "important_instructions",
    "important_instructions_no_names",
)
"""Those that speak as instructions; `direct` gives the goal bare, which marks nothing."""


class _Pipeline(BasePipelineElement):
    """Stands for a model where a template wants its name."""

    name = "gpt-4o-2024-05-13"

    def query(self, *arguments: Any, **more: Any) -> Any:
        raise NotImplementedError("no model is asked")


def attacks_of(suite: Any) -> Iterator[tuple[str, str]]:
    """(template's name, text) for each goal of `suite`."""
    for name in _MARKED:
        attack = load_attack(name, suite, _Pipeline())
        for task in suite.injection_tasks.values():
            yield (
                name,
                attack.jailbreak.format(
                    goal=task.GOAL,
                    user=getattr(attack, "user_name", ""),
                    model=getattr(attack, "model_name", ""),
                ),
            )
