"""Replay over simulated ledgers, crashes included: every decision is derived again."""

from typing import Any

import pytest

from bus.decider import Decider, Draft, Effect, Input
from bus.simulated import Chaos
from console.cast import cast
from crypto.errors import Rejected
from crypto.keyring import puncture
from crypto.sealing import WorkspaceKeys, content_fields
from ledger.replay import Replayed, replay
from schemas.content import Sealed
from schemas.erasure import ContentErased, ContentField
from schemas.events import Actor
from schemas.names import SECOND, Role
from schemas.runs import RunCompleted, RunHalted
from sidecar.decider import SidecarDecider
from sidecar.state import SidecarState
from tests.simulation.cast import trust
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
    keys = WorkspaceKeys(world.ring)
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


def contents(world: World) -> list[ContentField]:
    """Every content field of the ledger."""
    reader, found = trust(world.root), []
    for stored in world.simulation.stream.entries:
        try:
            event = reader.accept(stored.subject, stored.body).event
        except Rejected:
            continue
        found += [
            ContentField(run=event.run, event=event.id, name=name)
            for name in content_fields(type(event.body))
            if event.run is not None and isinstance(getattr(event.body, name), Sealed)
        ]
    return found


@pytest.mark.parametrize("first", range(0, 60, 20))
def test_of_a_ledger_with_content_erased_all_but_what_rested_on_it_is_derived(first: int) -> None:
    some = 0
    for seed in range(first, first + 20):
        world = played(seed)
        random = world.random
        mine = [field for field in contents(world) if field.run == "r0"]
        if not mine:
            continue
        gone = random.sample(mine, random.randint(1, len(mine)))
        before = replayed(world)
        now = world.simulation.now
        said = world.admin.say(ContentErased(fields=tuple(gone), reason="asked to"), None, now)
        world.simulation.inject(said)
        world.ring = puncture(world.ring, gone, [field for field in mine if field not in gone])
        after = replayed(world)
        assert after.ok, (seed, after.differences)
        assert sum(after.derived.values()) + sum(after.erased.values()) == sum(
            before.derived.values()
        )
        some += bool(after.erased)
    assert some > 10


def test_without_an_admins_word_for_it_missing_content_is_a_difference() -> None:
    world = next(w for w in map(played, range(50)) if w.done)
    mine = [field for field in contents(world) if field.run == "r0"]
    world.ring = puncture(world.ring, mine, [])
    found = replayed(world)
    assert found.differences and not found.erased
