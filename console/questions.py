"""What waits for a person: a fold over the ledger, or over some of it. Pure."""

from collections.abc import Iterable
from typing import NamedTuple

from bus.decider import Recorded
from schemas.actions import (
    ActionRefused,
    ActionStarted,
    ApprovalDecided,
    ApprovalRequested,
    Decision,
    ProposalMade,
)
from schemas.runs import RunRequested


class Question(NamedTuple):
    """What was asked, in `asked`, and the `proposal` it is about, where that was read."""

    asked: Recorded
    proposal: Recorded | None
    approvers: frozenset[str]

    @property
    def body(self) -> ApprovalRequested:
        """The question as the gate put it."""
        body = self.asked.event.body
        assert isinstance(body, ApprovalRequested)
        return body


class Questions:
    """What the gate asked, and what people said to it. Where two must approve, the rep whose run it
    is is neither; of a reading that leaves requests out that rep counts like anybody.
    """

    def __init__(self, past: Iterable[Recorded] = ()) -> None:
        self._proposals: dict[bytes, Recorded] = {}
        self._asked: dict[bytes, Recorded] = {}
        self._approved: dict[bytes, set[str]] = {}
        self._reps: dict[str | None, str] = {}
        for recorded in past:
            self.take(recorded)

    def take(self, recorded: Recorded) -> None:
        """Fold the next entry."""
        body = recorded.event.body
        if isinstance(body, ProposalMade):
            self._proposals[recorded.digest] = recorded
        elif isinstance(body, RunRequested):
            self._reps.setdefault(recorded.event.run, body.rep)
        elif isinstance(body, ApprovalRequested):
            self._asked[body.proposal] = recorded
            self._approved[body.proposal] = set()
        elif isinstance(body, ActionStarted | ActionRefused):
            self._settle(body.proposal)
            self._proposals.pop(body.proposal, None)
        elif isinstance(body, ApprovalDecided) and body.proposal in self._asked:
            if body.decision is not Decision.APPROVE:
                self._settle(body.proposal)
            elif recorded.event.run == self._asked[body.proposal].event.run:
                self._approved[body.proposal].add(recorded.event.actor.instance)

    def open(self) -> list[Question]:
        """Those that wait for a person."""
        return [one for one in self.unsettled() if len(one.approvers) < one.body.people]

    def unsettled(self) -> list[Question]:
        """Those that nobody denied and the gate did not act on, in the order they were asked in."""
        found = list[Question]()
        for proposal, asked in self._asked.items():
            approvers = frozenset(self._approved[proposal])
            question = Question(asked, self._proposals.get(proposal), approvers)
            if question.body.people > 1:
                approvers -= {self._reps.get(asked.event.run, "")}
                question = question._replace(approvers=approvers)
            found.append(question)
        return found

    def _settle(self, proposal: bytes) -> None:
        self._asked.pop(proposal, None)
        self._approved.pop(proposal, None)
