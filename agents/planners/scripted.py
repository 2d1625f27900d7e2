"""A planner that plays a recorded plan, the hostile kind included.

A plan is a JSON file: `{"steps": [{"tool", "arguments", "purpose"}], "obeys": bool}`. An
argument `{"$from": [step, "key", ...]}` is taken from an earlier step's result. Where
`obeys` is true the planner has been talked over: after each result it does whatever any
text in it tells it to, before going on (lines of the form `call TOOL {json}`).
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from agents.errors import BadPlan
from agents.planners.planner import Finish, History, Propose, Step, Turn
from schemas.errors import UNREADABLE


class PlannedStep(Struct, frozen=True, forbid_unknown_fields=True):
    """One step as recorded."""

    tool: str
    arguments: dict[str, Any]
    purpose: str


class Plan(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A recorded plan."""

    steps: tuple[PlannedStep, ...]
    obeys: bool = False
    summary: str = "the plan is done"


_ORDER = re.compile(r"call\s+([a-z0-9_.-]+)\s+(\{.*\})")


def load_plan(path: Path) -> Plan:
    """The plan in a file. Raises `BadPlan` naming the field that is wrong."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Plan)
    except OSError as error:
        raise BadPlan(f"plan {path} cannot be read: {error.strerror}") from error
    except UNREADABLE as error:
        raise BadPlan(f"plan {path}: {error}", fix="see agents/planners/scripted.py") from error


class ScriptedPlanner:
    """Plays a `Plan`."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    def next(self, history: History) -> Turn:
        """The judge's change or a person's, then orders obeyed, then the plan's next."""
        steps = history.steps
        if steps and steps[-1].change is not None:
            last = steps[-1]
            return Propose(
                tool=last.tool, arguments=last.change or {}, purpose="as the judge asked"
            )
        if steps and (wanted := _wanted(steps[-1])) is not None:
            return Propose(
                tool=steps[-1].tool,
                arguments={**steps[-1].arguments, **wanted},
                purpose="as a person asked",
            )
        own: list[Step] = []
        queue = [*self._plan.steps]
        orders: list[PlannedStep] = []
        for step in steps:
            if orders:
                orders.pop(0)
            elif queue and step.tool == queue[0].tool:
                if step.change is None and _wanted(step) is None:
                    queue.pop(0)
                    own.append(step)
            if self._plan.obeys:
                orders += _orders(step.result)
        upcoming = orders[0] if orders else (queue[0] if queue else None)
        if upcoming is not None:
            arguments = _filled(upcoming.arguments, own)
            return Propose(tool=upcoming.tool, arguments=arguments, purpose=upcoming.purpose)
        done = [s for s in own if s.outcome == "confirmed"]
        return Finish(
            success=len(done) == len(self._plan.steps),
            summary=self._plan.summary,
            claims=tuple(s.proposal for s in done),
        )


def _wanted(step: Step) -> dict[str, Any] | None:
    """What a person wants changed, where they wrote arguments; a script makes nothing of words."""
    try:
        return msgspec.json.decode(step.wanted, type=dict[str, Any]) if step.wanted else None
    except UNREADABLE:
        return None


def _orders(result: object) -> Iterator[PlannedStep]:
    """What the texts in a result tell a talked-over planner to do."""
    for text in _texts(result):
        for tool, arguments in _ORDER.findall(text):
            try:
                given = msgspec.json.decode(arguments, type=dict[str, Any])
            except UNREADABLE:
                continue
            yield PlannedStep(tool, given, "the message says so")


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _filled(value: Any, steps: list[Step]) -> Any:
    """`value` with each `{"$from": path}` replaced by what the path leads to."""
    if isinstance(value, dict):
        if set(value) == {"$from"}:
            return _looked_up(value["$from"], steps)
        return {key: _filled(inner, steps) for key, inner in value.items()}
    return [_filled(inner, steps) for inner in value] if isinstance(value, list) else value


def _looked_up(path: list[Any], steps: list[Step]) -> Any:
    number, *keys = path
    found: Any = steps[number].result if number < len(steps) else None
    for key in keys:
        try:
            found = found[key]
        except (KeyError, IndexError, TypeError):
            return None
    return found
