"""The judge's decider: one verdict for each proposal of its own run.

It sees the run's stream and the workspace's policy, holds no credential and calls no
tool. Proposals that an earlier attempt's judge answered are left alone.
"""

from collections.abc import Sequence

import msgspec
from immutables import Map
from msgspec import Struct

from bus.decider import Done, Draft, Effect, Entry, Input, Recorded, Tick
from judge.rules import judge
from schemas.actions import ActionRefused, ActionStarted, ProposalMade, VerdictGiven
from schemas.content import Sealed, plain, value_of
from schemas.leases import Lease
from schemas.names import Classification, Role
from schemas.runs import ContentKeyWrapped, LeaseGranted, LeaseRenewed, PolicySet
from schemas.tools import Policy


class JudgeState(Struct, frozen=True, kw_only=True):
    """One run. `waiting` are its proposals without a verdict, by digest, in order."""

    policy: Policy | None = None
    lease: Lease | None = None
    granted: bytes = b""
    keyed: bool = False
    waiting: Map[bytes, Recorded] = Map()


class JudgeDecider:
    """Judges the proposals of `run`, as the attempt that `instance` was certified for."""

    role = Role.JUDGE

    def __init__(self, run: str, instance: str) -> None:
        self.run = run
        self.instance = instance

    def initial(self, workspace: str) -> JudgeState:
        """Nothing known."""
        return JudgeState()

    def evolve(self, state: JudgeState, entry: Entry) -> JudgeState:
        """The state after one entry."""
        if not isinstance(entry, Recorded):
            return state
        body = entry.event.body
        if isinstance(body, PolicySet):
            return _replace(state, policy=body.policy)
        if entry.event.run != self.run:
            return state
        if isinstance(body, LeaseGranted | LeaseRenewed):
            return _replace(state, lease=body.lease, granted=entry.digest, keyed=False)
        if isinstance(body, ContentKeyWrapped) and state.granted in entry.event.causes:
            return _replace(state, keyed=True)
        if isinstance(body, ProposalMade):
            return _replace(state, waiting=state.waiting.set(entry.digest, entry))
        if isinstance(body, VerdictGiven | ActionRefused | ActionStarted):
            if body.proposal in state.waiting:
                return _replace(state, waiting=state.waiting.delete(body.proposal))
        return state

    def decide(self, state: JudgeState, given: Input, now: int) -> Sequence[Draft | Effect]:
        """Verdicts for what waits for one."""
        lease = state.lease
        if not state.keyed or lease is None or isinstance(given, Done):
            return ()
        if all(key.instance != self.instance for key in lease.keys):
            return ()
        if isinstance(given, Recorded) and given.digest in state.waiting:
            return [self._verdict(state, state.waiting[given.digest])]
        keyed = isinstance(given, Recorded) and isinstance(given.event.body, ContentKeyWrapped)
        if isinstance(given, Tick) or keyed:
            waiting = sorted(state.waiting.values(), key=lambda recorded: recorded.index)
            return [self._verdict(state, recorded) for recorded in waiting]
        return ()

    def revise(self, state: JudgeState, effect: Effect) -> Effect:
        """A judge has no effects."""
        return effect

    def wake_at(self, state: JudgeState) -> int | None:
        """Nothing is ever due by time alone."""
        return None

    def recall(self, state: JudgeState, recorded: Recorded) -> Done | None:
        """Verdicts by rule rest on no effect."""
        return None

    def _verdict(self, state: JudgeState, recorded: Recorded) -> Draft:
        proposal = recorded.event.body
        assert isinstance(proposal, ProposalMade)
        assert state.lease is not None and state.policy is not None
        sealed = isinstance(proposal.arguments, Sealed)
        arguments = None if sealed else value_of(proposal.arguments)
        tool = next((t for t in state.policy.tools if t.name == proposal.tool), None)
        judgement = judge(
            tool if proposal.tool in state.lease.tools else None,
            arguments if isinstance(arguments, dict) else None,
            state.lease.intent,
            state.policy,
        )
        change = judgement.change
        return Draft(
            body=VerdictGiven(
                proposal=recorded.digest,
                verdict=judgement.verdict,
                reason=judgement.reason,
                change=plain(change) if change is not None else None,
                question=judgement.question,
            ),
            run=self.run,
            causes=(recorded.digest,),
            since=recorded.event.at,
            classification=(
                Classification.CONFIDENTIAL if change is not None else Classification.INTERNAL
            ),
        )


_replace = msgspec.structs.replace
