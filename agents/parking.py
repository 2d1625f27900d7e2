"""Runs that wait for a person: when one is parked, when it goes on, and what nobody answered.

A parked run holds no process: its runtime and judge are ended, and all that it knows is in the
ledger. It goes on under a renewed lease, with new keys, exactly where it was. The sidecar holds
the proposal and acts on the answer meanwhile. Pure.
"""

import msgspec
from immutables import Map
from msgspec import Struct

from bus.decider import Recorded
from schemas.actions import (
    ActionRefused,
    ActionStarted,
    ApprovalDecided,
    ApprovalRequested,
    Decision,
    ProposalMade,
)
from schemas.leases import Lease
from schemas.names import SECOND
from schemas.runs import RunParked, RunStarted


class Question(Struct, frozen=True):
    """An open proposal; `asked_at` and `expires` (ns) are 0 until a person was asked of it.

    `approvers` are those of the `people` needed who approved so far.
    """

    asked_at: int = 0
    expires: int = 0
    people: int = 1
    approvers: frozenset[str] = frozenset()
    answered: bool = False


class Waits(Struct, frozen=True, kw_only=True):
    """What of a run's waiting counts. `open` is by the proposal's digest; `parked` the attempt that
    was ended for it, 0 before any, `times` how often one was. `unanswered` is the refusal of what
    nobody answered in time, `served` whether an agent from outside is connected.
    """

    open: Map[bytes, Question] = Map()
    parked: int = 0
    times: int = 0
    served: bool = False
    unanswered: Recorded | None = None

    @property
    def for_a_person(self) -> bool:
        """Whether something is open, and all of it waits for a person's answer."""
        return bool(self.open) and all(
            question.asked_at and not question.answered for question in self.open.values()
        )


def evolve(waits: Waits, entry: Recorded, lease: Lease | None) -> Waits:
    """The waiting of a run under its `lease`, after one of the run's entries."""
    event, body = entry.event, entry.event.body
    attempt = lease.attempt if lease is not None else 0
    if isinstance(body, ProposalMade):
        return _replace(waits, open=waits.open.set(entry.digest, Question()))
    if isinstance(body, RunStarted):
        return _replace(waits, served=body.served)
    if isinstance(body, RunParked):
        if body.attempt != attempt:
            return waits
        return _replace(waits, parked=attempt, times=waits.times + 1)
    if not isinstance(body, ApprovalRequested | ApprovalDecided | ActionStarted | ActionRefused):
        return waits
    question = waits.open.get(body.proposal)
    if question is None:
        return waits
    if isinstance(body, ApprovalRequested):
        asked = question if question.asked_at else Question(event.at, body.expires, body.people)
        return _replace(waits, open=waits.open.set(body.proposal, asked))
    if isinstance(body, ApprovalDecided):
        if not question.asked_at or event.at >= question.expires:
            return waits
        answered = _answered(question, event.actor.instance, body.decision, lease)
        return _replace(waits, open=waits.open.set(body.proposal, answered))
    after = _replace(waits, open=waits.open.delete(body.proposal))
    overdue = question.asked_at and not question.answered and event.at >= question.expires
    if isinstance(body, ActionRefused) and overdue:
        return _replace(after, unanswered=waits.unanswered or entry)
    return after


def _answered(question: Question, person: str, decision: Decision, lease: Lease | None) -> Question:
    if decision is not Decision.APPROVE:
        return _replace(question, answered=True)
    own = question.people > 1 and lease is not None and person == lease.rep
    approvers = question.approvers if own else question.approvers | {person}
    answered = question.answered or len(approvers) >= question.people
    return _replace(question, approvers=approvers, answered=answered)


def park_at(waits: Waits, park_s: int) -> int | None:
    """When (ns) a run whose processes are up is to be parked, as things stand; None for never."""
    if not park_s or waits.served or not waits.for_a_person:
        return None
    return max(question.asked_at for question in waits.open.values()) + park_s * SECOND


_replace = msgspec.structs.replace
