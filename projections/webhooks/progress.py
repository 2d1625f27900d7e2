"""How far an endpoint has come: the state machine of its deliveries. Pure.

One message is under way at a time, so an endpoint sees the ledger's order. Its place moves on
when the message is delivered or is a dead letter, and not before. Three kinds of failure:
- *away* (no connection, no answer, 429, 502 to 504): waits for as long as it takes, up to
  `give_up_s`, after which the endpoint is disabled where it stands. Nothing becomes a dead letter.
- *refused* (any other answer): a dead letter after `dead_after_s` and at least `REFUSALS` tries.
- *gone* (410): disabled at once, as Standard Webhooks has it.
"""

from enum import Enum
from typing import Final

import msgspec
from msgspec import Struct

from projections.webhooks.schedule import pause_s
from schemas.names import SECOND

REFUSALS: Final = 5
DEAD_IN_A_ROW: Final = 10
"""So many dead letters after one another are no matter of single messages: the endpoint is off."""

_AWAY: Final = frozenset({408, 425, 429, 502, 503, 504})
_GONE: Final = 410


class Status(Enum):
    """Whether an endpoint is sent to. DISABLED is our doing, PAUSED a person's."""

    ACTIVE = "active"
    PAUSED = "paused"
    DISABLED = "disabled"


class Place(Struct, frozen=True, forbid_unknown_fields=True):
    """A ledger index and the chain head there."""

    index: int
    head: bytes


class Trouble(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The message under way has failed. Times in ns; `refused_at` is 0 where none refused it."""

    since: int
    failures: int
    refusals: int
    refused_at: int
    next_at: int
    reason: str


class Progress(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An endpoint's state.

    Every entry up to `after` is behind it; None until its begin is known. `previous` is the last
    one of those that was meant for it, None at the begin and after a replay. `again` are
    dead letters to send once more, before what comes next.
    """

    status: Status = Status.ACTIVE
    reason: str = ""
    after: int | None = None
    previous: Place | None = None
    trouble: Trouble | None = None
    dead_in_a_row: int = 0
    again: tuple[int, ...] = ()


class Rules(Struct, frozen=True, kw_only=True):
    """How patient we are with an endpoint, in seconds."""

    dead_after_s: int = 7_200
    give_up_s: int = 259_200


class Answered(Struct, frozen=True):
    """The receiver answered; `asked_s` is how long it wants to be left alone, if it said."""

    status: int
    asked_s: int | None = None


class Unreached(Struct, frozen=True):
    """There was no answer, and why."""

    reason: str


Result = Answered | Unreached


class Outcome(Enum):
    """What came of one attempt."""

    DELIVERED = "delivered"
    RETRY = "retry"
    DEAD = "dead"
    DISABLED = "disabled"


def begin(progress: Progress, size: int) -> Progress:
    """Where to begin in a ledger of `size` entries: its end, unless an earlier place is known."""
    after = size if progress.after is None else min(progress.after, size)
    return _set(progress, after=after)


def passed_over(progress: Progress, index: int) -> Progress:
    """The entry at `index` is not meant for the endpoint."""
    return _set(progress, after=index)


def due_at(progress: Progress) -> int | None:
    """When (ns) the message under way may be sent; None while nothing is sent at all."""
    if progress.status is not Status.ACTIVE:
        return None
    return progress.trouble.next_at if progress.trouble is not None else 0


def settled(
    progress: Progress, place: Place, result: Result, now: int, chance: float, rules: Rules
) -> tuple[Progress, Outcome]:
    """The state after an attempt at the message of `place` ended at `now` (ns).

    `chance` in [0, 1) spreads the next one. A message of `again` moves that list on alone.
    """
    if isinstance(result, Answered) and 200 <= result.status < 300:
        return _moved_on(progress, place, dead_in_a_row=0), Outcome.DELIVERED
    if isinstance(result, Answered) and result.status == _GONE:
        return put_off(progress, "the receiver says that it is gone (410)"), Outcome.DISABLED
    trouble = _troubled(progress.trouble, result, now, chance)
    if now - trouble.since >= rules.give_up_s * SECOND:
        return put_off(progress, f"no success since long: {trouble.reason}"), Outcome.DISABLED
    if _is_dead(trouble, now, rules, retried=bool(progress.again)):
        moved = _moved_on(progress, place, dead_in_a_row=progress.dead_in_a_row + 1)
        if moved.dead_in_a_row >= DEAD_IN_A_ROW:
            moved = put_off(moved, f"{DEAD_IN_A_ROW} dead letters in a row: {trouble.reason}")
        return moved, Outcome.DEAD
    return _set(progress, trouble=trouble), Outcome.RETRY


def paused(progress: Progress) -> Progress:
    """Send nothing until resumed. A disabled endpoint stays so."""
    if progress.status is Status.DISABLED:
        return progress
    return _set(progress, status=Status.PAUSED, reason="paused by hand")


def resumed(progress: Progress) -> Progress:
    """Send again, at once."""
    return _set(progress, status=Status.ACTIVE, reason="", trouble=None, dead_in_a_row=0)


def put_off(progress: Progress, reason: str) -> Progress:
    """Disabled where it stands: it cannot be served, and a person has to mend why."""
    return _set(progress, status=Status.DISABLED, reason=reason, trouble=None)


def replayed(progress: Progress, index: int) -> Progress:
    """Send everything again from ledger index `index` on, in order."""
    return _set(progress, after=index - 1, previous=None, trouble=None, dead_in_a_row=0)


def sent_again(progress: Progress, indexes: tuple[int, ...]) -> Progress:
    """Send these dead letters once more, in the ledger's order, before what comes next."""
    again = tuple(sorted({*progress.again, *indexes}))
    return _set(progress, again=again, trouble=None, dead_in_a_row=0)


def _moved_on(progress: Progress, place: Place, *, dead_in_a_row: int) -> Progress:
    if progress.again:
        again = tuple(index for index in progress.again if index != place.index)
        return _set(progress, again=again, trouble=None, dead_in_a_row=dead_in_a_row)
    return _set(
        progress,
        after=place.index,
        previous=place,
        trouble=None,
        dead_in_a_row=dead_in_a_row,
    )


def _troubled(before: Trouble | None, result: Result, now: int, chance: float) -> Trouble:
    failures = before.failures + 1 if before is not None else 1
    refusals = before.refusals if before is not None else 0
    refused_at = before.refused_at if before is not None else 0
    asked = None
    if isinstance(result, Answered):
        asked = result.asked_s
        if result.status not in _AWAY:
            refusals, refused_at = refusals + 1, refused_at or now
    return Trouble(
        since=before.since if before is not None else now,
        failures=failures,
        refusals=refusals,
        refused_at=refused_at,
        next_at=now + int(pause_s(failures, chance, asked) * SECOND),
        reason=in_words(result),
    )


def _is_dead(trouble: Trouble, now: int, rules: Rules, *, retried: bool) -> bool:
    """Whether the message is given up. One that was dead before gets a single refusal."""
    if retried:
        return trouble.refusals > 0
    return trouble.refusals >= REFUSALS and now - trouble.refused_at >= rules.dead_after_s * SECOND


def in_words(result: Result) -> str:
    """A result as the delivery log has it."""
    return f"answered {result.status}" if isinstance(result, Answered) else result.reason


_set = msgspec.structs.replace
