"""One seed: some runs, some answers, perhaps a halt, and the checks at the end."""

import hashlib
import random
from collections.abc import Callable, Collection

from msgspec import Struct

from agents.planners.scripted import Plan
from bus.simulated import Chaos, Strike
from schemas.actions import ApprovalRequested, Decision
from schemas.envelope import decode_envelope
from schemas.errors import AnyTeamError
from schemas.events import decode_event
from schemas.names import SECOND
from schemas.runs import HaltScope, RunCompleted, RunHalted, RunRefused, RunRequested
from sidecar.decider import SidecarDecider
from tests.simulation.cast import WISHES, Author
from tests.simulation.invariants import violations
from tests.simulation.world import World, random_plan


class Played(Struct, frozen=True):
    """What came of a seed. `digest` is SHA-256 over its whole stream."""

    seed: int
    violations: list[str]
    digest: bytes
    crashes: int
    steps: int
    entries: int
    script: "Script"
    strikes: tuple[Strike, ...]


class Asked(Struct, frozen=True):
    """One run: its name, its plan, when it is asked for (ns), and as what."""

    name: str
    plan: Plan
    after: int
    wish: RunRequested


class Halting(Struct, frozen=True):
    """A halt, when (ns), and when it is released, if it is."""

    scope: HaltScope
    target: str
    after: int
    released: int | None


class Script(Struct, frozen=True):
    """What people do in one seed, and whether the tools fail at times."""

    runs: tuple[Asked, ...]
    failing: bool
    halt: Halting | None


Cut = Callable[[Script], Script]
"""A script with less in it."""


def play(
    seed: int,
    *,
    sidecar: type[SidecarDecider] = SidecarDecider,
    cut: Cut = lambda script: script,
    only: Collection[int] | None = None,
) -> Played:
    """Run one seed to rest and check it; with less of its script, and of what goes wrong in it."""
    world = World(seed, Chaos(), sidecar=sidecar, only=only)
    script = cut(_script(world.random))
    for run in script.runs:
        world.request(run.name, run.plan, run.after, run.wish)
    world.failing = script.failing
    if script.halt is not None:
        world.halt(script.halt.scope, script.halt.target, script.halt.after)
        if script.halt.released is not None:
            world.release(script.halt.scope, script.halt.target, script.halt.released)
    simulation = world.simulation
    watcher = _Watcher(world)
    try:
        rested = simulation.run(watcher.all_over) or (simulation.idle and watcher.all_ended)
    except AnyTeamError as error:
        # Nothing honest that is given to a component may end it. What else is amiss in a world that
        # was left half-way says nothing.
        found = [f"a component failed: {error}"]
    else:
        found = violations(world) if rested else ["it never came to rest", *violations(world)]
    digest = hashlib.sha256()
    for stored in simulation.stream.entries:
        digest.update(stored.body)
    return Played(
        seed,
        found,
        digest.digest(),
        simulation.crashes,
        simulation.steps,
        len(simulation.stream.entries),
        script,
        tuple(simulation.strikes),
    )


def _script(dice: random.Random) -> Script:
    runs = []
    for number in range(dice.randrange(1, 4)):
        wish = dice.choice(WISHES)
        runs.append(Asked(f"r{number}", random_plan(dice), dice.randrange(SECOND), wish))
    failing, halt = dice.random() < 0.5, None
    if dice.random() < 0.3:
        target = dice.choice(runs).name
        scope = dice.choice([HaltScope.RUN, HaltScope.WORKSPACE, HaltScope.PLATFORM])
        aim = target if scope is HaltScope.RUN else ""
        after = dice.randrange(2 * SECOND)
        released = after + dice.randrange(SECOND) if dice.random() < 0.5 else None
        halt = Halting(scope, aim, after, released)
    return Script(tuple(runs), failing, halt)


class _Watcher:
    """Reads the stream as it grows: answers questions, and says when all is over."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._read = 0
        self._ended: set[str | None] = set()
        self._quiet = 0

    def all_over(self) -> bool:
        """Every run has ended and nothing was said for two simulated seconds."""
        world, simulation = self._world, self._world.simulation
        entries = simulation.stream.entries
        for stored in entries[self._read :]:
            event = decode_event(decode_envelope(stored.body).payload)
            if isinstance(event.body, RunCompleted | RunHalted | RunRefused):
                self._ended.add(event.run)
            if isinstance(event.body, ApprovalRequested):
                for person in (world.admin, world.other)[: event.body.people]:
                    self._answer(event.run or "", event.body.proposal, person)
            self._quiet = simulation.now
        self._read = len(entries)
        rested = simulation.now - self._quiet > 2 * SECOND
        return rested and self.all_ended

    def _answer(self, run: str, proposal: bytes, person: Author) -> None:
        dice = self._world.random
        if dice.random() < 0.7:
            decision = dice.choice(list(Decision))
            self._world.answer(run, proposal, decision, dice.randrange(3 * SECOND), person)

    @property
    def all_ended(self) -> bool:
        """Every run has ended, and every component is up."""
        up = all(component.node is not None for component in self._world.simulation.components)
        return up and self._ended >= set(self._world.runs)
