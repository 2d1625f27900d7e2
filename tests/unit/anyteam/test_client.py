"""The client of the HTTP API: what it sends again, and what it makes of answers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from anyteam import Client, Refused, Unreachable
from schemas.runs import HaltScope

DONE = b'{"index": 7}'


class Server:
    """A server that gives one prepared answer after another, and keeps what it was sent."""

    def __init__(self, *answers: bytes | None) -> None:
        self.asked: list[str] = []
        self._answers = list(answers)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            (line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")),
            b":0",
        )
        await reader.readexactly(int(length.partition(b":")[2]))
        self.asked.append(head.decode())
        answer = self._answers.pop(0)
        if answer is not None:
            writer.write(answer)
            await writer.drain()
        writer.close()


@asynccontextmanager
async def client_of(server: Server) -> AsyncIterator[Client]:
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    async with listening, httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
        yield Client(http)


def said(status: str, body: bytes, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", "connection: close", f"content-length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def keys(server: Server) -> list[str]:
    lines = [line for head in server.asked for line in head.split("\r\n")]
    return [line for line in lines if line.lower().startswith("idempotency-key")]


async def test_a_write_whose_answer_was_lost_is_sent_again_with_its_own_key() -> None:
    server = Server(None, said("201 Created", DONE), said("201 Created", DONE))
    async with client_of(server) as client:
        assert await client.halt(HaltScope.WORKSPACE) == 7
        assert await client.halt(HaltScope.WORKSPACE) == 7
    first, again, other = keys(server)
    assert first == again != other


async def test_a_client_that_is_too_fast_waits_as_long_as_it_is_told() -> None:
    slower = said("429 Too Many Requests", PROBLEM % b"429", "retry-after: 0")
    server = Server(slower, said("201 Created", DONE))
    async with client_of(server) as client:
        assert await client.halt(HaltScope.WORKSPACE) == 7
    assert len(set(keys(server))) == 1


PROBLEM = (
    b'{"type": "urn:anyteam:problem:not-allowed", "title": "Not with your role",'
    b' "status": %s, "detail": "you may not", "fix": "ask an admin"}'
)


async def test_a_refusal_is_told_once_with_its_kind_and_what_to_do() -> None:
    server = Server(said("403 Forbidden", PROBLEM % b"403"))
    async with client_of(server) as client:
        with pytest.raises(Refused, match="you may not") as refused:
            await client.overview()
    found = refused.value
    assert (found.status, found.kind, found.fix) == (403, "not-allowed", "ask an admin")


@pytest.mark.parametrize("answer", [said("200 OK", b"<html>"), said("502 Bad Gateway", b"<html>")])
async def test_an_answer_that_is_none_of_the_apis_is_said_to_be_that(answer: bytes) -> None:
    async with client_of(Server(answer)) as client:
        with pytest.raises(Unreachable, match="as the API does"):
            await client.overview()


async def test_pages_are_turned_until_there_are_none() -> None:
    server = Server(
        said("200 OK", b'{"items": [], "next": "abc"}'),
        said("200 OK", b'{"items": [], "next": null}'),
    )
    async with client_of(server) as client:
        assert [run async for run in client.runs(state="live")] == []
    assert "state=live&cursor=abc" in server.asked[1]
