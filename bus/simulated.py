"""The simulated bus: every node in one process, under one seeded clock.

It keeps JetStream's contract (one order per stream, deduplication by event id, expected
last sequence per filter) and breaks everything the contract leaves open: delays, order
between publishers and between subjects, repeated deliveries, lost acknowledgements,
crashes of a component at any instant and restarts. A seed replays exactly.
"""

import heapq
import random
from collections.abc import Callable, Collection
from typing import Any, Protocol

from msgspec import Struct

from bus.commands import Command, Perform, Publish
from bus.decider import Effect
from bus.node import Node
from schemas.authority import FENCED
from schemas.names import SECOND


class Stored(Struct, frozen=True):
    """One entry of the simulated stream; its index is its place, from 1."""

    subject: str
    body: bytes


class Stream:
    """JetStream's contract in memory."""

    def __init__(self) -> None:
        self.entries: list[Stored] = []
        self._ids: dict[str, int] = {}
        self._last: dict[str, int] = dict.fromkeys(FENCED, 0)

    def publish(self, message: Publish) -> tuple[int, bool] | None:
        """(index, duplicate), or None where the fence's expected sequence is not the last."""
        known = self._ids.get(message.message_id)
        if known is not None:
            return known, True
        topic = message.subject.rpartition(".")[2]
        if message.fence is not None and self.last(topic) != message.fence[1]:
            return None
        self.entries.append(Stored(message.subject, message.body))
        index = len(self.entries)
        self._ids[message.message_id] = index
        if topic in self._last:
            self._last[topic] = index
        return index, False

    def last(self, topic: str) -> int:
        """The last index on a fenced topic, 0 for none."""
        return self._last[topic]


class Outside(Protocol):
    """The world that effects act on."""

    def apply(self, effect: Effect, report: Callable[[object], None]) -> None:
        """Do it, and report its result now or later. Nobody may be left to hear it."""
        ...


class Component:
    """A node with a life: it can crash, and come back knowing only the stream.

    `reads` says which subjects its consumer is filtered to. `ended` is called at each crash;
    a component that does not revive is gone with its first.
    """

    def __init__(
        self,
        name: str,
        make: Callable[[], Node[Any]],
        outside: Outside,
        *,
        reads: Callable[[str], bool] = lambda subject: True,
        revives: bool = True,
        ended: Callable[[], None] = lambda: None,
    ) -> None:
        self.name = name
        self.revives = revives
        self.ended = ended
        self.make = make
        self.outside = outside
        self.reads = reads
        self.node: Node[Any] | None = None
        self.incarnation = 0
        self.delivered = 0
        self.effects_until = 0
        """When (ns) its last effect so far begins. They begin in the order in which they were said,
        as the shell's tasks do: who withdraws a call comes after the call."""


class Chaos(Struct, frozen=True, kw_only=True):
    """How rough the world is. Times are in ns, odds between 0 and 1."""

    delay: int = 5_000_000
    repeat: float = 0.05
    lost_ack: float = 0.03
    crash: float = 0.02
    down: int = 200_000_000


class Strike(Struct, frozen=True):
    """Something that went wrong: at which chance for it (from 1), and what, in words."""

    chance: int
    what: str


def _named(command: Command) -> str:
    """A command in a history's words."""
    if isinstance(command, Publish):
        return f"its word on {command.subject.partition('.')[2]}"
    return f"its effect {command.effect.key}"


class Simulation:
    """A clock, a stream and components. Deterministic: everything follows from `seed` and `only`.

    `strikes` is what went wrong. With `only`, nothing goes wrong but at these chances: so a history
    that fails can be told again with less of it.
    """

    def __init__(
        self, seed: int, *, start: int, chaos: Chaos, only: Collection[int] | None = None
    ) -> None:
        self.random = random.Random(seed)
        self.strikes: list[Strike] = []
        self._only = only
        self._chances = 0
        self.now = start
        self.stream = Stream()
        self.components: list[Component] = []
        self.crashes = 0
        self.steps = 0
        self._chaos = chaos
        self._agenda: list[tuple[int, int, Callable[[], None]]] = []
        self._order = 0

    def add(self, component: Component) -> None:
        """Bring a component up."""
        self.components.append(component)
        self._start(component)

    def at(self, delay: int, act: Callable[[], None]) -> None:
        """Do `act` after `delay` ns."""
        self._order += 1
        heapq.heappush(self._agenda, (self.now + delay, self._order, act))

    def inject(self, message: Publish) -> None:
        """Publish from outside any component; what the stream refuses is dropped."""
        if self.stream.publish(message):
            self._spread()

    def run(self, until: Callable[[], bool], *, limit: int = 20_000) -> bool:
        """Go on until `until` holds; False where nothing is left to happen or at `limit`."""
        while not until():
            if not self._agenda or self.steps >= limit:
                return False
            self.steps += 1
            self.now, _, act = heapq.heappop(self._agenda)
            act()
        return True

    @property
    def idle(self) -> bool:
        """Nothing is left to happen."""
        return not self._agenda

    def crash(self, component: Component) -> None:
        """End the component's process at once; it comes back after a while."""
        self.crashes += 1
        if not component.revives:
            self.remove(component)
        else:
            component.node = None
            component.incarnation += 1
            self.at(self.random.randrange(self._chaos.down), lambda: self._start(component))
        component.ended()

    def remove(self, component: Component) -> None:
        """End the component for good."""
        component.node = None
        component.incarnation += 1
        if component in self.components:
            self.components.remove(component)

    def _start(self, component: Component) -> None:
        if component not in self.components:
            return
        component.incarnation += 1
        node = component.node = component.make()
        component.delivered = 0
        while component.delivered < len(self.stream.entries):
            self._deliver_next(component)
        self._obey(component, node.go_live(self.now))
        self._wake_later(component)

    def _deliver_next(self, component: Component) -> None:
        if component.node is None or component.delivered >= len(self.stream.entries):
            return
        component.delivered += 1
        self._deliver(component, component.delivered)

    def _deliver(self, component: Component, index: int) -> None:
        stored = self.stream.entries[index - 1]
        if component.node is None or not component.reads(stored.subject):
            return
        commands = component.node.take(index, stored.subject, stored.body, self.now)
        self._obey(component, commands)
        self._wake_later(component)

    def _spread(self) -> None:
        """Tell every component of the newest entry, each in its own time."""
        newest = len(self.stream.entries)
        for component in self.components:
            life = component.incarnation
            self._soon(component, life, lambda c=component: self._deliver_next(c))  # type: ignore[misc]
            if self._strikes(self._chaos.repeat, f"{component.name} is told of {newest} twice"):
                self._soon(component, life, lambda c=component: self._repeat(c, newest))  # type: ignore[misc]

    def _repeat(self, component: Component, index: int) -> None:
        if index <= component.delivered:
            self._deliver(component, index)

    def _obey(self, component: Component, commands: list[Command]) -> None:
        life = component.incarnation
        for command in commands:
            what = f"{component.name} crashes before {_named(command)}"
            if self._strikes(self._chaos.crash, what) and component.node is not None:
                self.crash(component)
                return
            if isinstance(command, Publish):
                self.at(self._delay(), lambda m=command: self._arrive(component, life, m))  # type: ignore[misc]
            else:
                component.effects_until = max(self.now + self._delay(), component.effects_until)
                delay = component.effects_until - self.now
                self.at(delay, lambda p=command: self._apply(component, life, p))  # type: ignore[misc]

    def _arrive(self, component: Component, life: int, message: Publish) -> None:
        # A publish on the wire when its sender dies may still arrive, or may not.
        if component.incarnation != life and self.random.random() < 0.5:
            return
        before = len(self.stream.entries)
        stored = self.stream.publish(message)
        if len(self.stream.entries) > before:
            self._spread()
        if self._strikes(
            self._chaos.lost_ack, f"{component.name} is not told of {_named(message)}"
        ):
            self._soon(component, life, lambda: self._arrive(component, life, message))
        else:
            self._soon(component, life, lambda: self._ack(component, message, stored))

    def _strikes(self, odds: float, what: str) -> bool:
        self._chances += 1
        struck = self.random.random() < odds
        if struck and (self._only is None or self._chances in self._only):
            self.strikes.append(Strike(self._chances, what))
            return True
        return False

    def _ack(self, component: Component, message: Publish, stored: tuple[int, bool] | None) -> None:
        if (node := component.node) is None:
            return
        if stored is not None:
            commands = node.acked(message.event_id, stored[0], stored[1], self.now)
        else:
            last = self.stream.last(message.subject.rpartition(".")[2])
            commands = node.conflicted(message.event_id, last, self.now)
        self._obey(component, commands)

    def _apply(self, component: Component, life: int, perform: Perform) -> None:
        if component.incarnation != life and self.random.random() < 0.5:
            return

        def report(result: object) -> None:
            self._soon(component, life, lambda: self._report(component, perform, result))

        component.outside.apply(perform.effect, report)

    def _report(self, component: Component, perform: Perform, result: object) -> None:
        if component.node is not None:
            self._obey(component, component.node.done(perform.effect, result, self.now))
            self._wake_later(component)

    def _wake_later(self, component: Component) -> None:
        node = component.node
        due = node.wake_at() if node is not None and node.live else None
        if due is not None:
            delay = max(due - self.now, 0) + 1
            self._soon(component, component.incarnation, lambda: self._tick(component), delay)

    def _tick(self, component: Component) -> None:
        node = component.node
        if node is not None and (due := node.wake_at()) is not None and due <= self.now:
            self._obey(component, node.tick(self.now))
            if node.wake_at() == due and component.node is node:
                life = component.incarnation
                self._soon(component, life, lambda: self._tick(component), SECOND)

    def _soon(
        self, component: Component, life: int, act: Callable[[], None], delay: int | None = None
    ) -> None:
        def alive() -> None:
            if component.incarnation == life:
                act()

        self.at(self._delay() if delay is None else delay, alive)

    def _delay(self) -> int:
        return self.random.randrange(1, self._chaos.delay)
