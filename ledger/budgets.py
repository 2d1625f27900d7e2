"""Ceilings as an auditor counts them: nothing was done, and no model asked, beyond what was left.

A decision is held to what its author had seen (`seen`): what others used up at the same moment
counts from the next one on, as it does at the gate. Money, calls, effects and tokens are counted
as the ledger states them; of records at least one for each effect, since the arguments that name
them are content, which an auditor need not be able to open. A day is a day of UTC.

Pure. Written from the schemas alone: it shares no code with what it audits.
"""

from collections import deque
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from ledger.rules import Rules
from schemas.actions import ActionStarted, ModelCalled
from schemas.events import Event
from schemas.names import SECOND
from schemas.tools import Budget

_DAY: Final = 86_400 * SECOND
_MARKS: Final = 4_096
"""Sums remembered of the workspace's day: nobody decides on what lies further back."""

_NONE: Final = Budget()
_ONE_CALL: Final = Budget(calls=1)


class _Account:
    """What was used up by one run, one tool of it, or one day: a running sum after each entry."""

    def __init__(self) -> None:
        self._sums: deque[tuple[int, int, Budget]] = deque(maxlen=_MARKS)

    def add(self, index: int, more: Budget, day: int = 0) -> None:
        """Count one more entry, of that `day`; a new day begins at nothing."""
        last = self._sums[-1] if self._sums else (0, day, _NONE)
        self._sums.append((index, day, _plus(last[2], more) if last[1] == day else more))

    def up_to(self, index: int, day: int = 0) -> Budget:
        """The sum over the entries up to `index`, on that `day`."""
        for place, its_day, total in reversed(self._sums):
            if place <= index:
                return total if its_day == day else _NONE
        return _NONE


class _OfRun(Struct):
    """One run. `asked` maps a model request that is not answered yet to its place."""

    whole: _Account
    by_tool: dict[str, _Account]
    asked: dict[bytes, int]


class Budgets:
    """Folds what is used up, and says what went over a ceiling of the policy that was seen."""

    def __init__(self) -> None:
        self._runs: dict[str, _OfRun] = {}
        self._day = _Account()

    def started(
        self, index: int, event: Event, body: ActionStarted, seen: Rules | None, now: Rules | None
    ) -> Iterator[str]:
        """An action; `seen` are the rules it was decided under, `now` those in force here."""
        run, day = self._of(event), event.at // _DAY
        account = run.by_tool.get(body.tool)
        if account is None:
            account = run.by_tool[body.tool] = _Account()
        if seen is not None and seen.bounded:
            more, policy = seen.cost(body.tool), seen.policy
            for whose, ceiling, spent in (
                ("run", policy.per_run, run.whole.up_to(event.seen)),
                (f"tool {body.tool}", policy.per_tool.get(body.tool), account.up_to(event.seen)),
                ("day", policy.per_day, self._day.up_to(event.seen, day)),
            ):
                if ceiling is not None and (over := _over(ceiling, _plus(spent, more))):
                    yield f"the action went over the ceiling per {whose}: {over}"
        more = now.cost(body.tool) if now is not None else _ONE_CALL
        run.whole.add(index, more)
        account.add(index, more)
        self._day.add(index, more, day)

    def asked(self, index: int, event: Event, digest: bytes) -> None:
        """A model is asked for something."""
        self._of(event).asked[digest] = index

    def called(
        self, index: int, event: Event, body: ModelCalled, rules: Rules | None
    ) -> Iterator[str]:
        """A model's answer; `rules` are those in force where it was asked."""
        run, day = self._of(event), event.at // _DAY
        place = run.asked.pop(body.request, None)
        if place is None:
            return
        if rules is not None and not body.error:
            policy = rules.policy
            for whose, ceiling, spent in (
                ("run", policy.per_run, run.whole.up_to(place)),
                ("day", policy.per_day, self._day.up_to(place, day)),
            ):
                if left := _spent(ceiling, spent):
                    yield f"a model was asked when the ceiling per {whose} was spent: {left}"
        tokens = max(0, body.input_tokens) + max(0, body.output_tokens)
        more = Budget(money=max(0, body.cost), tokens=tokens)
        run.whole.add(index, more)
        self._day.add(index, more, day)

    def asked_at(self, run: str | None, request: bytes) -> int:
        """The place of an unanswered model request, 0 where there is none."""
        known = self._runs.get(run or "")
        return known.asked.get(request, 0) if known is not None else 0

    def forget(self, run: str) -> None:
        """The run is over."""
        self._runs.pop(run, None)

    def _of(self, event: Event) -> _OfRun:
        name = event.run or ""
        known = self._runs.get(name)
        if known is None:
            known = self._runs[name] = _OfRun(_Account(), {}, {})
        return known


def _plus(one: Budget, more: Budget) -> Budget:
    return Budget(
        money=one.money + more.money,
        calls=one.calls + more.calls,
        effects=one.effects + more.effects,
        records=one.records + more.records,
        tokens=one.tokens + more.tokens,
    )


def _over(ceiling: Budget, spent: Budget) -> str:
    """The first ceiling that is exceeded, in words, or an empty string."""
    for name in Budget.__struct_fields__:
        most, used = getattr(ceiling, name), getattr(spent, name)
        if most and used > most:
            return f"{used} of {most} {name}"
    return ""


def _spent(ceiling: Budget, spent: Budget) -> str:
    """Which of the ceilings on model calls has nothing left, or an empty string."""
    for name in ("tokens", "money"):
        most, used = getattr(ceiling, name), getattr(spent, name)
        if most and used >= most:
            return f"{used} of {most} {name}"
    return ""
