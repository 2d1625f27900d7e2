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


class Reps:
    """Every rep there ever was, and how many runs they asked for."""

    def __init__(self) -> None:
        self._reps: dict[str, Rep] = {}

    def take(self, entry: Recorded) -> None:
        """Fold the next entry."""
        body, at = entry.event.body, entry.event.at
        if isinstance(body, RepActivated | RepRevoked):
            before = self._reps.get(body.rep)
            reason = body.reason if isinstance(body, RepRevoked) else ""
            runs = before.runs if before is not None else 0
            self._reps[body.rep] = Rep(body.rep, isinstance(body, RepActivated), at, reason, runs)
        elif isinstance(body, RunRequested) and body.rep in self._reps:
            self._reps[body.rep].runs += 1

    def by_name(self) -> list[Rep]:
        """All of them, by name."""
        return [self._reps[name] for name in sorted(self._reps)]


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


class Spending:
    """What the day of `now` (ns) has used up, and the `policy` in force, None where none is."""

    def __init__(self, now: int) -> None:
        self.policy: Policy | None = None
        self._day = now // DAY
        self._spent: dict[str, Spent] = {}
        self._tools: dict[str, tuple[int, bool]] = {}

    def take(self, entry: Recorded) -> None:
        """Fold the next entry."""
        body = entry.event.body
        if isinstance(body, PolicySet):
            self.policy = body.policy
            self._tools = {
                one.name: (one.cost, one.effect is not Effect.READ) for one in body.policy.tools
            }
        if entry.event.at // DAY != self._day:
            return
        if isinstance(body, ActionStarted):
            one = self._of(body.tool)
            cost, effect = self._tools.get(body.tool, (0, False))
            one.calls, one.effects, one.money = (
                one.calls + 1,
                one.effects + effect,
                one.money + cost,
            )
        elif isinstance(body, ModelCalled):
            one = self._of("models")
            one.tokens += body.input_tokens + body.output_tokens
            one.money += body.cost

    def by_tool(self) -> list[Spent]:
        """What each tool used up; `models` are the models."""
        return [self._spent[name] for name in sorted(self._spent)]

    def _of(self, name: str) -> Spent:
        return self._spent.setdefault(name, Spent(name))


def all_of(spent: Iterable[Spent]) -> Budget:
    """The sum. Of records nothing is said: what names them is content."""
    found = list(spent)
    return Budget(
        money=sum(one.money for one in found),
        calls=sum(one.calls for one in found),
        effects=sum(one.effects for one in found),
        tokens=sum(one.tokens for one in found),
    )
