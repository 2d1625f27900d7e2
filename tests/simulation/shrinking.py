"""A failing seed told again with as little as still fails: the steps and mishaps that it takes.

Delta debugging (ddmin: Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input",
IEEE TSE 2002) over what a seed is made of. What is left is minimal in this sense: without any one
part of it, the seed breaks no such invariant. Each telling is exact: all follows from the seed.
"""

import re
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import msgspec
from msgspec import Struct

from sidecar.decider import SidecarDecider
from tests.simulation.scenario import Halting, Played, Script, play

_Part = TypeVar("_Part")


class Step(Struct, frozen=True):
    """One step of one run's plan."""

    run: str
    number: int


class Mishap(Struct, frozen=True):
    """What goes wrong at one chance."""

    chance: int


class Halted(Struct, frozen=True):
    """The halt."""


class Failing(Struct, frozen=True):
    """The tools' failing at times."""


_NAMES: Final = re.compile(r"\b(r\d+|[0-9a-f]{8}[0-9a-f-]*|\d+)\b")

Part = Step | Mishap | Halted | Failing


class Shrunk(Struct, frozen=True, kw_only=True):
    """A seed's smallest failing history, in words; `before` and `after` count its parts."""

    seed: int
    violations: list[str]
    steps: list[str]
    halt: str
    failing: bool
    mishaps: list[str]
    entries: int
    before: int
    after: int


def shrink(seed: int, *, sidecar: type[SidecarDecider] = SidecarDecider) -> Shrunk:
    """The smallest failing history of a seed that fails. Raises `ValueError` where it does not."""
    whole = play(seed, sidecar=sidecar)
    if not whole.violations:
        raise ValueError(f"seed {seed} holds every invariant")

    kinds = {kind_of(violation) for violation in whole.violations}

    def fails(parts: Sequence[Part]) -> bool:
        found = _told(seed, parts, sidecar).violations
        return any(kind_of(violation) in kinds for violation in found)

    parts = parts_of(whole)
    left = minimised(parts, fails)
    return _in_words(_told(seed, left, sidecar), len(parts), len(left))


def kind_of(violation: str) -> str:
    """A violation without what it names, so that another one is not taken for it."""
    return _NAMES.sub("#", violation)


def parts_of(played: Played) -> list[Part]:
    """All that a telling is made of."""
    script = played.script
    found: list[Part] = [
        Step(run.name, number) for run in script.runs for number in range(len(run.plan.steps))
    ]
    found += [Halted()] if script.halt is not None else []
    found += [Failing()] if script.failing else []
    return found + [Mishap(strike.chance) for strike in played.strikes]


def minimised(parts: Sequence[_Part], fails: Callable[[Sequence[_Part]], bool]) -> list[_Part]:
    """A part of `parts`, in their order, that fails, and holds without any one of its own."""
    left, pieces = list(parts), 2
    while len(left) >= 2:
        size = -(-len(left) // pieces)
        for start in range(0, len(left), size):
            rest = left[:start] + left[start + size :]
            if fails(rest):
                left, pieces = rest, max(pieces - 1, 2)
                break
        else:
            if pieces >= len(left):
                break
            pieces = min(pieces * 2, len(left))
    return left if len(left) != 1 or not fails([]) else []


def _told(seed: int, parts: Sequence[Part], sidecar: type[SidecarDecider]) -> Played:
    chosen = set(parts)

    def cut(script: Script) -> Script:
        runs = []
        for run in script.runs:
            steps = tuple(
                step
                for number, step in enumerate(run.plan.steps)
                if Step(run.name, number) in chosen
            )
            if steps:
                plan = msgspec.structs.replace(run.plan, steps=steps)
                runs.append(msgspec.structs.replace(run, plan=plan))
        halt = script.halt if Halted() in chosen else None
        return Script(tuple(runs), Failing() in chosen, halt)

    only = {part.chance for part in parts if isinstance(part, Mishap)}
    return play(seed, sidecar=sidecar, cut=cut, only=only)


def _in_words(played: Played, before: int, after: int) -> Shrunk:
    script = played.script
    halt = script.halt
    return Shrunk(
        seed=played.seed,
        violations=played.violations,
        steps=[
            f"{run.name}: {step.tool} {msgspec.json.encode(step.arguments).decode()}"
            for run in script.runs
            for step in run.plan.steps
        ],
        halt=_halt(halt) if halt is not None else "",
        failing=script.failing,
        mishaps=[strike.what for strike in played.strikes],
        entries=played.entries,
        before=before,
        after=after,
    )


def _halt(halt: Halting) -> str:
    said = f"{halt.scope.value} {halt.target}".strip()
    return said if halt.released is None else f"{said}, released"
