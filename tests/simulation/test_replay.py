"""Replay over simulated ledgers, crashes included: every decision is derived again."""

from typing import Any

import pytest

from bus.decider import Decider, Draft, Effect, Input
from bus.simulated import Chaos
from console.cast import cast
from crypto.errors import Rejected
from crypto.sealing import WorkspaceKeys
from ledger.replay import Replayed, replay
from schemas.events import Actor
from schemas.names import SECOND, Role
from schemas.runs import RunCompleted, RunHalted
from sidecar.decider import SidecarDecider
from sidecar.state import SidecarState
from tests.simulation.cast import WORKSPACE, trust
from tests.simulation.world import World, random_plan


def played(seed: int) -> World:
    world = World(seed, Chaos())
    for number in range(2):
        world.request(f"r{number}", random_plan(world.random), number * SECOND // 2)
    reader = trust(world.root)
    ended: set[str | None] = set()
    read = 0

    def over() -> bool:
        nonlocal read
        entries = world.simulation.stream.entries
        for stored in entries[read:]:
            try:
                event = reader.accept(stored.subject, stored.body).event
            except Rejected:
                continue
            if isinstance(event.body, RunCompleted | RunHalted):
                ended.add(event.run)
        read = len(entries)
        return ended >= {"r0", "r1"}

    assert world.simulation.run(over)
    return world


def replayed(world: World, who: Any = cast) -> Replayed:
    entries = [
        (index, stored.subject, stored.body)
        for index, stored in enumerate(world.simulation.stream.entries, start=1)
    ]
    keys = WorkspaceKeys(world.data_key, WORKSPACE)
    return replay(entries, trust(world.root), keys, who)


@pytest.mark.parametrize("first", range(0, 100, 25))
def test_every_decision_is_derived_again_whatever_crashed(first: int) -> None:
    for seed in range(first, first + 25):
        found = replayed(played(seed))
        assert found.ok, (seed, found.differences)
        assert sum(found.derived.values()) > 5


class Stricter(SidecarDecider):
    """A gate that lets nothing be done."""

    def decide(self, state: SidecarState, given: Input, now: int) -> list[Draft | Effect]:
        drafts = super().decide(state, given, now)
        return [d for d in drafts if not (isinstance(d, Draft) and d.then)]


def stricter(actor: Actor, run: str | None) -> Decider[Any] | None:
    return Stricter() if actor.role is Role.SIDECAR else cast(actor, run)


def test_another_gate_is_seen_to_decide_otherwise() -> None:
    world = next(w for w in map(played, range(50)) if w.done)
    differing = replayed(world, stricter).differences
    assert {difference.type for difference in differing} == {"action.started"}
