"""What the gate is given to look at, and what a proposal waits for first, from the folded state."""

from collections.abc import Iterable

from bus.decider import Recorded
from schemas.actions import ApprovalRequested, ProposalMade
from schemas.content import opened
from schemas.leases import Certificate
from sidecar import duties
from sidecar.destinations import looking
from sidecar.effects import Execute, LookUp
from sidecar.gate.conduct import Spend
from sidecar.gate.domains import host_of
from sidecar.gate.outcome import Case
from sidecar.gate.parts import Argument, destinations, parts
from sidecar.remembering import called, day_of, fact_of
from sidecar.state import RunState, SidecarState, flags_on, halts_on, lease_of
from sidecar.supervision.engine import Match, would_match
from sidecar.undoing import undoes
from sidecar.waiting import Open


def case_of(state: SidecarState, name: str, run: RunState, waiting: Open, now: int) -> Case:
    """All that the gate may look at for one open proposal."""
    recorded = waiting.proposal
    proposal = recorded.event.body
    assert isinstance(proposal, ProposalMade)
    arguments = opened(proposal.arguments)
    lease = lease_of(run)
    asked = waiting.asked.event.body if waiting.asked is not None else None
    return Case(
        now=now,
        recorded=recorded,
        proposal=proposal,
        arguments=arguments if isinstance(arguments, dict) else None,
        policy=state.policy,
        lease=lease,
        request=run.request,
        rep_active=lease is not None and state.reps.get(lease.rep, False),
        lease_ended=run.ended,
        lease_key=_runtime_key(run, recorded),
        tool=duties.tool_of(state.policy, proposal.tool),
        halts=halts_on(state, name, lease),
        actions=run.actions,
        repeated=waiting.repeated,
        verdict=waiting.verdict,
        approval=waiting.approval,
        more=waiting.more,
        approval_until=asked.expires if isinstance(asked, ApprovalRequested) else None,
        knowledge=run.memory.knowledge,
        conduct=run.memory.conduct,
        day=state.spent if state.day == day_of(now) else Spend(),
        owned=state.watch.owned,
        matches=_matches(state, run, recorded, now),
        flags=flags_on(state, name, lease),
        passkeys=state.passkeys,
        undoes=undoes(run.undoings, proposal, arguments),
    )


def _matches(state: SidecarState, run: RunState, proposal: Recorded, now: int) -> tuple[Match, ...]:
    """The patterns that this proposal would complete."""
    lease, policy = lease_of(run), state.policy
    call = called(proposal, policy) if policy is not None else None
    if lease is None or policy is None or call is None:
        return ()
    return would_match(state.supervision, fact_of(run.memory, lease, policy, proposal, *call, now))


def awaited(state: SidecarState, waiting: Open, case: Case, now: int) -> tuple[LookUp, ...]:
    """The looks at its destinations that a proposal waits for."""
    if not state.watch.live:
        return ()
    about = (waiting.proposal, waiting.verdict, waiting.asked, waiting.approval, *waiting.more)
    since = looking.reached(about)
    return looking.awaited(state.watch, _hosts(case.said), since, now)


def hosts_of(state: SidecarState, effect: Execute) -> frozenset[str]:
    """The hosts that a tool run leads to, where any destination is watched."""
    tool = duties.tool_of(state.policy, effect.tool)
    if tool is None or not state.watch.owned:
        return frozenset()
    return _hosts(parts(tool, effect.arguments))


def _hosts(said: Iterable[Argument]) -> frozenset[str]:
    hosts = (host_of(value) for value in destinations(said))
    return frozenset(host for host in hosts if host is not None)


def _runtime_key(run: RunState, proposal: Recorded) -> Certificate | None:
    """The certificate of the runtime that proposed, or the latest where none of that name is."""
    latest = run.runtimes[-1] if run.runtimes else None
    named = (key for key in run.runtimes if key.instance == proposal.event.actor.instance)
    return next(named, latest)
