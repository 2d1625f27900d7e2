"""The judge's rules: a proposal held against the run's declared intent.

Pure and without a model: reads pass; what stays inside the intent passes; what a small
change would bring inside is sent back with the change; what the intent does not settle
goes to a person; what leaves the organisation for somewhere nobody named stops the run.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec import Struct

from schemas.actions import Verdict
from schemas.leases import Intent
from schemas.names import Classification
from schemas.tools import Effect, Policy, Reach, Tool

# One address and nothing else: a list, a display name or a URL must not pass for its last part.
_ADDRESS: Final = re.compile(r"[^\s@,;:<>()\[\]\"/\\]+@([^\s@,;:<>()\[\]\"/\\]+)")

_STRICTNESS: Final = {
    Verdict.APPROVE: 0,
    Verdict.ROUTE_TO_HUMAN: 1,
    Verdict.CHANGE_PLAN: 2,
    Verdict.STOP: 3,
}


class Judgement(Struct, frozen=True):
    """A verdict with its reason; `change` are the arguments that would be approved."""

    verdict: Verdict
    reason: str
    change: Mapping[str, Any] | None = None
    question: str = ""


def judge(
    tool: Tool | None, arguments: Mapping[str, Any] | None, intent: Intent, policy: Policy
) -> Judgement:
    """The verdict on one proposal. Reasons quote argument names, never their values."""
    if arguments is None:
        return Judgement(Verdict.STOP, "the judge cannot read the proposal's arguments")
    if tool is None:
        return Judgement(Verdict.CHANGE_PLAN, "the lease has no such tool; use those it has")
    if tool.effect is Effect.READ:
        return Judgement(Verdict.APPROVE, "a read within the lease")
    strangers = {
        name: [v for v in values_of(arguments, name) if not named(v, intent)]
        for name in tool.destinations
    }
    strangers = {name: values for name, values in strangers.items() if values}
    if strangers:
        return _strangers(tool, arguments, strangers, policy)
    if tool.effect not in intent.effects:
        return _outside_intent(tool)
    foreign = [
        name
        for name in tool.objects
        if any(value not in intent.objects for value in values_of(arguments, name))
    ]
    if foreign and intent.objects:
        return Judgement(
            Verdict.ROUTE_TO_HUMAN,
            f"argument {foreign[0]} names a record that the intent does not",
            question=f"May the agent use {tool.name} on a record outside its intent?",
        )
    return Judgement(Verdict.APPROVE, f"{tool.effect.value} within the declared intent")


def high_stakes(
    tool: Tool, arguments: Mapping[str, Any], policy: Policy, classification: Classification
) -> bool:
    """Whether a proposal of this classification deserves more than rules.

    Any mutation, egress and payment does, a message that may leave the organisation, and
    whatever is RESTRICTED.
    """
    if Classification.RESTRICTED in (classification, tool.classification):
        return True
    if tool.effect is not Effect.COMMUNICATION:
        return tool.effect is not Effect.READ
    reached = [value for name in tool.destinations for value in values_of(arguments, name)]
    return not reached or any(not _inside(value, tool, policy) for value in reached)


def stricter(one: Judgement, other: Judgement) -> Judgement:
    """The judgement that lets less be done; `one` where both let as much.

    A change of plan is stricter than a question: the gate refuses it, while a person who is
    asked may say yes.
    """
    return one if _STRICTNESS[one.verdict] >= _STRICTNESS[other.verdict] else other


def values_of(arguments: Mapping[str, Any], name: str) -> list[str]:
    """The scalars that a declared argument holds at any depth, as text.

    `argument.field` names every field of that name below the argument.
    """
    top, _, field = name.partition(".")
    return [str(v) for inner, v in _scalars(top, arguments.get(top)) if not field or inner == field]


def named(value: str, intent: Intent) -> bool:
    """Whether the intent names this destination, itself or by its `@domain`."""
    address = value.strip().casefold()
    alone = _ADDRESS.fullmatch(address)
    domain = f"@{alone[1]}" if alone else None
    return any(d.casefold() in (address, domain) for d in intent.destinations)


def _scalars(name: str, value: object) -> Iterator[tuple[str, str | int | float]]:
    """(innermost key, scalar), in order. A loop, since a proposal may be nested to any depth."""
    stack: list[tuple[str, object]] = [(name, value)]
    while stack:
        inner, held = stack.pop()
        if isinstance(held, Mapping):
            stack.extend((str(key), below) for key, below in reversed(list(held.items())))
        elif isinstance(held, list | tuple):
            stack.extend((inner, below) for below in reversed(held))
        elif isinstance(held, str | int | float) and not isinstance(held, bool):
            yield inner, held


def _outside_intent(tool: Tool) -> Judgement:
    if tool.effect in (Effect.EGRESS, Effect.PAYMENT):
        return Judgement(Verdict.STOP, f"{tool.effect.value} was never part of the intent")
    return Judgement(
        Verdict.ROUTE_TO_HUMAN,
        f"{tool.effect.value} is not among the intent's effects",
        question=f"The intent allows no {tool.effect.value}. May the agent use {tool.name} once?",
    )


def _strangers(
    tool: Tool, arguments: Mapping[str, Any], strangers: dict[str, list[str]], policy: Policy
) -> Judgement:
    """Destinations that the intent does not name."""
    first = next(iter(strangers))
    kept = {
        name: [v for v in values_of(arguments, name) if v not in strangers.get(name, [])]
        for name in tool.destinations
    }
    if any(kept.values()) and all(_is_list(arguments.get(name)) for name in strangers):
        return Judgement(
            Verdict.CHANGE_PLAN,
            f"argument {first} adds destinations that the intent does not name",
            change={**arguments, **{name: kept[name] for name in strangers}},
        )
    if any(not _inside(v, tool, policy) for values in strangers.values() for v in values):
        return Judgement(
            Verdict.STOP,
            f"argument {first} leads outside the organisation, to nobody the intent names",
        )
    return Judgement(
        Verdict.ROUTE_TO_HUMAN,
        f"argument {first} leads to a colleague whom the intent does not name",
        question=f"May the agent use {tool.name} towards a colleague outside its intent?",
    )


def _is_list(value: object) -> bool:
    """Whether entries can be left out of it one by one."""
    return isinstance(value, list) and all(isinstance(entry, str) for entry in value)


def _inside(destination: str, tool: Tool, policy: Policy) -> bool:
    if tool.reach is not Reach.BY_ADDRESS:
        return tool.reach is Reach.INSIDE
    alone = _ADDRESS.fullmatch(destination.strip().casefold())
    return alone is not None and alone[1] in policy.organisation
