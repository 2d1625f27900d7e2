"""What a workspace consists of, as its ledger has it: reps, keys, tools in force, what was spent.

Pure. Everything here was signed; the settings may say otherwise until `anyteam up` or
`anyteam policy apply` has put that on record. A day is a day of UTC, as for the gate's ceilings.
"""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from bus.decider import Recorded
from schemas.actions import ActionStarted, ModelCalled
from schemas.leases import Certificate
from schemas.names import SECOND
from schemas.runs import (
    KeyCertified,
    KeyRevoked,
    PolicySet,
    RepActivated,
    RepRevoked,
    RunRequested,
)
from schemas.tools import Budget, Effect, Policy

DAY: Final = 86_400 * SECOND


class Rep(Struct):
    """A rep: whether they may ask for runs, since when (ns), and how many they asked for."""

    name: str
    active: bool
    since: int
    reason: str = ""
    runs: int = 0


class Key(Struct):
    """A key that the root certified; `revoked` is why it counts no more, empty while it does."""

    certificate: Certificate
    index: int
    revoked: str = ""


class Spent(Struct):
    """What one tool, or all models, used up of the day."""

    name: str
    calls: int = 0
    effects: int = 0
    tokens: int = 0
    money: int = 0


def reps_of(past: Iterable[Recorded]) -> list[Rep]:
    """Every rep there ever was, by name."""
    reps: dict[str, Rep] = {}
    for entry in past:
        body, at = entry.event.body, entry.event.at
        if isinstance(body, RepActivated | RepRevoked):
            before = reps.get(body.rep)
            reason = body.reason if isinstance(body, RepRevoked) else ""
            runs = before.runs if before is not None else 0
            reps[body.rep] = Rep(body.rep, isinstance(body, RepActivated), at, reason, runs)
        elif isinstance(body, RunRequested) and body.rep in reps:
            reps[body.rep].runs += 1
    return [reps[name] for name in sorted(reps)]


def keys_of(past: Iterable[Recorded]) -> list[Key]:
    """Every key that the root certified, in the ledger's order. Runs' own are in their leases."""
    keys: dict[bytes, Key] = {}
    for entry in past:
        body = entry.event.body
        if isinstance(body, KeyCertified):
            keys[body.certificate.key_id] = Key(body.certificate, entry.index)
        elif isinstance(body, KeyRevoked) and body.key_id in keys:
            keys[body.key_id].revoked = body.reason or "revoked"
    return list(keys.values())


def policy_in(past: Iterable[Recorded]) -> Policy | None:
    """The policy in force, None where none was set."""
    found = None
    for entry in past:
        if isinstance(entry.event.body, PolicySet):
            found = entry.event.body.policy
    return found


def spent_of(past: Iterable[Recorded], now: int) -> list[Spent]:
    """What the day of `now` (ns) has used up, by tool; `models` are the models."""
    spent: dict[str, Spent] = {}
    tools: dict[str, tuple[int, bool]] = {}
    for entry in past:
        body = entry.event.body
        if isinstance(body, PolicySet):
            tools = {
                one.name: (one.cost, one.effect is not Effect.READ) for one in body.policy.tools
            }
        if entry.event.at // DAY != now // DAY:
            continue
        if isinstance(body, ActionStarted):
            one = spent.setdefault(body.tool, Spent(body.tool))
            cost, effect = tools.get(body.tool, (0, False))
            one.calls, one.effects, one.money = (
                one.calls + 1,
                one.effects + effect,
                one.money + cost,
            )
        elif isinstance(body, ModelCalled):
            one = spent.setdefault("models", Spent("models"))
            one.tokens += body.input_tokens + body.output_tokens
            one.money += body.cost
    return [spent[name] for name in sorted(spent)]


def all_of(spent: Iterable[Spent]) -> Budget:
    """The sum. Of records nothing is said: what names them is content."""
    found = list(spent)
    return Budget(
        money=sum(one.money for one in found),
        calls=sum(one.calls for one in found),
        effects=sum(one.effects for one in found),
        tokens=sum(one.tokens for one in found),
    )
