"""A TCP proxy that does to a connection what networks do: delay, silence, half of it, an end.

It passes bytes on and reads none of them, so TLS goes through it from end to end. What is held
back by a partition is neither lost nor reordered within a connection, as TCP has it: it comes late,
or the connection ends.
"""

import asyncio
import contextlib
import socket
import struct
from typing import Final

from msgspec import Struct

HOST: Final = "127.0.0.1"
_CHUNK: Final = 65_536
_RESET: Final = struct.pack("ii", 1, 0)


class Weather(Struct, frozen=True, kw_only=True):
    """How the link is. `up` is from whoever connects, `down` to them: False lets nothing through
    that way. Each chunk is `delay_s` late, and `rate` bytes a second go through, 0 for all.
    """

    up: bool = True
    down: bool = True
    delay_s: float = 0.0
    rate: int = 0

    @property
    def clear(self) -> bool:
        """Nothing is held up."""
        return self.up and self.down


FAIR: Final = Weather()


class Link:
    """One party's way to a bus: a proxy before each of its servers."""

    def __init__(self, count: int) -> None:
        self.proxies = [Proxy(0) for _ in range(count)]

    async def start(self) -> None:
        """Listen."""
        for proxy in self.proxies:
            await proxy.start()

    async def stop(self) -> None:
        """Listen no more, and end every connection."""
        for proxy in self.proxies:
            await proxy.stop()

    def lead(self, url: str) -> None:
        """From now on it leads to these servers, as many as there are proxies."""
        for proxy, server in zip(self.proxies, url.split(","), strict=True):
            proxy.upstream = int(server.rpartition(":")[2])

    @property
    def url(self) -> str:
        """What the party is told of the bus."""
        return ",".join(f"tls://{HOST}:{proxy.port}" for proxy in self.proxies)

    def turn(self, weather: Weather) -> None:
        """As `Proxy.turn`."""
        for proxy in self.proxies:
            proxy.turn(weather)

    def cut(self) -> int:
        """As `Proxy.cut`."""
        return sum(proxy.cut() for proxy in self.proxies)


class Proxy:
    """A port of ours before a port of somebody's, which may change (`upstream`)."""

    def __init__(self, upstream: int) -> None:
        self.upstream = upstream
        self.port = 0
        self._weather = FAIR
        self._changed = asyncio.Event()
        self._links: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen on a port that the system chooses."""
        self._server = await asyncio.start_server(self._serve, HOST, 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Listen no more, and end every connection."""
        if self._server is not None:
            self._server.close()
        links = list(self._links)
        for task in links:
            task.cancel()
        await asyncio.gather(*links, return_exceptions=True)

    def turn(self, weather: Weather) -> None:
        """From now on the link is like this, for what is connected and for what comes."""
        self._weather = weather
        self._changed.set()
        self._changed = asyncio.Event()

    def cut(self) -> int:
        """Reset every connection, as a router does that has forgotten them; how many there were."""
        links = list(self._links.items())
        for task, writer in links:
            sock = writer.get_extra_info("socket")
            if sock is not None:
                with contextlib.suppress(OSError):
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            task.cancel()
        return len(links)

    async def _serve(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._links[task] = back
        forth: asyncio.StreamWriter | None = None
        try:
            await self._passable(up=True)
            far, forth = await asyncio.open_connection(HOST, self.upstream)
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pass(near, forth, up=True))
                both.create_task(self._pass(far, back, up=False))
        except (OSError, ExceptionGroup, asyncio.CancelledError):
            # Whichever end went first, the other is told by the end of its connection.
            pass
        finally:
            del self._links[task]
            for writer in (back, forth):
                if writer is not None:
                    writer.close()

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, up: bool
    ) -> None:
        while data := await reader.read(_CHUNK):
            await self._passable(up=up)
            weather = self._weather
            late = weather.delay_s + (len(data) / weather.rate if weather.rate else 0.0)
            if late:
                await asyncio.sleep(late)
                await self._passable(up=up)
            writer.write(data)
            await writer.drain()
        raise ConnectionResetError("the other end is gone")

    async def _passable(self, *, up: bool) -> None:
        while not (self._weather.up if up else self._weather.down):
            await self._changed.wait()
