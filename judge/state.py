"""What the judge remembers of its run: a fold over the run's stream.

The proposals without a verdict with the reviews asked about them, and the latest of what
the agent was given to read. Pure, total, and bounded but for open proposals.
"""

import msgspec
from immutables import Map
from msgspec import Struct

from bus.decider import Recorded
from judge.sources import Sources, with_source
from schemas.actions import (
    ActionFinished,
    ActionRefused,
    ActionStarted,
    ModelCalled,
    ObservationRecorded,
    ProposalMade,
    ReviewRequested,
    VerdictGiven,
)
from schemas.content import opened
from schemas.leases import Lease
from schemas.runs import ContentKeyWrapped, LeaseGranted, LeaseRenewed, PolicySet
from schemas.tools import Policy, Trust


class Waiting(Struct, frozen=True, kw_only=True):
    """A proposal without a verdict. `asked` is its latest review, `said` that one's answer."""

    proposal: Recorded
    asked: Recorded | None = None
    said: Recorded | None = None
    attempts: int = 0


class JudgeState(Struct, frozen=True, kw_only=True):
    """One run. `waiting` are its proposals without a verdict, by digest; `reviews` says which
    of them a review is about, by the review's digest; `acting` which tool an action runs, by
    its proposal's.
    """

    policy: Policy | None = None
    lease: Lease | None = None
    granted: bytes = b""
    keyed: bool = False
    waiting: Map[bytes, Waiting] = Map()
    reviews: Map[bytes, bytes] = Map()
    acting: Map[bytes, str] = Map()
    sources: Sources = ()


def evolve(state: JudgeState, run: str, entry: Recorded) -> JudgeState:
    """The state of the judge of `run` after one entry."""
    body = entry.event.body
    if isinstance(body, PolicySet):
        return _replace(state, policy=body.policy)
    if entry.event.run != run:
        return state
    if isinstance(body, LeaseGranted | LeaseRenewed):
        return _replace(state, lease=body.lease, granted=entry.digest, keyed=False)
    if isinstance(body, ContentKeyWrapped) and state.granted in entry.event.causes:
        return _replace(state, keyed=True)
    if isinstance(body, ProposalMade):
        waiting = Waiting(proposal=entry)
        return _replace(state, waiting=state.waiting.set(entry.digest, waiting))
    if isinstance(body, ReviewRequested):
        return _asked(state, entry, body)
    if isinstance(body, ModelCalled) and body.request in state.reviews:
        proposal = state.reviews[body.request]
        answered = _replace(state.waiting[proposal], said=entry)
        return _replace(
            state,
            waiting=state.waiting.set(proposal, answered),
            reviews=state.reviews.delete(body.request),
        )
    if isinstance(body, ActionStarted):
        state = _replace(state, acting=state.acting.set(body.proposal, body.tool))
    if isinstance(body, VerdictGiven | ActionRefused | ActionStarted):
        return _settled(state, body.proposal)
    return _informed(state, body)


def _asked(state: JudgeState, entry: Recorded, body: ReviewRequested) -> JudgeState:
    waiting = state.waiting.get(body.proposal)
    if waiting is None:
        return state
    asked = _replace(waiting, asked=entry, said=None, attempts=max(waiting.attempts, body.attempt))
    return _replace(
        state,
        waiting=state.waiting.set(body.proposal, asked),
        reviews=state.reviews.set(entry.digest, body.proposal),
    )


def _settled(state: JudgeState, proposal: bytes) -> JudgeState:
    """A proposal that has its verdict, or needs none any more, is forgotten with its reviews."""
    waiting = state.waiting.get(proposal)
    if waiting is None:
        return state
    asked, reviews = waiting.asked, state.reviews
    if asked is not None and asked.digest in reviews:
        reviews = reviews.delete(asked.digest)
    return _replace(state, waiting=state.waiting.delete(proposal), reviews=reviews)


def _informed(state: JudgeState, body: object) -> JudgeState:
    """What the agent was given to read, remembered for the remarks."""
    if isinstance(body, ObservationRecorded):
        content = opened(body.content)
        return _replace(state, sources=with_source(state.sources, "", body.trust, content))
    if isinstance(body, ActionFinished) and body.proposal in state.acting:
        name, policy = state.acting[body.proposal], state.policy
        tools = policy.tools if policy is not None else ()
        trust = next((t.trust for t in tools if t.name == name), Trust.UNTRUSTED)
        sources = with_source(state.sources, name, trust, opened(body.result))
        return _replace(state, acting=state.acting.delete(body.proposal), sources=sources)
    return state


_replace = msgspec.structs.replace
