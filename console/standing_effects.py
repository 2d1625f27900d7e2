"""What a run that was to do all or nothing left standing, for a person to look at.

Pure, from the ledger alone: the actions that its end names, but for those that are known by now not
to have been done.
"""

from collections.abc import Iterable

from msgspec import Struct

from bus.decider import Recorded
from schemas.actions import ActionFinished, ActionOutcome, ActionStarted
from schemas.runs import RunCompleted, RunHalted


class Standing(Struct, frozen=True):
    """An action that may have an effect which nothing took back; `outcome` is None while open."""

    run: str
    tool: str
    index: int
    action: bytes
    outcome: ActionOutcome | None


def left_standing(past: Iterable[Recorded]) -> list[Standing]:
    """The actions that stand, in the ledger's order."""
    begun: dict[bytes, tuple[int, str, str]] = {}
    outcomes: dict[bytes, ActionOutcome] = {}
    named: set[bytes] = set()
    for recorded in past:
        body = recorded.event.body
        if isinstance(body, ActionStarted):
            begun[recorded.digest] = (recorded.index, recorded.event.run or "", body.tool)
        elif isinstance(body, ActionFinished):
            outcomes.setdefault(body.action, body.outcome)
        elif isinstance(body, RunCompleted | RunHalted):
            named.update(body.standing)
    return [
        Standing(run, tool, index, digest, outcomes.get(digest))
        for digest, (index, run, tool) in begun.items()
        if digest in named and outcomes.get(digest) is not ActionOutcome.FAILED
    ]
