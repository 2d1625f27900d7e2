"""What the CRM connector makes of a service that answers off its protocol."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from schemas.actions import ActionOutcome
from sidecar.connectors.crm import CrmConnector
from sidecar.connectors.http import MAX_ANSWER_BYTES
from sidecar.errors import BadTarget, ConnectorError, Denied, Garbled, TargetRefused, Unreachable
from tests.contract.services import CrmBench, new_key

pytestmark = pytest.mark.asyncio


def answer(status: str, body: bytes = b"", *headers: str) -> bytes:
    """An HTTP/1.1 answer."""
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


@asynccontextmanager
async def canned(reply: Callable[[int], bytes]) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A server that reads a request's head and gives `reply(port)`; its port, and the heads."""
    heads: list[bytes] = []
    ports: list[int] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(reply(ports[0]))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    ports.append(server.sockets[0].getsockname()[1])
    try:
        yield ports[0], heads
    finally:
        server.close()


def elsewhere(port: int) -> bytes:
    """A redirect to the same server."""
    return answer("307 Temporary Redirect", b"", f"Location: http://127.0.0.1:{port}/elsewhere")


CASES: dict[str, tuple[Callable[[int], bytes], type[ConnectorError], bool]] = {
    "no JSON": (lambda _: answer("200 OK", b"<html>"), Garbled, True),
    "other JSON": (lambda _: answer("200 OK", b'{"deals": 1}'), Garbled, True),
    "too long": (lambda _: answer("200 OK", b" " * (MAX_ANSWER_BYTES + 1)), Garbled, True),
    "redirect": (elsewhere, Garbled, True),
    "no HTTP": (lambda _: b"220 mail.example\r\n", Unreachable, True),
    "nothing": (lambda _: b"", Unreachable, True),
    "cut short": (lambda _: answer("200 OK", b"{}")[:-1], Unreachable, True),
    "failure": (lambda _: answer("503 Service Unavailable"), Unreachable, True),
    "too many": (lambda _: answer("429 Too Many Requests"), TargetRefused, False),
    "forbidden": (lambda _: answer("403 Forbidden"), Denied, False),
    "not found": (lambda _: answer("404 Not Found"), BadTarget, False),
}


@pytest.mark.parametrize("case", CASES)
async def test_a_read_that_is_not_answered_properly_is_an_error(case: str) -> None:
    reply, error, _ = CASES[case]
    async with canned(reply) as (port, heads):
        connector = CrmConnector(f"http://127.0.0.1:{port}", "not-a-real-token")
        with pytest.raises(error):
            await connector.execute("crm.list_deals", {"account": "acc-1"}, new_key())
    assert len(heads) == 1


@pytest.mark.parametrize("case", CASES)
async def test_an_update_that_is_not_answered_properly_is_unknown_unless_it_was_refused(
    case: str,
) -> None:
    reply, error, in_doubt = CASES[case]
    async with canned(reply) as (port, heads):
        connector = CrmConnector(f"http://127.0.0.1:{port}", "not-a-real-token")
        doing = connector.execute(CrmBench.tool, CrmBench.arguments, new_key())
        if in_doubt:
            assert (await doing).status is ActionOutcome.UNKNOWN
        else:
            with pytest.raises(error) as raised:
                await doing
            assert raised.value.before_effect
    assert sum(head.startswith(b"PATCH") for head in heads) == 1


@pytest.mark.parametrize("case", CASES)
async def test_a_key_that_is_not_answered_for_properly_reconciles_as_unknown(case: str) -> None:
    async with canned(CASES[case][0]) as (port, _):
        connector = CrmConnector(f"http://127.0.0.1:{port}", "not-a-real-token")
        found = await connector.reconcile(CrmBench.tool, CrmBench.arguments, new_key())
    assert found.finding.value == "unknown"
