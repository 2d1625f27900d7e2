"""On a connection that is gone nothing is said that could be taken for another's failure."""

import asyncio
import socket
import struct
from collections.abc import Callable
from urllib.parse import urlparse

import pytest
import uvloop
from nats.aio.transport import TcpTransport

from bus.client import Client
from bus.connection import BusClient, disconnect

HOST = "127.0.0.1"
RESET = struct.pack("ii", 1, 0)

Loop = Callable[[], asyncio.AbstractEventLoop]


async def cut_off() -> BusClient:
    """A client that has something to say on a connection that was reset."""

    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        writer.close()

    async with await asyncio.start_server(reset, HOST, 0) as server:
        transport = TcpTransport()
        port = server.sockets[0].getsockname()[1]
        await transport.connect(urlparse(f"nats://{HOST}:{port}"), 4_096, 5)
        with pytest.raises(ConnectionResetError):
            await transport.read(1)
    client = BusClient()
    client._transport = transport
    client._current_server = object()
    client._flush_queue = asyncio.Queue()
    client._status = Client.RECONNECTING
    await client._send_command(b"PUB a 0\r\n\r\n")
    return client


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_what_a_lost_connection_still_had_to_say_keeps_nobody_from_closing(loop: Loop) -> None:
    async def close() -> None:
        client = await cut_off()
        heard: asyncio.Queue[object] = asyncio.Queue()
        subscription = await client.subscribe("b", cb=heard.put)
        waiting = subscription._wait_for_msgs_task
        await disconnect(client)
        assert client.is_closed
        assert waiting is not None
        await asyncio.wait({waiting}, timeout=5)
        assert waiting.done()

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(close())


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_who_speaks_on_a_connection_that_nobody_knows_is_lost_hears_no_answer_and_no_error(
    loop: Loop,
) -> None:
    async def say() -> None:
        client = await cut_off()
        client._status = Client.CONNECTED
        await client.publish("c", b"said")
        assert client.is_connected

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(say())


@pytest.mark.parametrize("error", [OSError(), RuntimeError(), AttributeError()])
async def test_however_a_transport_says_that_it_is_closed_the_client_is_closed(
    error: Exception,
) -> None:
    class Closed(TcpTransport):
        def __bool__(self) -> bool:
            return True

        def writelines(self, payload: list[bytes]) -> None:
            raise error

    client = await cut_off()
    client._transport = Closed()
    await disconnect(client)
    assert client.is_closed
