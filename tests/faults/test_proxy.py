"""The proxy holds back, delays and ends what goes through it, and loses nothing of the rest."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from tests.faults.proxy import FAIR, HOST, Proxy, Weather

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@contextlib.asynccontextmanager
async def linked() -> AsyncIterator[tuple[Proxy, Streams]]:
    """A connection through a proxy, to somebody who says again what is said."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while line := await reader.readline():
                writer.write(line)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(echo, HOST, 0)
    proxy = Proxy(server.sockets[0].getsockname()[1])
    await proxy.start()
    reader, writer = await asyncio.open_connection(HOST, proxy.port)
    try:
        async with asyncio.timeout(30):
            yield proxy, (reader, writer)
    finally:
        writer.close()
        await proxy.stop()
        server.close()


async def test_in_fair_weather_everything_goes_through() -> None:
    async with linked() as (_, (reader, writer)):
        for number in range(50):
            writer.write(f"{number}\n".encode())
        assert [await reader.readline() for _ in range(50)] == [
            f"{n}\n".encode() for n in range(50)
        ]


@pytest.mark.parametrize("weather", [Weather(up=False), Weather(down=False)])
async def test_what_a_partition_holds_back_comes_when_it_is_over(weather: Weather) -> None:
    async with linked() as (proxy, (reader, writer)):
        writer.write(b"before\n")
        assert await reader.readline() == b"before\n"
        proxy.turn(weather)
        writer.write(b"behind\n")
        answer = asyncio.ensure_future(reader.readline())
        # Time for all who could pass it on: there is no condition that says it was not.
        done, _ = await asyncio.wait({answer}, timeout=0.1)
        assert not done
        proxy.turn(FAIR)
        assert await answer == b"behind\n"


async def test_a_slow_link_is_late_and_whole() -> None:
    async with linked() as (proxy, (reader, writer)):
        proxy.turn(Weather(delay_s=0.05))
        begun = asyncio.get_running_loop().time()
        writer.write(b"slow\n")
        assert await reader.readline() == b"slow\n"
        assert asyncio.get_running_loop().time() - begun >= 0.1


async def test_a_cut_ends_what_is_connected_and_nothing_else() -> None:
    async with linked() as (proxy, (reader, writer)):
        writer.write(b"before\n")
        assert await reader.readline() == b"before\n"
        assert proxy.cut() == 1
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() == b""
        again, other = await asyncio.open_connection(HOST, proxy.port)
        other.write(b"again\n")
        assert await again.readline() == b"again\n"
        other.close()
