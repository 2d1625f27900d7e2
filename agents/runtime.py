"""The runtime's decider: asks its planner for the next turn, and waits for what comes of it.

It holds no credential and is assumed to be fully compromised: everything it says is a
proposal. One proposal is open at a time. A later attempt folds what the earlier ones did
and goes on from there.
"""

from collections.abc import Sequence

import msgspec
from immutables import Map
from msgspec import Struct

from agents.planners.planner import Answer, Ask, Finish, History, Planner, Propose, Step, Turn
from agents.undoing import given_up, undoing
from bus.decider import Done, Draft, Effect, Entry, Input, Recorded, Tick
from schemas.actions import (
    ActionFinished,
    ActionRefused,
    ApprovalDecided,
    ModelCalled,
    ModelRequested,
    ProposalMade,
    VerdictGiven,
)
from schemas.content import Sealed, opened, plain, value_of
from schemas.leases import Lease
from schemas.names import Classification, Role
from schemas.runs import (
    ContentKeyWrapped,
    LeaseGranted,
    LeaseRenewed,
    PlanFinished,
    PolicySet,
    RunCompleted,
    RunHalted,
)
from schemas.tools import Tool


class RuntimeState(Struct, frozen=True, kw_only=True):
    """One run. `last` is the event that the next turn answers."""

    tools: tuple[Tool, ...] = ()
    lease: Lease | None = None
    granted: bytes = b""
    last: Recorded | None = None
    keyed: bool = False
    over: bool = False
    number: int = 0
    waiting: Map[bytes, Recorded] = Map()
    changes: Map[bytes, dict[str, object]] = Map()
    wanted: Map[bytes, str] = Map()
    steps: tuple[Step, ...] = ()
    answers: tuple[Answer, ...] = ()


class RuntimeDecider:
    """Runs `planner` for `run`, as the attempt that `instance` was certified for."""

    role = Role.RUNTIME

    def __init__(self, run: str, instance: str, planner: Planner) -> None:
        self.run = run
        self.instance = instance
        self.planner = planner

    def initial(self, workspace: str) -> RuntimeState:
        """Nothing known."""
        return RuntimeState()

    def evolve(self, state: RuntimeState, entry: Entry) -> RuntimeState:
        """The state after one entry."""
        return evolve(self.run, state, entry)

    def decide(self, state: RuntimeState, given: Input, now: int) -> Sequence[Draft | Effect]:
        """The next turn, once nothing is open."""
        if isinstance(given, Done) or state.over or state.waiting or not state.keyed:
            return ()
        assert state.lease is not None and state.last is not None
        if not isinstance(given, Tick | Recorded):
            return ()
        if isinstance(given, Recorded) and given.digest != state.last.digest:
            return ()
        if all(key.instance != self.instance for key in state.lease.keys):
            return ()
        tools = tuple(tool for tool in state.tools if tool.name in state.lease.tools)
        history = History(lease=state.lease, tools=tools, steps=state.steps, answers=state.answers)
        turn = _turn(self.planner, history)
        cause = state.last
        confidential = Classification.CONFIDENTIAL
        if isinstance(turn, Propose):
            proposal = ProposalMade(
                number=state.number + 1,
                tool=turn.tool,
                arguments=plain(turn.arguments),
                purpose=plain(turn.purpose[:4096]),
                compensates=turn.compensates,
            )
            return [self._draft(proposal, cause, confidential)]
        if isinstance(turn, Ask):
            asked = ModelRequested(number=state.number + 1, prompt=plain(turn.messages))
            return [self._draft(asked, cause, confidential)]
        finish = PlanFinished(
            success=turn.success, summary=plain(turn.summary[:4096]), claims=turn.claims
        )
        return [self._draft(finish, cause, confidential)]

    def revise(self, state: RuntimeState, effect: Effect) -> Effect:
        """A runtime has no effects."""
        return effect

    def wake_at(self, state: RuntimeState) -> int | None:
        """Nothing is ever due by time alone."""
        return None

    def recall(self, state: RuntimeState, recorded: Recorded) -> Done | None:
        """Proposals rest on no effect."""
        return None

    def _draft(
        self,
        body: ProposalMade | ModelRequested | PlanFinished,
        cause: Recorded,
        classification: Classification,
    ) -> Draft:
        return Draft(
            body=body,
            run=self.run,
            causes=(cause.digest,),
            since=cause.event.at,
            classification=classification,
            settles="turn",
        )


def _turn(planner: Planner, history: History) -> Turn:
    """The planner's turn, unless all or nothing was asked for and not all can be had any more."""
    if not history.lease.intent.together:
        return planner.next(history)
    turn = undoing(history) or planner.next(history)
    if isinstance(turn, Finish) and not turn.success:
        return given_up(history)
    return turn


def evolve(run: str, state: RuntimeState, entry: Entry) -> RuntimeState:
    """The state of `run` after one entry."""
    if not isinstance(entry, Recorded):
        return state
    body = entry.event.body
    if isinstance(body, PolicySet):
        return _replace(state, tools=body.policy.tools)
    if entry.event.run != run:
        return state
    if isinstance(body, LeaseGranted | LeaseRenewed):
        return _replace(state, lease=body.lease, granted=entry.digest, keyed=False)
    if isinstance(body, ContentKeyWrapped) and state.granted in entry.event.causes:
        return _replace(state, keyed=True, last=entry)
    if isinstance(body, PlanFinished | RunCompleted | RunHalted):
        return _replace(state, over=True)
    if isinstance(body, ProposalMade | ModelRequested):
        return _replace(
            state,
            number=max(state.number, body.number),
            waiting=state.waiting.set(entry.digest, entry),
        )
    if isinstance(body, VerdictGiven) and body.change is not None:
        if not isinstance(body.change, Sealed):
            change = value_of(body.change)
            return _replace(state, changes=state.changes.set(body.proposal, change))
    if isinstance(body, ApprovalDecided) and body.change is not None:
        words = opened(body.change)
        first = body.proposal in state.waiting and body.proposal not in state.wanted
        if first and isinstance(words, str):
            return _replace(state, wanted=state.wanted.set(body.proposal, words))
        return state
    if isinstance(body, ActionFinished | ActionRefused) and body.proposal in state.waiting:
        return _stepped(state, entry, body)
    if isinstance(body, ModelCalled) and body.request in state.waiting:
        text = "" if isinstance(body.answer, Sealed) else str(value_of(body.answer))
        return _replace(
            state,
            last=entry,
            waiting=state.waiting.delete(body.request),
            answers=(*state.answers, Answer(text=text, error=body.error)),
        )
    return state


def _stepped(
    state: RuntimeState, entry: Recorded, body: ActionFinished | ActionRefused
) -> RuntimeState:
    made = state.waiting[body.proposal].event.body
    assert isinstance(made, ProposalMade)
    finished = isinstance(body, ActionFinished)
    result = None
    if isinstance(body, ActionFinished) and not isinstance(body.result, Sealed):
        result = value_of(body.result)
    step = Step(
        proposal=body.proposal,
        tool=made.tool,
        arguments={} if isinstance(made.arguments, Sealed) else value_of(made.arguments),
        outcome=body.outcome.value if isinstance(body, ActionFinished) else "refused",
        result=result,
        reason=body.detail if isinstance(body, ActionFinished) else body.reason,
        change=None if finished else state.changes.get(body.proposal),
        wanted="" if finished else state.wanted.get(body.proposal, ""),
        compensates=made.compensates,
    )
    return _replace(
        state,
        last=entry,
        waiting=state.waiting.delete(body.proposal),
        steps=(*state.steps, step),
    )


_replace = msgspec.structs.replace
