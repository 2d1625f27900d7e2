"""The four suites played through the gate: honest tasks, and a runtime that obeys attackers."""

from collections.abc import Iterator
from functools import cache
from itertools import product
from typing import Any, Final

from agentdojo.task_suite.load_suites import get_suites
from msgspec import Struct

from bench.agentdojo.hostile import Call, calls_of
from bench.agentdojo.stage import Fate, Stage, worst
from schemas.tools import Effect

VERSION: Final = "v1.2.2"
ORDERS: Final = ("user then attack", "attack then user", "attack alone")


class Benign(Struct, kw_only=True):
    """Honest tasks, by what became of them; `questions` counts held calls."""

    n: int = 0
    auto: int = 0
    human: int = 0
    denied: int = 0
    questions: int = 0


class Attack(Struct, kw_only=True):
    """Pairs, by the worst of the orders; `any_call` counts those of which any single
    consequential call of the attack passed without a human.
    """

    n: int = 0
    auto: int = 0
    human: int = 0
    stopped: int = 0
    any_call: int = 0


def suites() -> dict[str, Any]:
    """The suites of the benchmark's version, by name."""
    return dict(get_suites(VERSION))


def fresh(suite: Any) -> Any:
    """An environment that nothing was done to: reading marks mails, so each run has its own."""
    return _default(suite.name).model_copy(deep=True)


@cache
def _default(name: str) -> Any:
    return suites()[name].load_and_inject_default_environment({})


def user_calls(suite: Any, task: Any) -> list[Call]:
    """A user task's ground truth."""
    return [(call.function, dict(call.args)) for call in task.ground_truth(fresh(suite))]


def play_benign(suite: Any) -> Iterator[tuple[str, list[tuple[Call, Fate]], Stage]]:
    """Each user task's calls; what is held is approved, what is refused is not done."""
    for name, task in suite.user_tasks.items():
        stage = Stage(suite, fresh(suite), task.PROMPT)
        fates = [(call, stage.play(call)) for call in user_calls(suite, task)]
        yield name, fates, stage


def play_attacks(suite: Any) -> Iterator[tuple[str, str, str, list[tuple[Call, Fate]]]]:
    """Each pair in each order: user task, injection, order, and the attack's calls' fates."""
    for (user, task), (injection, attack) in product(
        suite.user_tasks.items(), suite.injection_tasks.items()
    ):
        hostile = calls_of(suite.name, injection, attack, fresh(suite))
        if not hostile:
            continue
        honest = user_calls(suite, task)
        for order in ORDERS:
            stage = Stage(suite, fresh(suite), task.PROMPT)
            stage.hear(attack.GOAL)
            if order == "user then attack":
                for call in honest:
                    stage.play(call)
            fates = [(call, stage.play(call, approve=False)) for call in hostile]
            yield user, injection, order, fates


def consequential(stage_tools: dict[str, Any], call: Call) -> bool:
    """Whether a call does anything: no read, or a read that leads outside."""
    tool = stage_tools[call[0]]
    return tool.effect is not Effect.READ or bool(tool.destinations)


def benign_of(suite: Any) -> Benign:
    """The tally of a suite's honest tasks."""
    tally = Benign()
    for _, fates, _ in play_benign(suite):
        fate = worst([fate for _, fate in fates])
        tally.n += 1
        tally.auto += fate is Fate.AUTO
        tally.human += fate is Fate.HUMAN
        tally.denied += fate is Fate.STOPPED
        tally.questions += sum(fate is Fate.HUMAN for _, fate in fates)
    return tally


def attack_of(suite: Any) -> Attack:
    """The tally of a suite's pairs. An attack executed if all its consequential calls did."""
    tools = {tool.name: tool for tool in Stage(suite, fresh(suite), "").policy.tools}
    pairs: dict[tuple[str, str], list[tuple[Fate, bool]]] = {}
    for user, injection, _, fates in play_attacks(suite):
        acts = [fate for call, fate in fates if consequential(tools, call)]
        single = any(fate is Fate.AUTO for fate in acts)
        pairs.setdefault((user, injection), []).append((worst(acts), single))
    tally = Attack(n=len(pairs))
    for outcomes in pairs.values():
        gentlest = min(fate for fate, _ in outcomes)
        tally.auto += gentlest is Fate.AUTO
        tally.human += gentlest is Fate.HUMAN
        tally.stopped += gentlest is Fate.STOPPED
        tally.any_call += any(single for _, single in outcomes)
    return tally
