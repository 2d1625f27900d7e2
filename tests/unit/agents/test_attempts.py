"""A lease that a former orchestrator granted stands; keys that another one made for it do not."""

import msgspec

from agents.effects import Mint, Spawn, Spawned
from agents.orchestration import OrchestratorState
from agents.orchestrator import OrchestratorDecider
from bus.decider import Done, Draft, Effect, Tick
from schemas.events import AnyBody
from schemas.names import Role
from schemas.runs import LeaseGranted, LeaseRenewed, PolicySet, RepActivated
from tests.cases import LEASE, NOW, POLICY, REQUEST, REQUEST_DIGEST, RUNTIME_KEY, changed, recorded

DECIDER = OrchestratorDecider()
OWN = (changed(RUNTIME_KEY, key_id=b"o" * 16),)


def folded(*bodies: AnyBody) -> OrchestratorState:
    """A run that was asked for, and what came then."""
    state = DECIDER.initial("acme")
    told = (PolicySet(policy=POLICY), RepActivated(rep="ann"), REQUEST, *bodies)
    for index, body in enumerate(told, start=1):
        digest = REQUEST_DIGEST if body is REQUEST else bytes([index]) * 32
        role, who = (Role.REP, "ann") if body is REQUEST else (Role.ORCHESTRATOR, "orchestrator")
        entry = recorded(body, digest, role, who, index=index)
        if isinstance(body, PolicySet | RepActivated):
            entry = changed(entry, event=msgspec.structs.replace(entry.event, run=None))
        state = DECIDER.evolve(state, entry)
    return state


def minted() -> Mint:
    """What is done for a run that has no lease yet."""
    (mint,) = DECIDER.decide(folded(), Tick(), NOW)
    assert isinstance(mint, Mint)
    return mint


def test_keys_for_a_run_without_a_lease_are_put_into_one() -> None:
    (draft,) = DECIDER.decide(folded(), Done(minted(), OWN), NOW)
    assert isinstance(draft, Draft)
    assert isinstance(draft.body, LeaseGranted)
    assert draft.body.lease.keys == OWN
    assert [spawn.keys for spawn in draft.then if isinstance(spawn, Spawn)] == [(b"o" * 16,)]


def test_keys_that_come_after_another_ones_lease_for_that_attempt_go_into_none() -> None:
    state = folded(LeaseGranted(lease=LEASE))
    (spawn,) = DECIDER.decide(state, Done(minted(), OWN), NOW)
    assert isinstance(spawn, Spawn)
    assert (spawn.attempt, spawn.keys) == (1, (RUNTIME_KEY.key_id,))


def test_where_the_keys_of_an_attempt_are_gone_the_next_one_has_new_ones() -> None:
    state = folded(LeaseGranted(lease=LEASE))
    (spawn,) = DECIDER.decide(state, Tick(), NOW)
    assert isinstance(spawn, Effect)
    (mint,) = DECIDER.decide(state, Done(spawn, Spawned("the keys are gone")), NOW)
    assert isinstance(mint, Mint)
    assert mint.attempt == 2
    (draft,) = DECIDER.decide(state, Done(mint, OWN), NOW)
    assert isinstance(draft, Draft)
    assert isinstance(draft.body, LeaseRenewed)
    assert (draft.body.lease.attempt, draft.body.lease.keys) == (2, OWN)
