"""What the sidecar remembers: a fold over the workspace's ledger.

Per live run: its request, lease, open proposals, actions under way and receipts owed.
Per workspace: policy, active reps, halts. A run is forgotten once it has ended and owes
nothing, so the state does not grow with the ledger. Maps are persistent (HAMT), so
folding an event costs the same however much is remembered.
"""

import msgspec
from immutables import Map
from msgspec import Struct

from bus.decider import Entry, Recorded, Refused
from schemas.actions import (
    ActionFinished,
    ActionRefused,
    ActionStarted,
    ApprovalDecided,
    ApprovalRequested,
    EntryRejected,
    ModelCalled,
    ModelRequested,
    ObservationRecorded,
    ProposalMade,
    ReceiptIssued,
    ReviewRequested,
    VerdictGiven,
)
from schemas.leases import Certificate, Lease
from schemas.names import NO_DIGEST, Role
from schemas.patterns import Response
from schemas.runs import (
    ContentKeyWrapped,
    HaltReleased,
    HaltScope,
    LeaseExpired,
    LeaseGranted,
    LeaseRenewed,
    LeaseRevoked,
    PolicySet,
    RepActivated,
    RepRevoked,
    RunCompleted,
    RunHalted,
    RunRefused,
    RunRequested,
)
from schemas.supervision import SupervisorFlagged, halted_by
from schemas.tools import Policy
from sidecar import undoing
from sidecar.destinations import watch as destinations
from sidecar.destinations.watch import Watch
from sidecar.gate.conduct import Spend, plus
from sidecar.gate.reading import Memory
from sidecar.gate.watching import under
from sidecar.memory.claims import Claims
from sidecar.memory.claims import evolve as claimed
from sidecar.passkeys import Passkeys
from sidecar.passkeys import evolve as known_passkeys
from sidecar.remembering import on_day, remember, spend_of
from sidecar.supervision.engine import SupervisionState, forget_run, forgive
from sidecar.transcripts import Heard
from sidecar.transcripts import evolve as hear
from sidecar.undoing import Undoings
from sidecar.waiting import Dues, Open, answered, with_run


class Acting(Struct, frozen=True, kw_only=True):
    """An action written ahead; `finished` once its outcome is recorded, then owes a receipt.

    `barred` is one before whose record stood a halt or its run's end: it was never begun. `halted`
    is one that a halt came upon. Neither may be done any more, also once the halt is released.
    """

    proposal: Recorded
    started: Recorded
    finished: Recorded | None = None
    barred: bool = False
    halted: bool = False


class RunState(Struct, frozen=True, kw_only=True):
    """One run. Maps are keyed by the digest of the proposal, `asked` by the model request's or
    the review's.

    `runtimes` are the certificates of every attempt: what an earlier attempt proposed while
    its key was in force still stands. `observed` are the entries that the gate's memory of the
    run was made of, in its order.
    """

    request: Recorded
    lease: Recorded | None = None
    runtimes: tuple[Certificate, ...] = ()
    keyed: bool = False
    ended: str = ""
    last_number: int = 0
    actions: int = 0
    proposals: Map[bytes, Open] = Map()
    acting: Map[bytes, Acting] = Map()
    asked: Map[bytes, Recorded] = Map()
    model_calls: int = 0
    reviews: int = 0
    memory: Memory = Memory()
    observed: tuple[bytes, ...] = ()
    undoings: Undoings = Map()


class SidecarState(Struct, frozen=True, kw_only=True):
    """One workspace. `policy_digest` is that of the `policy.set` in force. `supervision` is the
    gate's own pattern engine, `flags` the holds that the supervisor's process has on record (scope,
    target, pattern). `spent` is what was used up on `day` (days since the epoch, UTC). `watch` are
    the destinations whose owner is watched. `claims` are what the workspace remembers,
    `heard` what its devices sent of late, `passkeys` those that approve. `unrecorded` are the
    stream's invalid entries yet to be noted. `dues` follow from `runs` and `policy`.
    """

    workspace: str
    policy: Policy | None = None
    policy_digest: bytes = NO_DIGEST
    reps: Map[str, bool] = Map()
    halts: Map[tuple[HaltScope, str], bytes] = Map()
    runs: Map[str, RunState] = Map()
    dues: Dues = Map()
    supervision: SupervisionState = SupervisionState()
    flags: frozenset[tuple[HaltScope, str, str]] = frozenset()
    day: int = 0
    spent: Spend = Spend()
    watch: Watch = Watch()
    claims: Claims = Map()
    heard: Heard = Heard()
    passkeys: Passkeys = Passkeys()
    unrecorded: Map[int, Refused] = Map()


def lease_of(run: RunState) -> Lease | None:
    """The run's lease, whichever event last gave it."""
    if run.lease is None:
        return None
    body = run.lease.event.body
    return body.lease if isinstance(body, LeaseGranted | LeaseRenewed) else None


def halts_on(state: SidecarState, run: str, lease: Lease | None) -> tuple[str, ...]:
    """The halts that cover a run, as `scope target`."""
    scopes = [(HaltScope.PLATFORM, ""), (HaltScope.WORKSPACE, ""), (HaltScope.RUN, run)]
    if lease is not None:
        scopes += [(HaltScope.REP, lease.rep), (HaltScope.AGENT, lease.agent)]
    return tuple(
        f"{s.value} {target}".strip() for s, target in scopes if (s, target) in state.halts
    )


def flags_on(state: SidecarState, run: str, lease: Lease | None) -> tuple[str, ...]:
    """The supervisor's holds that cover a run, as `pattern on scope target`, sorted."""
    scopes = {(HaltScope.PLATFORM, ""), (HaltScope.WORKSPACE, ""), (HaltScope.RUN, run)}
    if lease is not None:
        scopes |= {(HaltScope.REP, lease.rep), (HaltScope.AGENT, lease.agent)}
    return tuple(
        sorted(
            f"{pattern} on {scope.value} {target}".strip()
            for scope, target, pattern in state.flags
            if (scope, target) in scopes
        )
    )


def evolve(state: SidecarState, entry: Entry) -> SidecarState:
    """The state after one entry."""
    if isinstance(entry, Refused):
        return _replace(state, unrecorded=state.unrecorded.set(entry.index, entry))
    body, run = entry.event.body, entry.event.run
    claims = claimed(state.claims, entry)
    if claims is not state.claims:
        state = _replace(state, claims=claims)
    heard = hear(state.heard, entry)
    if heard is not state.heard:
        state = _replace(state, heard=heard)
    if run is None:
        return _evolve_workspace(state, entry)
    if isinstance(body, RunRequested):
        if run in state.runs:
            return state
        return _replace(state, runs=state.runs.set(run, RunState(request=entry)))
    known = state.runs.get(run)
    if known is None:
        return state
    after = _evolve_run(known, entry)
    if after is known and not isinstance(body, ObservationRecorded):
        return state
    if isinstance(body, ActionStarted) and body.proposal in after.acting:
        after = _barred(state, run, after, body.proposal)
    state, after = _remembered(state, known, after, entry)
    if after.proposals is not known.proposals:
        state = _replace(state, dues=with_run(state.dues, run, after.proposals, state.policy))
    if after.ended and not after.proposals and not after.acting:
        return _replace(
            state,
            runs=state.runs.delete(run),
            supervision=forget_run(state.supervision, run),
            flags=frozenset(f for f in state.flags if f[:2] != (HaltScope.RUN, run)),
        )
    return _replace(state, runs=state.runs.set(run, after))


def _barred(state: SidecarState, name: str, run: RunState, proposal: bytes) -> RunState:
    """The run, with this action marked as never begun where something already forbids it."""
    acting = run.acting[proposal]
    if not run.ended and not halts_on(state, name, lease_of(run)):
        return run
    return _replace(run, acting=run.acting.set(proposal, _replace(acting, barred=True)))


def _remembered(
    state: SidecarState, before: RunState, after: RunState, entry: Recorded
) -> tuple[SidecarState, RunState]:
    """What the gate remembers of the run, and what the workspace has used up."""
    body, lease, policy = entry.event.body, lease_of(before), state.policy
    if lease is None or policy is None:
        return state, after
    memory, supervision = remember(
        before.memory,
        state.supervision,
        lease=lease,
        policy=policy,
        proposal=_proposal_of(before, body),
        entry=entry,
    )
    if isinstance(body, ActionStarted) and body.proposal in before.proposals:
        more = spend_of(before.proposals[body.proposal].proposal, policy)
        day, spent = on_day(state.day, state.spent, entry.event.at, more)
        state = _replace(state, day=day, spent=spent)
    if isinstance(body, ModelCalled) and body.request in before.asked:
        used = Spend(
            money=max(0, body.cost),
            tokens=max(0, body.input_tokens) + max(0, body.output_tokens),
        )
        day, spent = on_day(state.day, state.spent, entry.event.at, used)
        state = _replace(state, day=day, spent=spent)
        conduct = _replace(memory.conduct, spend=plus(memory.conduct.spend, used))
        memory = _replace(memory, conduct=conduct)
    undoings = undoing.after(before.undoings, body, _proposal_of(before, body), policy)
    if undoings is not before.undoings:
        after = _replace(after, undoings=undoings)
    observed = after.observed
    if memory.knowledge.observations > before.memory.knowledge.observations:
        observed = (*observed, entry.digest)
    after = _replace(after, memory=memory, observed=observed)
    return _replace(state, supervision=supervision), after


def _proposal_of(run: RunState, body: object) -> Recorded | None:
    """The proposal that an entry answers, while the run still remembers it."""
    if isinstance(body, ActionFinished):
        acting = run.acting.get(body.proposal)
        return acting.proposal if acting is not None and acting.finished is None else None
    if isinstance(body, ActionStarted | ActionRefused | ApprovalRequested | ApprovalDecided):
        waiting = run.proposals.get(body.proposal)
        return waiting.proposal if waiting is not None else None
    return None


def _evolve_workspace(state: SidecarState, entry: Recorded) -> SidecarState:
    body = entry.event.body
    passkeys = known_passkeys(state.passkeys, entry)
    if passkeys is not state.passkeys:
        return _replace(state, passkeys=passkeys)
    watch = destinations.evolve(state.watch, entry)
    if watch is not state.watch:
        state = _replace(state, watch=watch)
    if isinstance(body, PolicySet):
        supervision = under(body.policy, state.supervision)
        dues: Dues = Map()
        for name, run in state.runs.items():
            dues = with_run(dues, name, run.proposals, body.policy)
        return _replace(
            state,
            policy=body.policy,
            policy_digest=entry.digest,
            supervision=supervision,
            dues=dues,
        )
    if isinstance(body, RepActivated):
        return _replace(state, reps=state.reps.set(body.rep, True))
    if isinstance(body, RepRevoked):
        return _replace(state, reps=state.reps.set(body.rep, False))
    halted = halted_by(body)
    if halted is not None:
        scope, target, _ = halted
        return _halted(_replace(state, halts=state.halts.set((scope, target), entry.digest)))
    if isinstance(body, SupervisorFlagged) and body.response is Response.HOLD:
        flag = (body.scope, body.target, body.pattern)
        return _replace(state, flags=state.flags | {flag})
    if isinstance(body, HaltReleased):
        return _released(state, body)
    if isinstance(body, EntryRejected) and body.index in state.unrecorded:
        return _replace(state, unrecorded=state.unrecorded.delete(body.index))
    return state


def _halted(state: SidecarState) -> SidecarState:
    """Every action under way that a halt covers is marked as such: a release does not revive it."""
    runs = state.runs
    for name, run in runs.items():
        if run.acting and halts_on(state, name, lease_of(run)):
            marked = {
                proposal: _replace(acting, halted=True) for proposal, acting in run.acting.items()
            }
            runs = runs.set(name, _replace(run, acting=Map(marked)))
    return _replace(state, runs=runs) if runs is not state.runs else state


def _released(state: SidecarState, body: HaltReleased) -> SidecarState:
    """Halt, holds and half-met patterns of that scope and target are over."""
    key = (body.scope, body.target)
    return _replace(
        state,
        halts=state.halts.delete(key) if key in state.halts else state.halts,
        flags=frozenset(flag for flag in state.flags if flag[:2] != key),
        supervision=forgive(state.supervision, body.scope.value, body.target),
    )


def _evolve_run(run: RunState, entry: Recorded) -> RunState:
    body = entry.event.body
    if isinstance(body, LeaseGranted | LeaseRenewed):
        runtimes = tuple(key for key in body.lease.keys if key.role is Role.RUNTIME)
        return _replace(run, lease=entry, runtimes=(*run.runtimes, *runtimes), keyed=False)
    if isinstance(body, ContentKeyWrapped):
        # A key wrapped for a former attempt may come after the lease was renewed.
        current = run.lease is not None and run.lease.digest in entry.event.causes
        return _replace(run, keyed=True) if current else run
    if isinstance(body, RunCompleted | RunHalted | RunRefused | LeaseRevoked | LeaseExpired):
        return _replace(run, ended=run.ended or entry.event.type)
    if isinstance(body, ProposalMade):
        waiting = Open(proposal=entry, repeated=body.number <= run.last_number)
        return _replace(
            run,
            proposals=run.proposals.set(entry.digest, waiting),
            last_number=max(run.last_number, body.number),
        )
    if isinstance(body, ModelRequested):
        return _replace(
            run, asked=run.asked.set(entry.digest, entry), model_calls=run.model_calls + 1
        )
    if isinstance(body, ReviewRequested):
        return _replace(run, asked=run.asked.set(entry.digest, entry), reviews=run.reviews + 1)
    if isinstance(body, ModelCalled) and body.request in run.asked:
        return _replace(run, asked=run.asked.delete(body.request))
    if isinstance(body, VerdictGiven | ApprovalRequested | ApprovalDecided):
        waiting_or_none = run.proposals.get(body.proposal)
        if waiting_or_none is None:
            return run
        after = answered(waiting_or_none, entry)
        return _replace(run, proposals=run.proposals.set(body.proposal, after))
    if isinstance(body, ActionRefused) and body.proposal in run.proposals:
        return _replace(run, proposals=run.proposals.delete(body.proposal))
    if isinstance(body, ActionStarted) and body.proposal in run.proposals:
        acting = Acting(proposal=run.proposals[body.proposal].proposal, started=entry)
        return _replace(
            run,
            proposals=run.proposals.delete(body.proposal),
            acting=run.acting.set(body.proposal, acting),
            actions=run.actions + 1,
        )
    if isinstance(body, ActionFinished) and body.proposal in run.acting:
        before = run.acting[body.proposal]
        if before.finished is not None or before.started.digest != body.action:
            return run
        return _replace(run, acting=run.acting.set(body.proposal, _replace(before, finished=entry)))
    if isinstance(body, ReceiptIssued):
        for proposal, acting in run.acting.items():
            if acting.finished is not None and acting.finished.digest in entry.event.causes:
                return _replace(run, acting=run.acting.delete(proposal))
    return run


_replace = msgspec.structs.replace
