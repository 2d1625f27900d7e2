"""Snapshots over simulated ledgers: a state brought back goes on as if never put away.

Each decider, the trust that verifies for it, and the sealer, from any index on, crashes and all.
"""

import random
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from agents.orchestrator import OrchestratorDecider
from bus.decider import Decider
from bus.errors import BadSnapshot
from bus.node import Node
from bus.simulated import Chaos
from bus.snapshot import Folded, folded_of, resume
from crypto.keyring import puncture
from crypto.known import KnownKeys
from crypto.sealing import ContentKeys, NoKeys, WorkspaceKeys
from ledger.sealer import Sealing
from ledger.snapshots import Snapshot, Snapshots, content_snapshot_key
from schemas.erasure import ContentField
from schemas.events import Actor
from schemas.names import SECOND, Role
from schemas.runs import HaltScope
from sidecar.decider import SidecarDecider
from sidecar.supervision.decider import SupervisorDecider
from tests.simulation.cast import WORKSPACE, trust
from tests.simulation.world import World, random_plan

Entries = list[tuple[int, str, bytes]]


@cache
def played(seed: int) -> tuple[World, Entries]:
    world = World(seed, Chaos())
    for number in range(3):
        world.request(f"r{number}", random_plan(world.random), number * SECOND // 2)
    if seed % 2:
        world.halt(HaltScope.RUN, "r1", SECOND)
    # Stopped at an arbitrary moment, so that runs are under way.
    stop = random.Random(seed).randrange(40, 160)
    world.simulation.run(lambda: len(world.simulation.stream.entries) >= stop, limit=4_000)
    stream = world.simulation.stream.entries
    return world, [(i, stored.subject, stored.body) for i, stored in enumerate(stream, start=1)]


def node_of(world: World, decider: Decider[Any], role: Role) -> Node[Any]:
    author = world.sidecar if role is Role.SIDECAR else world.orchestrator
    keys: ContentKeys = WorkspaceKeys(world.ring) if role is Role.SIDECAR else NoKeys()
    actor = Actor(role, role.value)
    return Node(decider, trust=trust(world.root), signer=author.signer, actor=actor, keys=keys)


def fold(node: Node[Any], entries: Entries) -> None:
    for index, subject, body in entries:
        node.take(index, subject, body, 0)


def meaning(known: KnownKeys) -> tuple[object, ...]:
    return (
        sorted(known.keys, key=lambda key: key.key_id),
        sorted(known.heads, key=lambda scope: scope[0] or ""),
        known.ended,
        known.run_keys,
        known.created,
    )


def put_away(folded: Folded, path: Path) -> Folded:
    """Through a file and back."""
    snapshots = Snapshots(path, b"k" * 32, WORKSPACE, "test", ("agents", "sidecar"))
    snapshots.save(
        Snapshot(folded=folded, head=b"", peaks=(), leaf=b"", seal="", place=1, held=b"")
    )
    found = snapshots.load()
    assert found is not None
    return found.folded


DECIDERS = {
    Role.ORCHESTRATOR: OrchestratorDecider,
    Role.SIDECAR: SidecarDecider,
    Role.SUPERVISOR: SupervisorDecider,
}


@pytest.mark.parametrize("role", DECIDERS)
def test_a_state_from_a_snapshot_goes_on_as_from_the_beginning(role: Role, tmp_path: Path) -> None:
    rich = 0
    for seed in range(8):
        world, entries = played(seed)
        whole = node_of(world, DECIDERS[role](), role)
        fold(whole, entries)
        for cut in random.Random(seed).sample(range(len(entries) + 1), 4):
            before = node_of(world, DECIDERS[role](), role)
            fold(before, entries[:cut])
            rich += len(before.state.runs)
            after = node_of(world, DECIDERS[role](), role)
            resume(after, put_away(folded_of(before), tmp_path / "snapshot"))
            assert after.state == before.state
            fold(after, entries[cut:])
            assert after.state == whole.state
            assert meaning(after.trust.known()) == meaning(whole.trust.known())
            assert (after.index, after.fences) == (whole.index, whole.fences)
    assert rich > 8, "snapshots of nothing prove nothing"


def test_the_sealer_goes_on_from_a_frontier_as_from_the_beginning() -> None:
    for seed in range(8):
        world, entries = played(seed)
        whole = Sealing(WORKSPACE, world.sidecar.signer.public)
        for entry in entries:
            whole.fold(*entry)
        note = whole.seal(world.sidecar.signer, SECOND)
        for cut in range(1, len(entries), 7):
            first = Sealing(WORKSPACE, world.sidecar.signer.public)
            for entry in entries[:cut]:
                first.fold(*entry)
            then = Sealing(WORKSPACE, world.sidecar.signer.public)
            then.resume(first.frontier, first.state.head)
            for entry in entries[cut:]:
                then.fold(*entry)
            assert then.state == whole.state
            then.check(note)
            assert then.sealed == len(entries)


def test_a_snapshot_of_another_workspace_root_or_decider_is_none_of_ours(tmp_path: Path) -> None:
    world, entries = played(1)
    node = node_of(world, SidecarDecider(), Role.SIDECAR)
    fold(node, entries)
    folded = folded_of(node)
    other, _ = played(2)
    with pytest.raises(BadSnapshot, match="another root"):
        resume(node_of(other, SidecarDecider(), Role.SIDECAR), folded)
    with pytest.raises(BadSnapshot, match="WatcherState"):
        resume(node_of(world, SupervisorDecider(), Role.SUPERVISOR), folded)


def test_what_was_erased_opens_in_no_snapshot_from_before() -> None:
    world, _ = played(3)
    before = content_snapshot_key(world.data_key, world.ring)
    field = ContentField(run="r0", event="00000000-0000-7000-8000-000000000000", name="text")
    assert content_snapshot_key(world.data_key, puncture(world.ring, [field], [])) != before
