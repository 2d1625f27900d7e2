"""One run as an auditor remembers it, and the rules on it that need nothing else.

The first request, verdict and claim count, and the first answer after the question, as they
do at the gate. Written from the schemas alone: it shares no code with what it audits.
"""

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from crypto.trust import Verified
from schemas.actions import (
    ActionFinished,
    ActionOutcome,
    ActionRefused,
    ActionStarted,
    ApprovalDecided,
    ApprovalRequested,
    Decision,
    ProposalMade,
    Verdict,
    VerdictGiven,
)
from schemas.events import Event
from schemas.leases import Lease
from schemas.names import SECOND
from schemas.runs import (
    LeaseExpired,
    LeaseGranted,
    LeaseRenewed,
    LeaseRevoked,
    PlanFinished,
    RunCompleted,
    RunHalted,
    RunOutcome,
    RunRefused,
    RunRequested,
)
from schemas.tools import Effect, Policy

_FOLDED: Final = frozenset(
    (
        *(RunRequested, LeaseGranted, LeaseRenewed, LeaseRevoked, LeaseExpired, PlanFinished),
        *(ProposalMade, ActionRefused, VerdictGiven, ApprovalRequested, ApprovalDecided),
        *(RunCompleted, RunHalted, RunRefused),
    )
)
"""What a run is remembered by; the rest of its events is passed over at once."""

# Tuples, since a union in `isinstance` is made anew at each call.
_LEASES: Final = (LeaseGranted, LeaseRenewed)
_SAID: Final = (VerdictGiven, ApprovalRequested, ApprovalDecided)
_CUT: Final = (LeaseRevoked, LeaseExpired)
_ENDS: Final = (RunCompleted, RunHalted, RunRefused)


class Proposal(Struct):
    """An open proposal and what was said of it. `expires` is when a person should have answered,
    and `late` whether the answer came later, by the person's own clock. `approvals` are those in
    time, the first of each person, `denied` says whether anybody denied in time."""

    made: ProposalMade
    verdict: Verdict | None = None
    asked: bool = False
    expires: int = 0
    approval: Decision | None = None
    late: bool = False
    approvals: dict[str, ApprovalDecided] = {}
    denied: bool = False


class Finished(Struct, frozen=True):
    """The first outcome of an action, and where it stands."""

    index: int
    digest: bytes
    at: int
    body: ActionFinished


class Action(Struct):
    """An action begun. `void` says why it must have no effect, or is empty; `undoes` is the
    proposal whose action it was to undo.
    """

    index: int
    event: Event
    body: ActionStarted
    void: str
    undoes: bytes | None = None
    finished: Finished | None = None
    receipt: bytes = b""

    def outcome(self, seen: int) -> ActionOutcome | None:
        """What had come of it by the entry `seen`."""
        done = self.finished
        return done.body.outcome if done is not None and done.index <= seen else None


class Run(Struct):
    """One run. Maps are by digest: of the proposal, and of the `action.started`."""

    request: tuple[bytes, RunRequested] | None = None
    lease: Lease | None = None
    ended: str = ""
    over: bool = False
    claim: PlanFinished | None = None
    proposals: dict[bytes, Proposal] = {}
    actions: dict[bytes, Action] = {}

    @property
    def owes(self) -> bool:
        """Whether a decision, an outcome or a receipt is still to come."""
        return bool(self.proposals) or any(not a.receipt for a in self.actions.values())


def fold_run(run: Run, verified: Verified) -> None:
    """What counts is the first verdict, and the first answer after the question."""
    event, body = verified.event, verified.event.body
    if type(body) not in _FOLDED:
        return
    if isinstance(body, RunRequested):
        run.request = run.request or (verified.digest, body)
    elif isinstance(body, _LEASES):
        run.lease = body.lease
    elif isinstance(body, ProposalMade):
        run.proposals[verified.digest] = Proposal(body)
    elif isinstance(body, ActionRefused):
        run.proposals.pop(body.proposal, None)
    elif isinstance(body, _SAID):
        proposal = run.proposals.get(body.proposal)
        if proposal is None:
            return
        if isinstance(body, VerdictGiven):
            proposal.verdict = proposal.verdict or body.verdict
        elif isinstance(body, ApprovalRequested):
            proposal.expires = proposal.expires if proposal.asked else body.expires
            proposal.asked = True
        elif proposal.asked:
            _answered(proposal, event, body)
    elif isinstance(body, PlanFinished):
        run.claim = run.claim or body
    elif isinstance(body, _CUT):
        run.ended = run.ended or event.type
    elif isinstance(body, _ENDS):
        run.ended, run.over = run.ended or event.type, True


def _answered(proposal: Proposal, event: Event, body: ApprovalDecided) -> None:
    late = event.at >= proposal.expires
    if proposal.approval is None:
        proposal.approval, proposal.late = body.decision, late
    if not late and body.decision is Decision.APPROVE:
        proposal.approvals.setdefault(event.actor.instance, body)
    elif not late:
        proposal.denied = True


def lease_problem(event: Event, body: ActionStarted, run: Run) -> str:
    """In what the action is outside its lease, or the lease outside the rep's request."""
    lease = run.lease
    if lease is None or run.request is None:
        return "the action has no lease, or its run no request"
    digest, request = run.request
    if body.tool not in lease.tools:
        return f"the lease names no tool {body.tool}"
    if not lease.not_before <= event.at < lease.not_after:
        return "the action is outside its lease's time"
    if lease.request != digest or (lease.rep, lease.agent) != (request.rep, request.agent):
        return "the lease does not answer the run's signed request"
    wider = (
        lease.intent != request.intent
        or bool(set(lease.tools) - set(request.tools))
        or lease.not_after - lease.not_before > request.ttl_s * SECOND
        or lease.max_actions > request.max_actions
    )
    if wider:
        return "the lease carries more than the rep's signed request"
    if len(run.actions) >= lease.max_actions:
        return f"the lease allows {lease.max_actions} actions"
    return ""


def receipt_fields(
    action: Action, finished: Finished, workspace: str, lease: Lease | None
) -> dict[str, object]:
    """What the receipt of a finished action must say, field by field."""
    fields: dict[str, object] = {
        "workspace": workspace,
        "run": action.event.run,
        "tool": action.body.tool,
        "key": action.event.id,
        "index": action.index,
        "arguments": action.body.arguments,
        "outcome": finished.body.outcome,
        "evidence": finished.body.evidence,
        "at": finished.at,
    }
    if lease is not None:
        fields |= {"rep": lease.rep, "agent": lease.agent, "intent": lease.intent.summary}
    return fields


def unearned(seen: int, body: RunCompleted, run: Run) -> Iterator[str]:
    """Why a success is not what the ledger shows; `seen` is how far its writer had read."""
    confirmed: dict[bytes, bytes] = {}
    for action in run.actions.values():
        finished = action.finished
        if finished is None:
            continue
        if not action.receipt and finished.index <= seen:
            yield f"the success leaves the action at entry {action.index} without its receipt"
        elif action.receipt and finished.body.outcome is ActionOutcome.CONFIRMED:
            confirmed[action.receipt] = action.body.proposal
    if not body.receipts or set(body.receipts) - confirmed.keys():
        yield "the success rests on receipts that are missing or not confirmed"
    if run.claim is None or not run.claim.success:
        yield "the success answers no plan that was finished"
    elif set(run.claim.claims) - set(confirmed.values()):
        yield "the success claims effects without a confirmed receipt"


def misstated(
    seen: int, body: RunCompleted | RunHalted, run: Run, policy: Policy | None
) -> Iterator[str]:
    """Where the run's end says otherwise than the ledger what still stands of all or nothing.

    `policy` is the one that the end's writer had seen, as it had seen the entries up to `seen`.
    """
    stands = set() if _whole(body, run) else set(_standing(seen, run, policy))
    for left in sorted(run.actions[digest].index for digest in stands - set(body.standing)):
        yield f"the run's end keeps silent on the action at entry {left}, which stands"
    if set(body.standing) - stands:
        yield "the run's end says that actions stand which do not"


def _whole(body: RunCompleted | RunHalted, run: Run) -> bool:
    """Whether nothing can be left over: all was done, or nobody asked for all or nothing."""
    asked = run.request is not None and run.request[1].intent.together
    succeeded = isinstance(body, RunCompleted) and body.outcome is RunOutcome.SUCCESS
    return succeeded or not asked


def _standing(seen: int, run: Run, policy: Policy | None) -> Iterator[bytes]:
    begun = {digest: action for digest, action in run.actions.items() if action.index <= seen}
    undone = {a.undoes for a in begun.values() if a.outcome(seen) is ActionOutcome.CONFIRMED}
    tools = policy.tools if policy is not None else ()
    reads = {tool.name for tool in tools if tool.effect is Effect.READ}
    for digest, action in begun.items():
        left = action.outcome(seen) is not ActionOutcome.FAILED
        effect = action.undoes is None and action.body.tool not in reads
        if left and effect and action.body.proposal not in undone:
            yield digest
