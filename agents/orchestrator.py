"""The orchestrator's decider: grants leases, brings runs up, and ends them.

It grants what the rep's signed request and the workspace's signed policy both carry, and
nothing wider; the gate checks it again. A run ends `success` only where the ledger itself
holds a confirmed receipt for every effect the runtime claims (verify before exit).
"""

from collections.abc import Iterator, Sequence

import msgspec

from agents.effects import Exited, Mint, Park, Reap, Spawn, Spawned, Watch
from agents.orchestration import (
    LiveRun,
    OrchestratorState,
    evolve,
    halt_on,
    lease_of,
    parked_at,
)
from agents.standing import together, unmade, with_standing
from bus.decider import Done, Draft, Effect, Entry, Input, Recorded, Refused, Tick
from schemas.actions import (
    ActionOutcome,
    ActionRefused,
    ApprovalDecided,
    ReceiptIssued,
    VerdictGiven,
)
from schemas.events import AnyBody
from schemas.leases import Certificate, Lease, Unanswered
from schemas.names import SECOND, Role
from schemas.runs import (
    LeaseExpired,
    LeaseGranted,
    LeaseRenewed,
    LeaseRevoked,
    PlanFinished,
    RepRevoked,
    RunCompleted,
    RunHalted,
    RunOutcome,
    RunParked,
    RunRefused,
    RunRequested,
    RunStarted,
)
from schemas.supervision import halted_by
from schemas.tools import Policy

MAX_ATTEMPTS = 30

Answer = Draft | Effect


class OrchestratorDecider:
    """See the module's docstring."""

    role = Role.ORCHESTRATOR

    def initial(self, workspace: str) -> OrchestratorState:
        """Nothing known."""
        return OrchestratorState(workspace=workspace)

    def evolve(self, state: OrchestratorState, entry: Entry) -> OrchestratorState:
        """See `agents.orchestration`."""
        return evolve(state, entry)

    def decide(self, state: OrchestratorState, given: Input, now: int) -> Sequence[Answer]:
        """What to record and do."""
        return [with_standing(state, answer) for answer in self._answers(state, given, now)]

    def _answers(self, state: OrchestratorState, given: Input, now: int) -> Sequence[Answer]:
        if isinstance(given, Refused):
            return ()
        if isinstance(given, Done):
            return list(_after(state, given, now))
        if isinstance(given, Tick):
            return [a for n, run in sorted(state.runs.items()) for a in _owed(state, n, run, now)]
        body, name = given.event.body, given.event.run
        if halted_by(body) is not None or isinstance(body, RepRevoked):
            return [a for n, run in sorted(state.runs.items()) for a in _ending(state, n, run, now)]
        if isinstance(body, RunCompleted | RunHalted) and name is not None:
            return [Reap(key=f"reap:{name}", run=name)]
        run = state.runs.get(name) if name is not None else None
        if name is None or run is None:
            return ()
        if isinstance(body, RunRequested):
            return list(_owed(state, name, run, now))
        if isinstance(body, PlanFinished | ReceiptIssued | ActionRefused | ApprovalDecided):
            ending = list(_ending(state, name, run, now))
            return ending or list(_resumed(state, name, run, now))
        return ()

    def revise(self, state: OrchestratorState, effect: Effect) -> Effect:
        """A run's processes are started whatever came between; the gate still holds."""
        return effect

    def wake_at(self, state: OrchestratorState) -> int | None:
        """The first lease to end, or run to be parked."""
        return min(state.dues.values(), default=None)

    def recall(self, state: OrchestratorState, recorded: Recorded) -> Done | None:
        """The result that an own event rests on."""
        event, body = recorded.event, recorded.event.body
        run = state.runs.get(event.run) if event.run is not None else None
        if event.run is None or run is None:
            return None
        if isinstance(body, LeaseGranted | LeaseRenewed):
            return Done(_mint(event.run, run, state.policy, body.lease.not_before), body.lease.keys)
        lease = lease_of(run)
        if lease is not None and isinstance(body, RunStarted):
            return Done(
                _spawn(event.run, lease), Spawned(confined_by=body.confined_by, served=body.served)
            )
        if isinstance(body, RunCompleted) and body.outcome is RunOutcome.CRASHED:
            if lease is not None and body.reason.startswith(_REFUSED):
                problem = body.reason.removeprefix(_REFUSED)
                return Done(_spawn(event.run, lease), Spawned(problem, refused=True))
            problem = body.reason.removeprefix(_CRASHED)
            return Done(_watch(event.run, run), Exited(problem))
        return None


def grant_problem(state: OrchestratorState, recorded: Recorded, now: int) -> tuple[str, str]:
    """Why a request cannot be granted, and the fix; two empty strings where it can."""
    request, policy = recorded.event.body, state.policy
    assert isinstance(request, RunRequested)
    if policy is None:
        return "the workspace has no policy", "set one with `anyteam up`"
    if recorded.event.actor.instance != request.rep:
        return "the request is signed for another rep", "sign it with that rep's own key"
    if not state.reps.get(request.rep, False):
        return f"rep {request.rep} is not active", "activate the rep"
    if abs(now - recorded.event.at) > policy.skew_s * SECOND:
        return "the request is dated outside the allowed clock skew", "set the clocks (NTP)"
    if policy.agents and request.agent not in policy.agents:
        return f"policy lists no agent {request.agent}", f"one of {', '.join(policy.agents)}"
    unknown = sorted(set(request.tools) - {tool.name for tool in policy.tools})
    if unknown:
        return f"policy declares no tool {', '.join(unknown)}", "ask for declared tools only"
    if halt_on(state, recorded.event.run or "", request.rep, request.agent) is not None:
        return "halted", "`anyteam release` by an admin first"
    return "", ""


def _owed(state: OrchestratorState, name: str, run: LiveRun, now: int) -> Iterator[Answer]:
    """What a live run needs next, found from its state alone."""
    ending = list(_ending(state, name, run, now))
    if ending:
        yield from ending
    elif run.lease is None:
        problem, fix = grant_problem(state, run.request, now)
        if problem:
            refused = RunRefused(request=run.request.digest, reason=problem, fix=fix)
            yield _draft(name, run.request, refused)
        else:
            yield _mint(name, run, state.policy, now)
    elif run.claim is None or run.owing:
        lease, park = lease_of(run), parked_at(run, state.policy)
        assert lease is not None
        if run.waits.parked == lease.attempt:
            yield from _resumed(state, name, run, now)
        elif park is not None and now >= park:
            yield _parked(name, run, lease)
        else:
            yield _watch(name, run) if run.started == lease.attempt else _spawn(name, lease)


def _parked(name: str, run: LiveRun, lease: Lease) -> Draft:
    """The record first: whoever finds the processes gone then knows why."""
    assert run.lease is not None
    awaits = tuple(sorted(run.waits.open))
    park = Park(key=f"park:{name}:{lease.attempt}", run=name, attempt=lease.attempt)
    return Draft(
        body=RunParked(attempt=lease.attempt, awaits=awaits),
        run=name,
        causes=(run.lease.digest, *awaits),
        since=run.lease.event.at,
        settles=f"park:{name}:{lease.attempt}",
        then=(park,),
    )


def _resumed(state: OrchestratorState, name: str, run: LiveRun, now: int) -> Iterator[Answer]:
    """New processes for a parked run that waits for a person no more."""
    lease = lease_of(run)
    if lease is not None and run.waits.parked == lease.attempt and not run.waits.for_a_person:
        yield _mint(name, run, state.policy, now)


def _ending(state: OrchestratorState, name: str, run: LiveRun, now: int) -> Iterator[Answer]:
    """The end of a run, where its state demands one."""
    lease = lease_of(run)
    if lease is None or run.lease is None:
        return
    halt = halt_on(state, name, lease.rep, lease.agent)
    halted = halted_by(halt.event.body) if halt is not None else None
    if halt is not None and halted is not None:
        yield Draft(
            body=RunHalted(halt=halt.digest, reason=halted[2]),
            run=name,
            causes=(halt.digest,),
            since=halt.event.at,
            settles=f"end:{name}",
        )
    elif not state.reps.get(lease.rep, False):
        reason = f"rep {lease.rep} was revoked"
        yield _draft(name, run.lease, LeaseRevoked(reason=reason))
        yield _completed(name, run.lease, RunOutcome.STOPPED, reason)
    elif now >= lease.not_after:
        yield _draft(name, run.lease, LeaseExpired(not_after=lease.not_after))
        yield _completed(name, run.lease, RunOutcome.EXPIRED, "the lease's time is over")
    elif run.stopped_by is not None and run.stop_refused:
        body = run.stopped_by.event.body
        reason = body.reason if isinstance(body, VerdictGiven) else "the lease has ended"
        yield _completed(name, run.stopped_by, RunOutcome.STOPPED, reason)
    elif run.waits.unanswered is not None and _stops_unanswered(run, lease):
        reason = "nobody answered in time, and the run was to stop then"
        yield _completed(name, run.waits.unanswered, RunOutcome.EXPIRED, reason)
    elif run.claim is not None and not run.owing:
        yield _verified_end(name, run, run.claim, state.policy)


def _stops_unanswered(run: LiveRun, lease: Lease) -> bool:
    """Whether it ends once nobody answered. What belongs together is undone first, and ends so."""
    return lease.intent.unanswered is Unanswered.STOP and not together(run)


def _verified_end(name: str, run: LiveRun, claim: Recorded, policy: Policy | None) -> Draft:
    """Verify before exit: the ledger's receipts decide, not the runtime's word."""
    body = claim.event.body
    assert isinstance(body, PlanFinished)
    confirmed = {
        proposal: deed.receipt
        for proposal, deed in run.deeds.items()
        if deed.outcome is ActionOutcome.CONFIRMED and deed.receipt is not None
    }
    receipts = tuple(sorted(confirmed.values()))
    if not body.success:
        reason = "the runtime itself says that it did not succeed"
        return _completed(name, claim, RunOutcome.FAILURE, reason, receipts)
    if together(run) and (left := unmade(run, policy)):
        reason = f"{left} of the effects that belong together are not confirmed, or were undone"
        return _completed(name, claim, RunOutcome.FAILURE, reason, receipts)
    missing = [c for c in body.claims if c not in confirmed]
    if missing:
        reason = f"{len(missing)} of {len(body.claims)} claimed effects have no confirmed receipt"
        return _completed(name, claim, RunOutcome.FAILURE, reason, receipts)
    if not body.claims:
        return _completed(
            name, claim, RunOutcome.FAILURE, "success was claimed without any effect", receipts
        )
    reason = f"{len(body.claims)} claimed effects, each with a confirmed receipt"
    return _completed(name, claim, RunOutcome.SUCCESS, reason, receipts)


def _after(state: OrchestratorState, done: Done, now: int) -> Iterator[Answer]:
    effect, result = done.effect, done.result
    run = state.runs.get(effect.run) if effect.run is not None else None
    if run is None or effect.run is None:
        return
    name, lease = effect.run, lease_of(run)
    if isinstance(effect, Mint) and isinstance(result, tuple):
        if list(_ending(state, name, run, now)):
            return
        if lease is not None and effect.attempt <= lease.attempt:
            # A former orchestrator's lease for this attempt, which came in meanwhile.
            yield from _owed(state, name, run, now)
        elif state.policy is not None:
            cause = run.lease or run.request
            yield _granted(name, cause, _lease(effect, run, state.policy, result))
    elif isinstance(effect, Spawn) and isinstance(result, Spawned) and run.lease is not None:
        if result.refused:
            yield _completed(name, run.lease, RunOutcome.CRASHED, _REFUSED + result.problem)
        elif result.problem:
            yield from _again(state, name, run, result.problem, now)
        else:
            started = RunStarted(
                attempt=effect.attempt, confined_by=result.confined_by, served=result.served
            )
            yield _draft(name, run.lease, started)
            yield Watch(key=f"watch:{name}:{effect.attempt}", run=name, attempt=effect.attempt)
    elif isinstance(effect, Watch) and isinstance(result, Exited):
        if lease is not None and effect.attempt == lease.attempt:
            yield from _again(state, name, run, result.problem, now)


_REFUSED = "not started: "
_CRASHED = f"gave up after {MAX_ATTEMPTS} attempts: "


def _again(
    state: OrchestratorState, name: str, run: LiveRun, problem: str, now: int
) -> Iterator[Answer]:
    """Another attempt after lost processes, or the end of trying."""
    lease = lease_of(run)
    assert lease is not None and run.lease is not None
    if run.claim is not None and not run.owing:
        return
    if run.waits.parked == lease.attempt:
        return
    if lease.attempt - run.waits.times >= MAX_ATTEMPTS:
        yield _completed(name, run.lease, RunOutcome.CRASHED, _CRASHED + problem)
    else:
        yield _mint(name, run, state.policy, now)


def _mint(name: str, run: LiveRun, policy: Policy | None, now: int) -> Mint:
    request = run.request.event.body
    assert isinstance(request, RunRequested)
    lease = lease_of(run)
    ttl = min(request.ttl_s, policy.max_ttl_s if policy is not None else 0)
    attempt = lease.attempt + 1 if lease is not None else 1
    return Mint(
        key=f"mint:{name}:{attempt}",
        run=name,
        attempt=attempt,
        agent=request.agent,
        not_before=lease.not_before if lease is not None else now,
        not_after=lease.not_after if lease is not None else now + ttl * SECOND,
    )


def _lease(mint: Mint, run: LiveRun, policy: Policy, keys: tuple[Certificate, ...]) -> Lease:
    """What both the request and the policy carry, for these keys."""
    request = run.request.event.body
    assert isinstance(request, RunRequested)
    before = lease_of(run)
    if before is not None:
        return msgspec.structs.replace(before, attempt=mint.attempt, keys=keys)
    return Lease(
        run=run.request.event.run or "",
        rep=request.rep,
        agent=request.agent,
        request=run.request.digest,
        intent=request.intent,
        tools=request.tools,
        policy=policy.version,
        not_before=mint.not_before,
        not_after=mint.not_after,
        max_actions=min(request.max_actions, policy.max_actions),
        attempt=mint.attempt,
        keys=keys,
    )


def _granted(name: str, cause: Recorded, lease: Lease) -> Draft:
    """The lease, and its processes once it is in the ledger."""
    first = isinstance(cause.event.body, RunRequested)
    return Draft(
        body=LeaseGranted(lease=lease) if first else LeaseRenewed(lease=lease),
        run=name,
        causes=(cause.digest,),
        since=cause.event.at,
        settles=f"lease:{name}",
        then=(_spawn(name, lease),),
    )


def _draft(name: str, cause: Recorded, body: AnyBody) -> Draft:
    return Draft(body=body, run=name, causes=(cause.digest,), since=cause.event.at)


def _completed(
    name: str,
    cause: Recorded,
    outcome: RunOutcome,
    reason: str,
    receipts: tuple[bytes, ...] = (),
) -> Draft:
    return Draft(
        body=RunCompleted(outcome=outcome, reason=reason, receipts=receipts),
        run=name,
        causes=(cause.digest, *receipts),
        since=cause.event.at,
        settles=f"end:{name}",
    )


def _spawn(name: str, lease: Lease) -> Spawn:
    return Spawn(
        key=f"spawn:{name}:{lease.attempt}",
        run=name,
        attempt=lease.attempt,
        agent=lease.agent,
        keys=tuple(certified.key_id for certified in lease.keys),
    )


def _watch(name: str, run: LiveRun) -> Watch:
    lease = lease_of(run)
    assert lease is not None
    return Watch(key=f"watch:{name}:{lease.attempt}", run=name, attempt=lease.attempt)
