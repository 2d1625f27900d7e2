"""What an entry of a run adds to the gate's memory of it, and to the pattern engine's facts.

Pure, and the same fold that `sidecar.gate.library` runs over a recording: what the run was
given to read, what it did, what the gate and people answered.
"""

from typing import Any

from bus.decider import Recorded
from schemas.actions import (
    ActionFinished,
    ActionOutcome,
    ActionRefused,
    ActionStarted,
    ApprovalDecided,
    ApprovalRequested,
    Decision,
    LayerOutcome,
    LayerResult,
    ObservationRecorded,
    ProposalMade,
)
from schemas.content import opened
from schemas.leases import Lease
from schemas.patterns import FactKind
from schemas.tools import Effect, Policy, Tool
from sidecar.gate.conduct import Spend, cost_of, plus
from sidecar.gate.parts import audience, parts
from sidecar.gate.reading import Memory, answered, began, failed, given
from sidecar.gate.watching import answer_fact, arrival_fact, proposed_fact, read_fact
from sidecar.gate.wish import read
from sidecar.supervision.engine import Fact, SupervisionState, observe

_DAY = 86_400 * 1_000_000_000


def remember(
    memory: Memory,
    supervision: SupervisionState,
    *,
    lease: Lease,
    policy: Policy,
    proposal: Recorded | None,
    entry: Recorded,
) -> tuple[Memory, SupervisionState]:
    """Both after `entry`. `proposal` is the proposal that the entry answers, if it does."""
    body, at = entry.event.body, entry.event.at
    wish = read(lease.intent)
    if isinstance(body, ObservationRecorded):
        content = opened(body.content)
        if content is None:
            return memory, supervision
        fact = arrival_fact(
            lease, content, body.sensitivity, trust=body.trust, at=at, digest=entry.digest
        )
        memory = given(memory, wish, content, trust=body.trust, sensitivity=body.sensitivity)
        return memory, observe(supervision, fact)[0]
    call = called(proposal, policy)
    if call is None or proposal is None:
        return memory, supervision
    tool, arguments = call
    if isinstance(body, ActionStarted):
        if tool.effect is not Effect.READ:
            # A read counts by what it brings, once it is finished.
            fact = fact_of(memory, lease, policy, proposal, tool, arguments, at)
            supervision = observe(supervision, fact)[0]
        seen = audience(tool, tuple(parts(tool, arguments)), policy)
        return began(memory, wish, tool, arguments, at, seen=seen), supervision
    if isinstance(body, ActionFinished):
        return _finished(memory, supervision, lease, policy, proposal, call, body, at)
    answer = _answer(body)
    if answer is None:
        return memory, supervision
    kind, layers = answer
    fact = answer_fact(lease, kind, tool.name, layers, at=at, digest=entry.digest)
    return memory, observe(supervision, fact)[0]


def spend_of(proposal: Recorded, policy: Policy) -> Spend:
    """What an action that was written ahead uses up."""
    call = called(proposal, policy)
    return cost_of(call[0], tuple(parts(*call))) if call is not None else Spend(calls=1)


def day_of(at: int) -> int:
    """The day (UTC) that an instant lies in, as days since the Unix epoch."""
    return at // _DAY


def on_day(day: int, spent: Spend, at: int, more: Spend) -> tuple[int, Spend]:
    """The day's spending after `more` at `at`; a new day begins at nothing."""
    today = day_of(at)
    return (today, plus(spent, more)) if today == day else (today, more)


def called(proposal: Recorded | None, policy: Policy) -> tuple[Tool, dict[str, Any]] | None:
    """The declared tool and the opened arguments of a proposal, None where either is missing."""
    body = proposal.event.body if proposal is not None else None
    if not isinstance(body, ProposalMade):
        return None
    arguments = opened(body.arguments)
    tool = next((one for one in policy.tools if one.name == body.tool), None)
    return (tool, arguments) if tool is not None and isinstance(arguments, dict) else None


def fact_of(
    memory: Memory,
    lease: Lease,
    policy: Policy,
    proposal: Recorded,
    tool: Tool,
    arguments: dict[str, Any],
    at: int,
) -> Fact:
    """A call as a fact for the pattern engine."""
    return proposed_fact(
        memory.knowledge,
        read(lease.intent),
        tool,
        arguments,
        lease=lease,
        policy=policy,
        at=at,
        digest=proposal.digest,
    )


def _finished(
    memory: Memory,
    supervision: SupervisionState,
    lease: Lease,
    policy: Policy,
    proposal: Recorded,
    call: tuple[Tool, dict[str, Any]],
    body: ActionFinished,
    at: int,
) -> tuple[Memory, SupervisionState]:
    tool, arguments = call
    if body.outcome is ActionOutcome.FAILED:
        memory = failed(memory, tool, arguments)
    content = opened(body.result)
    if content is None:
        return memory, supervision
    fact = fact_of(memory, lease, policy, proposal, tool, arguments, at)
    memory = answered(memory, read(lease.intent), tool, arguments, content)
    if tool.effect is Effect.READ:
        supervision = observe(supervision, read_fact(fact, content))[0]
    return memory, supervision


def _answer(body: object) -> tuple[FactKind, tuple[int, ...]] | None:
    if isinstance(body, ActionRefused):
        return FactKind.REFUSAL, _objecting(body.layers, LayerResult.REFUSE)
    if isinstance(body, ApprovalRequested):
        return FactKind.HOLD, _objecting(body.layers, LayerResult.HOLD)
    if isinstance(body, ApprovalDecided) and body.decision is Decision.APPROVE:
        return FactKind.APPROVAL, ()
    return None


def _objecting(layers: tuple[LayerOutcome, ...], result: LayerResult) -> tuple[int, ...]:
    return tuple(one.layer for one in layers if one.result is result)
