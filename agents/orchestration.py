"""What the orchestrator remembers: policy, reps, halts, and each live run.

A run is dropped once it has ended; of ended runs only the names are kept, so that none is
ever run twice.
"""

import msgspec
from immutables import Map
from msgspec import Struct

from agents.parking import Waits, park_at
from agents.parking import evolve as waiting
from bus.decider import Entry, Recorded
from schemas.actions import (
    ActionFinished,
    ActionOutcome,
    ActionRefused,
    ActionStarted,
    ProposalMade,
    ReceiptIssued,
    Verdict,
    VerdictGiven,
)
from schemas.leases import Lease
from schemas.runs import (
    HaltReleased,
    HaltScope,
    LeaseExpired,
    LeaseGranted,
    LeaseRenewed,
    LeaseRevoked,
    PlanFinished,
    PolicySet,
    RepActivated,
    RepRevoked,
    RunCompleted,
    RunHalted,
    RunRefused,
    RunRequested,
    RunStarted,
)
from schemas.supervision import halted_by
from schemas.tools import Policy


class Deed(Struct, frozen=True, kw_only=True):
    """One action of the run: what came of it, and its receipt."""

    tool: str
    started: bytes
    finished: bytes | None = None
    outcome: ActionOutcome | None = None
    receipt: bytes | None = None


class LiveRun(Struct, frozen=True, kw_only=True):
    """One run. `deeds` is keyed by the proposal's digest, and `owing` has those without a receipt;
    `undoings` leads from a proposal to the one whose action it is to undo.
    """

    request: Recorded
    lease: Recorded | None = None
    started: int = 0
    claim: Recorded | None = None
    deeds: Map[bytes, Deed] = Map()
    owing: frozenset[bytes] = frozenset()
    undoings: Map[bytes, bytes] = Map()
    stopped_by: Recorded | None = None
    stop_refused: bool = False
    waits: Waits = Waits()


class OrchestratorState(Struct, frozen=True, kw_only=True):
    """One workspace. `dues` say of each run when (ns) something falls due by time alone: they
    follow from `runs` and `policy`, and are kept since they are asked for after every event.
    """

    workspace: str
    policy: Policy | None = None
    reps: Map[str, bool] = Map()
    halts: Map[tuple[HaltScope, str], Recorded] = Map()
    runs: Map[str, LiveRun] = Map()
    ended: Map[str, bool] = Map()
    dues: Map[str, int] = Map()


def lease_of(run: LiveRun) -> Lease | None:
    """The run's lease, or None before it was granted."""
    if run.lease is None:
        return None
    body = run.lease.event.body
    return body.lease if isinstance(body, LeaseGranted | LeaseRenewed) else None


def halt_on(state: OrchestratorState, name: str, rep: str, agent: str) -> Recorded | None:
    """A halt that covers such a run, or None."""
    scopes = (
        (HaltScope.PLATFORM, ""),
        (HaltScope.WORKSPACE, ""),
        (HaltScope.RUN, name),
        (HaltScope.REP, rep),
        (HaltScope.AGENT, agent),
    )
    return next((state.halts[s] for s in scopes if s in state.halts), None)


def parked_at(run: LiveRun, policy: Policy | None) -> int | None:
    """When a run is to be parked; None where it is not up, is parked, or has something to do."""
    lease = lease_of(run)
    if lease is None or policy is None or run.claim is not None:
        return None
    if run.started != lease.attempt or run.waits.parked == lease.attempt:
        return None
    if run.owing:
        return None
    return park_at(run.waits, policy.park_s)


def evolve(state: OrchestratorState, entry: Entry) -> OrchestratorState:
    """The state after one entry."""
    if not isinstance(entry, Recorded):
        return state
    body, name = entry.event.body, entry.event.run
    if name is None:
        return _evolve_workspace(state, entry)
    if isinstance(body, RunRequested):
        if name in state.runs or name in state.ended:
            return state
        return _with(state, name, LiveRun(request=entry))
    run = state.runs.get(name)
    if run is None:
        return state
    if isinstance(body, RunCompleted | RunHalted | RunRefused):
        return _replace(
            state,
            runs=state.runs.delete(name),
            ended=state.ended.set(name, True),
            dues=_with_due(state.dues, name, None),
        )
    after = _evolve_run(run, entry)
    waits = waiting(after.waits, entry, lease_of(run))
    if waits is not after.waits:
        after = _replace(after, waits=waits)
    return state if after is run else _with(state, name, after)


def _with(state: OrchestratorState, name: str, run: LiveRun) -> OrchestratorState:
    dues = _with_due(state.dues, name, _due(run, state.policy))
    return _replace(state, runs=state.runs.set(name, run), dues=dues)


def _with_due(dues: Map[str, int], name: str, due: int | None) -> Map[str, int]:
    if due is None:
        return dues.delete(name) if name in dues else dues
    return dues if dues.get(name) == due else dues.set(name, due)


def _due(run: LiveRun, policy: Policy | None) -> int | None:
    """When the run's lease ends, or it is to be parked, whichever comes first."""
    lease, parked = lease_of(run), parked_at(run, policy)
    if lease is None:
        return None
    return lease.not_after if parked is None else min(lease.not_after, parked)


def _evolve_workspace(state: OrchestratorState, entry: Recorded) -> OrchestratorState:
    body = entry.event.body
    if isinstance(body, PolicySet):
        dues = ((name, _due(run, body.policy)) for name, run in state.runs.items())
        known = Map({name: due for name, due in dues if due is not None})
        return _replace(state, policy=body.policy, dues=known)
    if isinstance(body, RepActivated):
        return _replace(state, reps=state.reps.set(body.rep, True))
    if isinstance(body, RepRevoked):
        return _replace(state, reps=state.reps.set(body.rep, False))
    halted = halted_by(body)
    if halted is not None:
        return _replace(state, halts=state.halts.set(halted[:2], entry))
    if isinstance(body, HaltReleased) and (body.scope, body.target) in state.halts:
        return _replace(state, halts=state.halts.delete((body.scope, body.target)))
    return state


def _evolve_run(run: LiveRun, entry: Recorded) -> LiveRun:
    body = entry.event.body
    if isinstance(body, LeaseGranted | LeaseRenewed):
        return _replace(run, lease=entry)
    if isinstance(body, LeaseExpired | LeaseRevoked):
        return _replace(run, stopped_by=run.stopped_by or entry, stop_refused=True)
    if isinstance(body, RunStarted):
        return _replace(run, started=body.attempt)
    if isinstance(body, PlanFinished) and run.claim is None:
        return _replace(run, claim=entry)
    if isinstance(body, VerdictGiven) and body.verdict is Verdict.STOP:
        return _replace(run, stopped_by=run.stopped_by or entry)
    if isinstance(body, ActionRefused) and run.stopped_by is not None:
        stop = run.stopped_by.event.body
        if isinstance(stop, VerdictGiven) and stop.proposal == body.proposal:
            return _replace(run, stop_refused=True)
    if isinstance(body, ProposalMade) and body.compensates is not None:
        return _replace(run, undoings=run.undoings.set(entry.digest, body.compensates))
    if isinstance(body, ActionStarted):
        return _replace(
            run,
            deeds=run.deeds.set(body.proposal, Deed(tool=body.tool, started=entry.digest)),
            owing=run.owing | {body.proposal},
        )
    if isinstance(body, ActionFinished) and body.proposal in run.deeds:
        deed = run.deeds[body.proposal]
        if deed.finished is None and deed.started == body.action:
            done = _replace(deed, finished=entry.digest, outcome=body.outcome)
            return _replace(run, deeds=run.deeds.set(body.proposal, done))
    if isinstance(body, ReceiptIssued):
        for proposal in sorted(run.owing):
            deed = run.deeds[proposal]
            if deed.finished in entry.event.causes:
                done = _replace(deed, receipt=entry.digest)
                deeds, owing = run.deeds.set(proposal, done), run.owing - {proposal}
                return _replace(run, deeds=deeds, owing=owing)
    return run


_replace = msgspec.structs.replace
