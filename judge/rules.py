"""The judge's rules: a proposal held against the run's declared intent.

Pure and without a model: reads pass; what stays inside the intent passes; what a small
change would bring inside is sent back with the change; what the intent does not settle
goes to a person; what leaves the organisation for somewhere nobody named stops the run.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from schemas.actions import Verdict
from schemas.leases import Intent
from schemas.tools import Effect, Policy, Tool


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
        return Judgement(Verdict.STOP, "the proposal's arguments are sealed from its judge")
    if tool is None:
        return Judgement(Verdict.CHANGE_PLAN, "the lease has no such tool; use those it has")
    if tool.effect is Effect.READ:
        return Judgement(Verdict.APPROVE, "a read within the lease")
    strangers = {
        name: [v for v in _texts(arguments.get(name)) if not _named(v, intent)]
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
        if any(value not in intent.objects for value in _texts(arguments.get(name)))
    ]
    if foreign and intent.objects:
        return Judgement(
            Verdict.ROUTE_TO_HUMAN,
            f"argument {foreign[0]} names a record that the intent does not",
            question=f"May the agent use {tool.name} on a record outside its intent?",
        )
    return Judgement(Verdict.APPROVE, f"{tool.effect.value} within the declared intent")


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
    outside = [v for values in strangers.values() for v in values if not _inside(v, policy)]
    kept = {
        name: [v for v in _texts(arguments.get(name)) if v not in strangers.get(name, [])]
        for name in tool.destinations
    }
    first = next(iter(strangers))
    if outside and not any(kept.values()):
        return Judgement(
            Verdict.STOP,
            f"argument {first} leads outside the organisation, to nobody the intent names",
        )
    if any(kept.values()) and all(isinstance(arguments.get(name), list) for name in strangers):
        change = {**arguments, **{name: kept[name] for name in strangers}}
        return Judgement(
            Verdict.CHANGE_PLAN,
            f"argument {first} adds destinations that the intent does not name",
            change=change,
        )
    return Judgement(
        Verdict.ROUTE_TO_HUMAN,
        f"argument {first} leads to a colleague whom the intent does not name",
        question=f"May the agent use {tool.name} towards a colleague outside its intent?",
    )


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [v for v in value if isinstance(v, str)] if isinstance(value, list) else []


def _named(destination: str, intent: Intent) -> bool:
    address = destination.strip().casefold()
    domain = "@" + address.rpartition("@")[2]
    return any(address == d.casefold() or domain == d.casefold() for d in intent.destinations)


def _inside(destination: str, policy: Policy) -> bool:
    return destination.strip().casefold().rpartition("@")[2] in policy.organisation
