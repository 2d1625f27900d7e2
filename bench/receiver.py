"""A receiver that does nothing but answer: `python -m bench.receiver`, until its input ends.

It prints its port, and then for each number read from its input waits for so many more requests
and prints how many seconds lay between the first and the last of them.
"""

import asyncio
import sys
import time
from typing import cast

import uvloop

from bus.lifeline import stdin_reader

ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"


class Receiver(asyncio.Protocol):
    """One connection; requests come one after the other, each with its length."""

    times: list[float] = []  # noqa: RUF012 - one process, one list
    more = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are of no common base with asyncio's.
        self._transport, self._buffer = cast(asyncio.Transport, transport), b""

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while True:
            head, found, rest = self._buffer.partition(b"\r\n\r\n")
            if not found:
                return
            length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
            if len(rest) < length:
                return
            self._buffer = rest[length:]
            self.times.append(time.perf_counter())
            self.more.set()
            self._transport.write(ANSWER)


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Receiver, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    reader = await stdin_reader()
    while line := await reader.readline():
        wanted = int(line)
        while len(Receiver.times) < wanted:
            Receiver.more.clear()
            await Receiver.more.wait()
        print(Receiver.times[wanted - 1] - Receiver.times[0], flush=True)
        del Receiver.times[:wanted]


if __name__ == "__main__":
    sys.exit(uvloop.run(_serve()))
