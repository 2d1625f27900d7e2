"""What falls due by time alone is kept beside the runs, and is what looking through them gives."""

from agents.orchestration import OrchestratorState, lease_of, parked_at
from agents.orchestrator import OrchestratorDecider
from schemas.names import Role
from sidecar.decider import SidecarDecider
from sidecar.state import SidecarState
from sidecar.waiting import due
from tests.simulation.test_snapshots import node_of, played

SEEDS = range(8)


def looked_through_proposals(state: SidecarState) -> int | None:
    policy = state.policy
    if policy is None:
        return None
    waiting = [one for run in state.runs.values() for one in run.proposals.values()]
    dues = [due(one, policy) for one in waiting]
    return min((*dues, *([state.watch.due] if state.watch.due is not None else [])), default=None)


def looked_through_leases(state: OrchestratorState) -> int | None:
    leases = [lease_of(run) for run in state.runs.values()]
    parks = [parked_at(run, state.policy) for run in state.runs.values()]
    ends = [lease.not_after for lease in leases if lease is not None]
    return min((*ends, *(at for at in parks if at is not None)), default=None)


def test_the_sidecar_wakes_when_the_first_of_all_proposals_is_due() -> None:
    some = 0
    for seed in SEEDS:
        world, entries = played(seed)
        node = node_of(world, SidecarDecider(), Role.SIDECAR)
        for entry in entries:
            node.take(*entry, 0)
            first = looked_through_proposals(node.state)
            assert node.wake_at() == first, entry[0]
            some += first is not None
    assert some > 50


def test_the_orchestrator_wakes_when_the_first_of_all_leases_ends_or_run_is_to_be_parked() -> None:
    parked = 0
    for seed in SEEDS:
        world, entries = played(seed)
        node = node_of(world, OrchestratorDecider(), Role.ORCHESTRATOR)
        for entry in entries:
            node.take(*entry, 0)
            assert node.wake_at() == looked_through_leases(node.state), entry[0]
            parked += any(
                parked_at(run, node.state.policy) is not None for run in node.state.runs.values()
            )
    assert parked > 5
