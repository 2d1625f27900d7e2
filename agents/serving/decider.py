"""The decider of a run whose brain is outside: calls become proposals, outcomes become replies.

Like every runtime it holds no credential and is assumed to be fully compromised. The same tool
with the same arguments, while the first is open, is the same call: whoever asks again, after a
lost connection or to hear of a person's answer, is told of that proposal and makes no other.
Where all or nothing was asked for and not all can be had any more, it undoes what was done, takes
no further call, and ends the run.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec
from immutables import Map
from msgspec import Struct

from agents.planners.planner import Finish, History, Propose, Step, Turn
from agents.runtime import RuntimeState
from agents.runtime import evolve as evolve_runtime
from agents.serving.effects import Arrived, Leaving, Offer, Outcome, Over, Proposed, Reply
from agents.undoing import given_up, undoing
from bus.decider import Done, Draft, Effect, Entry, Input, Recorded, Tick
from schemas.actions import (
    ActionFinished,
    ActionRefused,
    ApprovalDecided,
    ApprovalRequested,
    ProposalMade,
    ReceiptIssued,
)
from schemas.content import opened, plain
from schemas.names import Classification, Role
from schemas.runs import PlanFinished
from schemas.tools import Tool

MAX_OPEN = 16


class ServingState(Struct, frozen=True, kw_only=True):
    """One run. `finished` leads from an `action.finished` to its proposal, and `owed` are those
    without a receipt; `held` leads from a proposal to the question that a person was asked."""

    base: RuntimeState = RuntimeState()
    finished: Map[bytes, bytes] = Map()
    owed: frozenset[bytes] = frozenset()
    held: Map[bytes, str] = Map()


class ServingDecider:
    """Serves `run` as the attempt that `instance` was certified for."""

    role = Role.RUNTIME

    def __init__(self, run: str, instance: str) -> None:
        self.run = run
        self.instance = instance

    def initial(self, workspace: str) -> ServingState:
        """Nothing known."""
        return ServingState()

    def evolve(self, state: ServingState, entry: Entry) -> ServingState:
        """The state after one entry."""
        state = _replace(state, base=evolve_runtime(self.run, state.base, entry))
        if not isinstance(entry, Recorded) or entry.event.run != self.run:
            return state
        body = entry.event.body
        if isinstance(body, ApprovalRequested):
            return _replace(state, held=state.held.set(body.proposal, body.question))
        if isinstance(body, ApprovalDecided | ActionRefused) and body.proposal in state.held:
            return _replace(state, held=state.held.delete(body.proposal))
        if isinstance(body, ActionFinished):
            finished = state.finished.set(entry.digest, body.proposal)
            return _replace(state, finished=finished, owed=state.owed | {entry.digest})
        if isinstance(body, ReceiptIssued):
            return _replace(state, owed=state.owed - set(entry.event.causes))
        return state

    def decide(self, state: ServingState, given: Input, now: int) -> Sequence[Draft | Effect]:
        """What to record and tell."""
        if isinstance(given, Done):
            return self._after(state, given.effect)
        if not isinstance(given, Tick | Recorded):
            return ()
        if state.base.over:
            return [Over(key="over", run=self.run)]
        told = list(self._told(state, given)) if isinstance(given, Recorded) else []
        return [*told, *self._offer(state), *self._undone(state)]

    def revise(self, state: ServingState, effect: Effect) -> Effect:
        """No draft of a runtime carries an effect."""
        return effect

    def wake_at(self, state: ServingState) -> int | None:
        """Nothing is ever due by time alone."""
        return None

    def recall(self, state: ServingState, recorded: Recorded) -> Done | None:
        """Proposals rest on no effect."""
        return None

    def _after(self, state: ServingState, effect: Effect) -> Sequence[Draft | Effect]:
        if isinstance(effect, Arrived):
            return [self._called(state, effect)]
        if isinstance(effect, Leaving) and not state.base.over and state.base.last is not None:
            turn = _broken(state) or (None if effect.success else _abandoned(state))
            if turn is not None:
                return [self._turned(state, state.base.last, turn)]
            return [self._left(state, state.base.last, effect)]
        return ()

    def _called(self, state: ServingState, call: Arrived) -> Draft | Effect:
        base = state.base
        if base.over or base.last is None or base.lease is None:
            return _reply(self.run, call, Outcome(outcome="over", reason="the run has ended"))
        if call.tool not in base.lease.tools:
            return _reply(self.run, call, Outcome(outcome="unleased"))
        if _broken(state) is not None:
            return _reply(self.run, call, Outcome(outcome="over", reason=_BROKEN))
        for proposal, waiting in base.waiting.items():
            if _same(waiting, call):
                question = state.held.get(proposal, "")
                outcome = "held" if question else "pending"
                open_one = Outcome(outcome=outcome, reason=question, proposal=proposal)
                return _reply(self.run, call, open_one)
        if len(base.waiting) >= MAX_OPEN:
            reason = f"{MAX_OPEN} calls of this run wait already"
            return _reply(self.run, call, Outcome(outcome="busy", reason=reason))
        made = ProposalMade(
            number=base.number + 1,
            tool=call.tool,
            arguments=plain(call.arguments),
            purpose=plain(call.purpose[:4096]),
        )
        return self._draft(made, base.last, salt=call.key)

    def _left(self, state: ServingState, last: Recorded, leaving: Leaving) -> Draft:
        claims = tuple(s.proposal for s in state.base.steps if s.outcome == "confirmed")
        finish = PlanFinished(
            success=leaving.success, summary=plain(leaving.summary[:4096]), claims=claims
        )
        return self._draft(finish, last, settles="finish")

    def _offer(self, state: ServingState) -> Iterator[Effect]:
        lease = state.base.lease
        if lease is not None and self._serves(state):
            yield Offer(key="offer", run=self.run, lease=lease, tools=_tools(state))

    def _serves(self, state: ServingState) -> bool:
        """Whether the lease in force is this attempt's, and its content can be read."""
        lease, keyed = state.base.lease, state.base.keyed
        return lease is not None and keyed and any(k.instance == self.instance for k in lease.keys)

    def _undone(self, state: ServingState) -> Iterator[Draft]:
        """The next undoing once everything begun has ended and been told, or the run's end."""
        last, turn = state.base.last, _broken(state)
        settled = not state.base.waiting and not state.owed
        if turn is not None and last is not None and settled and self._serves(state):
            yield self._turned(state, last, turn)

    def _turned(self, state: ServingState, last: Recorded, turn: Turn) -> Draft:
        if isinstance(turn, Propose):
            made = ProposalMade(
                number=state.base.number + 1,
                tool=turn.tool,
                arguments=plain(turn.arguments),
                purpose=plain(turn.purpose),
                compensates=turn.compensates,
            )
            return self._draft(made, last, settles="turn")
        assert isinstance(turn, Finish)
        finish = PlanFinished(success=turn.success, summary=plain(turn.summary), claims=turn.claims)
        return self._draft(finish, last, settles="finish")

    def _told(self, state: ServingState, given: Recorded) -> Iterator[Effect]:
        """What an entry of the run says to those who called."""
        body = given.event.body
        if isinstance(body, ProposalMade):
            arguments = opened(body.arguments)
            if isinstance(arguments, dict):
                yield Proposed(
                    key=f"proposed:{given.digest.hex()}",
                    run=self.run,
                    tool=body.tool,
                    arguments=arguments,
                    proposal=given.digest,
                )
        elif isinstance(body, ApprovalRequested):
            waiting = state.base.waiting.get(body.proposal)
            made = waiting.event.body if waiting is not None else None
            if isinstance(made, ProposalMade):
                yield self._reply_to(
                    made.tool,
                    opened(made.arguments) or {},
                    Outcome(outcome="held", reason=body.question, proposal=body.proposal),
                )
        elif isinstance(body, ActionRefused):
            for step in _steps(state, body.proposal):
                refused = Outcome(
                    outcome="refused",
                    reason=body.reason,
                    fix=body.fix,
                    proposal=body.proposal,
                    change=step.change,
                    wanted=step.wanted,
                )
                yield self._reply_to(step.tool, step.arguments, refused)
        elif isinstance(body, ReceiptIssued):
            proposals = [state.finished[c] for c in given.event.causes if c in state.finished]
            for step in (s for proposal in proposals for s in _steps(state, proposal)):
                came = Outcome(
                    outcome=step.outcome,
                    result=step.result,
                    reason=step.reason,
                    proposal=step.proposal,
                    receipt=given.digest,
                )
                yield self._reply_to(step.tool, step.arguments, came)

    def _reply_to(self, tool: str, arguments: dict[str, Any], outcome: Outcome) -> Reply:
        key = f"reply:{outcome.proposal.hex()}:{outcome.outcome}"
        return Reply(key=key, run=self.run, tool=tool, arguments=arguments, outcome=outcome)

    def _draft(
        self, body: ProposalMade | PlanFinished, cause: Recorded, salt: str = "", settles: str = ""
    ) -> Draft:
        return Draft(
            body=body,
            run=self.run,
            causes=(cause.digest,),
            since=cause.event.at,
            salt=salt,
            settles=settles or salt,
            classification=Classification.CONFIDENTIAL,
        )


_BROKEN: Final = "not all of what belongs together was done; what was done is being undone"


def _broken(state: ServingState) -> Turn | None:
    """What to do of a run of all or nothing once not all can be had; None while all is well."""
    history = _together(state)
    return undoing(history) if history is not None else None


def _abandoned(state: ServingState) -> Turn | None:
    """The same where whoever called says that it has not succeeded."""
    history = _together(state)
    return given_up(history) if history is not None else None


def _together(state: ServingState) -> History | None:
    """The history of a run that is to do all or nothing."""
    lease = state.base.lease
    if lease is None or not lease.intent.together:
        return None
    return History(lease=lease, tools=_tools(state), steps=state.base.steps)


def _tools(state: ServingState) -> tuple[Tool, ...]:
    """The declarations of the lease's tools."""
    lease = state.base.lease
    return tuple(t for t in state.base.tools if lease is not None and t.name in lease.tools)


def _reply(run: str, call: Arrived, outcome: Outcome) -> Reply:
    return Reply(
        key=f"reply:{call.key}",
        run=run,
        tool=call.tool,
        arguments=call.arguments,
        outcome=outcome,
    )


def _same(waiting: Recorded, call: Arrived) -> bool:
    made = waiting.event.body
    return (
        isinstance(made, ProposalMade)
        and made.tool == call.tool
        and opened(made.arguments) == call.arguments
    )


def _steps(state: ServingState, proposal: bytes) -> list[Step]:
    """The step of one proposal, where there is one; the latest are looked at first."""
    return [step for step in reversed(state.base.steps) if step.proposal == proposal][:1]


_replace = msgspec.structs.replace
