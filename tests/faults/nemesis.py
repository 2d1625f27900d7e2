"""The nemesis: one fault after another, of a kind and at a victim that the dice choose.

Each fault is done, lasts, and is mended before the next at the same victim; several at once make
combinations. A fault that found nobody to harm does not count.
"""

import asyncio
import contextlib
import os
import random
import resource
import signal
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, Final

from bus.cluster import Cluster
from bus.errors import BusError
from bus.server import Server
from tests.faults.proxy import FAIR, Proxy, Weather
from tests.faults.stand import Stand

Fault = Callable[["Nemesis"], Coroutine[Any, Any, str]]
"""Does one, mends it, and says of which kind it was; empty where there was nobody to harm."""

BUS: Final = "nats-server"
_PARTS: Final = ("sidecar", "orchestrator", "supervisor")
_LINKS: Final = (*_PARTS, "clients")
BREATH: Final = 25
BREATH_S: Final = 6.0
_LONG: Final = 12.0
"""A silence that is longer than the connections' pings put up with."""


class Nemesis:
    """Harms one stand. `counts` says how often, by kind."""

    def __init__(
        self,
        stand: Stand,
        seed: str,
        clocks: dict[str, Path],
        tool: Proxy,
        done: Callable[[], int],
    ) -> None:
        """`done` counts what was done so far by those who work here."""
        self.stand = stand
        self.dice = random.Random(seed)
        self.counts: Counter[str] = Counter()
        self.clocks = clocks
        self.tool = tool
        self._done = done
        self._since = 0
        self._over = False
        self._deck: list[Fault] | None = None
        self._held: dict[str, asyncio.Lock] = {}

    async def rage(self, kinds: tuple[Fault, ...], *, at_once: int) -> None:
        """Harm until told to stop; what is under way then lasts and is mended as it would be."""
        async with asyncio.TaskGroup() as together:
            for _ in range(at_once):
                together.create_task(self._harm(kinds))

    def stop(self) -> None:
        """Begin no other fault."""
        self._over = True

    def victim(self, name: str) -> asyncio.Lock:
        """Held while something is done to this one."""
        return self._held.setdefault(name, asyncio.Lock())

    async def last(self, longest: float) -> None:
        """Let it last: mostly short, now and then longer than anybody waits."""
        long = self.dice.random() < 0.03
        await asyncio.sleep(_LONG if long else longest * self.dice.random() ** 2)

    async def _harm(self, kinds: tuple[Fault, ...]) -> None:
        if self._deck is None:
            # Each kind once, so that the shortest form has them all.
            self._deck = self.dice.sample(kinds, len(kinds))
        while not self._over:
            await self._progress()
            if not self._deck:
                # Dealt, not drawn: each kind has come as often as it is to before one comes again.
                self._deck = [kind for kind in kinds for _ in range(WEIGHTS.get(kind.__name__, 1))]
                self.dice.shuffle(self._deck)
            self._since += 1
            kind = await self._deck.pop()(self)
            if kind:
                self.counts[kind] += 1
            await asyncio.sleep(self.dice.uniform(0.0, 0.3))

    async def _progress(self) -> None:
        """After some faults let something be done: what only stands still cannot go wrong."""
        if self._since < BREATH:
            return
        known = self._done()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(BREATH_S):
                while self._done() == known and not self._over:
                    await asyncio.sleep(0.05)
        self._since = 0


async def kill(nemesis: Nemesis) -> str:
    """SIGKILL for a component, or for a process of a run."""
    name = nemesis.dice.choice((*_PARTS, "runtime", "judge"))
    async with nemesis.victim(name):
        if name in _PARTS:
            part = nemesis.stand.parts[name]
            if not part.ready.is_set() and nemesis.dice.random() < 0.8:
                # Mostly once it decides; sometimes as it comes up.
                return ""
            return f"kill {name}" if part.signal(signal.SIGKILL) else ""
        found = _signalled(nemesis.stand.runs(name), signal.SIGKILL)
        return f"kill {name}" if found else ""


async def pause(nemesis: Nemesis) -> str:
    """SIGSTOP, and SIGCONT some time after."""
    name = nemesis.dice.choice((*_PARTS, "runtime", "judge", BUS))
    async with nemesis.victim(name):
        if name in _PARTS:
            pid = nemesis.stand.parts[name].pid
            pids = [pid] if pid else []
        elif name == BUS:
            pids = [nemesis.dice.choice(nemesis.stand.servers()).pid]
        else:
            pids = nemesis.stand.runs(name)
        stopped = _signalled(pids, signal.SIGSTOP)
        if not stopped:
            return ""
        try:
            await nemesis.last(2.0)
        finally:
            _signalled(stopped, signal.SIGCONT)
        return f"pause {name}"


async def partition(nemesis: Nemesis) -> str:
    """Nothing goes over one link, or nothing one way; then all that was held back comes."""
    ways = {
        "partition": Weather(up=False, down=False),
        "half-open, nothing sent": Weather(up=False),
        "half-open, nothing heard": Weather(down=False),
    }
    kind = nemesis.dice.choice(("partition", *ways))
    return await _weather(nemesis, kind, ways[kind], 3.0)


async def slow(nemesis: Nemesis) -> str:
    """One link is late, or narrow."""
    late = Weather(delay_s=nemesis.dice.uniform(0.005, 0.1))
    narrow = Weather(rate=nemesis.dice.choice((20_000, 100_000)))
    return await _weather(nemesis, "slow link", nemesis.dice.choice((late, narrow)), 2.0)


async def cut(nemesis: Nemesis) -> str:
    """Every connection over one link is reset."""
    name = nemesis.dice.choice(_LINKS)
    async with nemesis.victim(f"link {name}"):
        return "cut" if nemesis.stand.links[name].cut() else ""


async def clock_jump(nemesis: Nemesis) -> str:
    """A component's clock is wrong by seconds to an hour, either way, and then right again."""
    name = nemesis.dice.choice(sorted(nemesis.clocks))
    async with nemesis.victim(f"clock {name}"):
        jump = nemesis.dice.choice((2, 20, 150, 3_600)) * nemesis.dice.choice((-1, 1))
        try:
            _set(nemesis.clocks[name], jump)
            await asyncio.sleep(nemesis.dice.uniform(1.0, 3.0))
        finally:
            _set(nemesis.clocks[name], 0)
        return f"clock jump {name}"


async def full_disk(nemesis: Nemesis) -> str:
    """The sidecar can write a few bytes more to its outbox, and then none."""
    async with nemesis.victim("sidecar"):
        pid = nemesis.stand.parts["sidecar"].pid
        outbox = nemesis.stand.folder.root / "outbox" / "sidecar"
        if not pid or not outbox.exists():
            return ""
        room = outbox.stat().st_size + nemesis.dice.randrange(0, 600)
        with _room(pid, room) as found:
            await asyncio.sleep(nemesis.dice.uniform(0.3, 1.5))
        return "full disk sidecar" if found else ""


async def full_bus(nemesis: Nemesis) -> str:
    """The bus can write a few bytes more to its streams, and then none; it is started again."""
    async with nemesis.victim(BUS):
        server = nemesis.dice.choice(nemesis.stand.servers())
        blocks = [path.stat().st_size for path in server.log.parent.rglob("*.blk")]
        if not blocks:
            return ""
        room = max(blocks) + nemesis.dice.randrange(0, 2_000)
        with _room(server.pid, room) as found:
            await asyncio.sleep(nemesis.dice.uniform(0.3, 1.5))
        await _bus_again(nemesis, server, signal.SIGTERM)
        return "full disk nats-server" if found else ""


async def bus_killed(nemesis: Nemesis) -> str:
    """SIGKILL for the bus, and a new one on what it left."""
    async with nemesis.victim(BUS):
        server = nemesis.dice.choice(nemesis.stand.servers())
        await _bus_again(nemesis, server, signal.SIGKILL)
        return "kill nats-server"


async def bus_restarted(nemesis: Nemesis) -> str:
    """The bus is asked to end, and started again."""
    async with nemesis.victim(BUS):
        server = nemesis.dice.choice(nemesis.stand.servers())
        await _bus_again(nemesis, server, signal.SIGTERM)
        return "restart nats-server"


async def rolling_restart(nemesis: Nemesis) -> str:
    """Each component is asked to end and is up again before the next, as an upgrade does it."""
    for name in _PARTS:
        async with nemesis.victim(name):
            part = nemesis.stand.parts[name]
            with contextlib.suppress(TimeoutError):
                await part.up()
            before = part.starts
            part.signal(signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(20):
                    while part.starts == before or not part.ready.is_set():
                        await asyncio.sleep(0.05)
    return "rolling restart"


async def tool_away(nemesis: Nemesis) -> str:
    """The tool cannot be reached, or what it answers does not arrive."""
    weather = nemesis.dice.choice((Weather(up=False, down=False), Weather(down=False)))
    async with nemesis.victim("link tool"):
        link = nemesis.tool
        link.turn(weather)
        try:
            await asyncio.sleep(nemesis.dice.uniform(0.2, 2.0))
            link.cut()
        finally:
            link.turn(FAIR)
        return "tool away"


async def _weather(nemesis: Nemesis, kind: str, weather: Weather, longest: float) -> str:
    name = nemesis.dice.choice(_LINKS)
    async with nemesis.victim(f"link {name}"):
        link = nemesis.stand.links[name]
        link.turn(weather)
        try:
            await nemesis.last(longest)
        finally:
            link.turn(FAIR)
        return kind


async def _bus_again(nemesis: Nemesis, server: Server, number: signal.Signals) -> None:
    if isinstance(nemesis.stand.bus, Cluster):
        # A cluster starts its members again by itself; the others go on meanwhile.
        _signalled([server.pid], number)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(20):
                while server in nemesis.stand.servers():
                    await asyncio.sleep(0.05)
        return
    await nemesis.stand.bus_down(number)
    await asyncio.sleep(nemesis.dice.uniform(0.0, 1.0) ** 3 * 3)
    for _ in range(3):
        with contextlib.suppress(BusError):
            await nemesis.stand.bus_up()
            return
    await nemesis.stand.bus_up()


@contextlib.contextmanager
def _room(pid: int, room: int) -> Iterator[bool]:
    """While this lasts the process can write no file beyond `room` bytes (RLIMIT_FSIZE)."""
    try:
        before = resource.prlimit(pid, resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
    except ProcessLookupError:
        yield False
        return
    try:
        yield True
    finally:
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


def _signalled(pids: list[int], number: signal.Signals) -> list[int]:
    """Those of the processes that were there to take it."""
    taken = []
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
            taken.append(pid)
    return taken


def _set(clock: Path, seconds: int) -> None:
    draft = clock.with_suffix(".draft")
    draft.write_text(f"{seconds:+d}")
    draft.replace(clock)


WEIGHTS: Final = {"kill": 5, "pause": 5, "partition": 4, "slow": 3, "cut": 3, "clock_jump": 2}
"""How often a kind is chosen, where not once: what costs little to do and to mend, more often."""

KINDS: Final[dict[str, Fault]] = {
    fault.__name__: fault
    for fault in (
        kill,
        pause,
        partition,
        slow,
        cut,
        clock_jump,
        full_disk,
        full_bus,
        bus_killed,
        bus_restarted,
        rolling_restart,
        tool_away,
    )
}
