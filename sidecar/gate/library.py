"""The gate without bus or processes: the decisions it gives on a recorded run.

`decide_run` takes a policy, a lease and what happened in order, all as schemas' types, and
gives each proposal's decision. It is the very fold and the very layers that the sidecar runs.
What a recording does not hold is said, not assumed: where it has no verdict of a judge, layer
14 answers `not asked`.
"""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec
from immutables import Map
from msgspec import Struct

from bus.decider import Recorded
from schemas.actions import (
    ApprovalDecided,
    LayerResult,
    ObservationRecorded,
    ProposalMade,
    VerdictGiven,
)
from schemas.content import opened
from schemas.events import Actor, AnyBody, Event
from schemas.leases import Certificate, Lease
from schemas.names import NO_DIGEST, SECOND, Classification, Role
from schemas.patterns import FactKind, Response
from schemas.runs import (
    HaltEngaged,
    HaltReleased,
    HaltScope,
    LeaseRevoked,
    RepRevoked,
    RunRequested,
)
from schemas.tools import Effect, Policy, Tool
from sidecar.destinations.schedule import Destination
from sidecar.gate.conduct import Spend, cost_of, plus
from sidecar.gate.gate import LAYERS, GateResult, Layer, evaluate
from sidecar.gate.outcome import Case
from sidecar.gate.reading import Memory, answered, began, given
from sidecar.gate.watching import answer_fact, arrival_fact, proposed_fact, read_fact, under
from sidecar.gate.wish import read
from sidecar.supervision.engine import Fact, SupervisionState, would_match
from sidecar.supervision.engine import observe as observe_fact

PACE_NS: Final = SECOND
"""How far apart two steps of a recording are taken to be where it does not say."""


class Step(Struct, frozen=True, kw_only=True):
    """One thing that happened. `at` is its time (ns since the epoch), None for a second after
    the step before; `dated` the producer's own clock where it differs. `by` is who signed it
    where it was not the lease's own runtime, judge or rep.
    """

    body: AnyBody
    at: int | None = None
    dated: int | None = None
    by: str = ""


class Recording(Struct, frozen=True, kw_only=True):
    """A run so far. `proposals` are those made, by number; `last` the highest number."""

    policy: Policy
    lease: Lease
    memory: Memory = Memory()
    day: Spend = Spend()
    now: int = 0
    last: int = 0
    supervision: SupervisionState = SupervisionState()
    halts: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    ended: str = ""
    rep_active: bool = True
    judged: bool = False
    owned: Map[str, Destination] = Map()
    proposals: Map[int, ProposalMade] = Map()
    verdicts: Map[bytes, Recorded] = Map()
    approvals: Map[bytes, tuple[Recorded, ...]] = Map()
    began: frozenset[int] = frozenset()


def decide_run(
    policy: Policy,
    lease: Lease,
    sequence: Iterable[AnyBody | Step],
    *,
    layers: tuple[tuple[str, Layer], ...] = LAYERS,
) -> tuple[GateResult, ...]:
    """The decision on each `proposal.made` of `sequence`, in order.

    `sequence` holds, as schemas' types, what a run consists of: `ObservationRecorded` (with
    `answers` the number of the proposal it is the result of, or 0 for what came by itself),
    `ProposalMade`, and where a recording has them `VerdictGiven`, `ApprovalDecided`,
    `HaltEngaged`, `HaltReleased`, `LeaseRevoked`, `RepRevoked`. A verdict names its proposal by
    `proposal_digest`; one that comes before its proposal is kept for it; an approval that comes
    after it decides the proposal anew. A proposal that passes counts as done.

    Contents must be `Plain`; a `Sealed` one is a proposal that does not open. Raises nothing
    for any proposal: what cannot be judged is refused.
    """
    recording = start(policy, lease)
    made: list[ProposalMade] = []
    results: list[GateResult] = []
    for step in _steps(sequence):
        recording = advance(recording, step)
        body = step.body
        if isinstance(body, ProposalMade):
            result, recording = propose(recording, body, step=step, layers=layers)
            made.append(body)
            results.append(result)
        elif isinstance(body, ApprovalDecided):
            for place, proposal in enumerate(made):
                held = results[place].result is LayerResult.HOLD
                if held and proposal_digest(proposal) == body.proposal:
                    result, recording = propose(recording, proposal, again=True, layers=layers)
                    results[place] = result
    return tuple(results)


def start(policy: Policy, lease: Lease, *, owned: Map[str, Destination] | None = None) -> Recording:
    """A run at the moment its lease begins."""
    return Recording(
        policy=policy,
        lease=lease,
        now=lease.not_before,
        owned=owned or Map(),
        supervision=under(policy, SupervisionState()),
    )


def advance(recording: Recording, step: Step) -> Recording:
    """The run after one step that is no proposal; a proposal only moves the clock."""
    body = step.body
    now = step.at if step.at is not None else recording.now + PACE_NS
    recording = _replace(recording, now=now)
    if isinstance(body, ObservationRecorded):
        return observed(recording, body)
    if isinstance(body, VerdictGiven):
        said = _recorded(recording, body, Role.JUDGE, step.by or "judge", now)
        verdicts = recording.verdicts.set(body.proposal, said)
        return _replace(recording, verdicts=verdicts, judged=True)
    if isinstance(body, ApprovalDecided):
        said = _recorded(recording, body, Role.REP, step.by or recording.lease.rep, now)
        before = recording.approvals.get(body.proposal, ())
        return _replace(
            recording, approvals=recording.approvals.set(body.proposal, (*before, said))
        )
    if isinstance(body, HaltEngaged) and _covers(body.scope, body.target, recording.lease):
        halt = f"{body.scope.value} {body.target}".strip()
        return _replace(recording, halts=(*recording.halts, halt))
    if isinstance(body, HaltReleased):
        halt = f"{body.scope.value} {body.target}".strip()
        left = tuple(one for one in recording.halts if one != halt)
        return _replace(recording, halts=left)
    if isinstance(body, LeaseRevoked):
        return _replace(recording, ended="lease.revoked")
    if isinstance(body, RepRevoked) and body.rep == recording.lease.rep:
        return _replace(recording, rep_active=False)
    return recording


def observed(recording: Recording, body: ObservationRecorded) -> Recording:
    """After the runtime was given something to read."""
    wish = read(recording.lease.intent)
    made = recording.proposals.get(body.answers) if body.answers else None
    tool = _tool(recording, made.tool) if made is not None else None
    content = opened(body.content)
    if content is None:
        return recording
    if made is None or tool is None:
        memory = given(
            recording.memory,
            wish,
            content,
            trust=body.trust,
            sensitivity=body.sensitivity,
        )
        fact = arrival_fact(
            recording.lease,
            content,
            body.sensitivity,
            trust=body.trust,
            at=recording.now,
            digest=NO_DIGEST,
        )
    else:
        memory = answered(recording.memory, wish, tool, _arguments(made) or {}, content)
        fact = read_fact(_fact(recording, made, tool), content)
        if tool.effect is not Effect.READ:
            return _replace(recording, memory=memory)
    return _replace(
        recording, memory=memory, supervision=observe_fact(recording.supervision, fact)[0]
    )


def propose(
    recording: Recording,
    proposal: ProposalMade,
    *,
    step: Step | None = None,
    again: bool = False,
    layers: tuple[tuple[str, Layer], ...] = LAYERS,
) -> tuple[GateResult, Recording]:
    """The decision on one proposal, and the run after it. `again` decides one that was made."""
    case = case_of(recording, proposal, step=step, again=again)
    result = evaluate(case, layers)
    after = _replace(
        recording,
        last=max(recording.last, proposal.number),
        proposals=recording.proposals.set(proposal.number, proposal),
    )
    if result.result is not LayerResult.PASS or case.tool is None or case.arguments is None:
        return result, _answered(after, proposal, result)
    memory = began(
        recording.memory,
        read(recording.lease.intent),
        case.tool,
        case.arguments,
        recording.now,
        seen=case.seen,
    )
    day = plus(recording.day, cost_of(case.tool, case.said))
    counted = recording.began | {proposal.number}
    supervision = recording.supervision
    if case.tool.effect is not Effect.READ:
        supervision = observe_fact(supervision, _fact(recording, proposal, case.tool))[0]
    return result, _replace(after, memory=memory, day=day, began=counted, supervision=supervision)


def case_of(
    recording: Recording, proposal: ProposalMade, *, step: Step | None = None, again: bool = False
) -> Case:
    """All that the gate may look at for one proposal of a recording."""
    lease = recording.lease
    digest = proposal_digest(proposal)
    runtime = next((key for key in lease.keys if key.role is Role.RUNTIME), _runtime(lease))
    by = step.by if step is not None and step.by else runtime.instance
    dated = step.dated if step is not None and step.dated is not None else recording.now
    made = _recorded(recording, proposal, Role.RUNTIME, by, dated, digest=digest)
    tool = _tool(recording, proposal.tool)
    answers = recording.approvals.get(digest, ())
    opened = tool is not None and _arguments(proposal) is not None
    fact = _fact(recording, proposal, tool) if opened and tool is not None else None
    return Case(
        now=recording.now,
        recorded=made,
        proposal=proposal,
        arguments=_arguments(proposal),
        policy=recording.policy,
        lease=lease,
        request=_request(recording),
        rep_active=recording.rep_active,
        lease_ended=recording.ended,
        lease_key=runtime,
        tool=tool,
        halts=recording.halts,
        actions=len(recording.began),
        repeated=not again and proposal.number <= recording.last,
        verdict=recording.verdicts.get(digest),
        approval=answers[-1] if answers else None,
        more=answers[:-1],
        knowledge=recording.memory.knowledge,
        conduct=recording.memory.conduct,
        day=recording.day,
        owned=recording.owned,
        matches=would_match(recording.supervision, fact) if fact is not None else (),
        flags=recording.flags,
        reviewed=recording.judged,
    )


def proposal_digest(proposal: ProposalMade) -> bytes:
    """How a verdict or approval in a recording names its proposal: SHA-256 of its msgpack."""
    return hashlib.sha256(msgspec.msgpack.encode(proposal)).digest()


def _covers(scope: HaltScope, target: str, lease: Lease) -> bool:
    """Whether a halt of that scope and target covers the lease's run."""
    covered = {
        HaltScope.RUN: lease.run,
        HaltScope.REP: lease.rep,
        HaltScope.AGENT: lease.agent,
    }
    return target == covered.get(scope, target)


def _steps(sequence: Iterable[AnyBody | Step]) -> Iterator[Step]:
    for one in sequence:
        yield one if isinstance(one, Step) else Step(body=one)


def _arguments(proposal: ProposalMade) -> dict[str, object] | None:
    value = opened(proposal.arguments)
    return value if isinstance(value, dict) else None


def _fact(recording: Recording, proposal: ProposalMade, tool: Tool) -> Fact:
    return proposed_fact(
        recording.memory.knowledge,
        read(recording.lease.intent),
        tool,
        _arguments(proposal) or {},
        lease=recording.lease,
        policy=recording.policy,
        at=recording.now,
        digest=proposal_digest(proposal),
    )


def _answered(recording: Recording, proposal: ProposalMade, result: GateResult) -> Recording:
    """After the gate objected; what that completes stands, as the supervisor would have it."""
    objecting = tuple(one.layer for one in result.layers if one.result is result.result)
    kind = FactKind.REFUSAL if result.result is LayerResult.REFUSE else FactKind.HOLD
    fact = answer_fact(
        recording.lease,
        kind,
        proposal.tool,
        objecting,
        at=recording.now,
        digest=proposal_digest(proposal),
    )
    supervision, matches = observe_fact(recording.supervision, fact)
    held = {match.pattern for match in matches if match.response is not Response.FLAG}
    flags = (*recording.flags, *sorted(held - set(recording.flags)))
    return _replace(recording, supervision=supervision, flags=flags)


def _tool(recording: Recording, name: str) -> Tool | None:
    return next((tool for tool in recording.policy.tools if tool.name == name), None)


def _runtime(lease: Lease) -> Certificate:
    return Certificate(
        key_id=bytes(16),
        public_key=bytes(32),
        role=Role.RUNTIME,
        instance="runtime",
        not_before=lease.not_before,
        not_after=lease.not_after,
        run=lease.run,
    )


def _request(recording: Recording) -> Recorded:
    """The request that the lease says it answers: what a recording's lease is taken on."""
    lease = recording.lease
    body = RunRequested(
        rep=lease.rep,
        agent=lease.agent,
        intent=lease.intent,
        tools=lease.tools,
        ttl_s=max(1, (lease.not_after - lease.not_before) // SECOND),
        max_actions=lease.max_actions,
    )
    at = lease.not_before
    return _recorded(recording, body, Role.REP, lease.rep, at, digest=lease.request)


def _recorded(
    recording: Recording,
    body: AnyBody,
    role: Role,
    instance: str,
    at: int,
    *,
    digest: bytes = NO_DIGEST,
) -> Recorded:
    event = Event(
        id="00000000-0000-7000-8000-000000000000",
        workspace="recording",
        run=recording.lease.run,
        actor=Actor(role, instance),
        n=0,
        prev=NO_DIGEST,
        causes=(),
        seen=0,
        at=at,
        classification=Classification.INTERNAL,
        body=body,
    )
    return Recorded(0, digest, event, event)


_replace = msgspec.structs.replace
