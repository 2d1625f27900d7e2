"""Posting to a real receiver over TCP and TLS: what leaves goes where it was checked to go.

Names are the test's own, at loopback; the settings name it as private, but where a test shows
that without that nothing on this machine is reached.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from ipaddress import ip_address
from pathlib import Path

import pytest
import trustme

from projections.webhooks.endpoint import TlsChoice
from projections.webhooks.errors import BadEndpoint
from projections.webhooks.progress import Answered, Result, Unreached
from projections.webhooks.sending import MAX_ANSWER_BYTES, Line
from projections.webhooks.target import Target, networks_of, target_of
from projections.webhooks.tls import context_of
from schemas.addresses import Address

pytestmark = pytest.mark.asyncio

HOST = "hooks.example.com"
OWN = networks_of(["127.0.0.1"])
BODY, HEADERS = b'{"type":"run.started"}', {"webhook-id": "evt_1"}

Manner = Callable[[asyncio.StreamWriter], Awaitable[None]]


class Receiver:
    """Answers each request with `answer`; `requests` are (head, body), `connections` counts."""

    def __init__(self) -> None:
        self.answer: bytes | Manner = b"HTTP/1.1 204 No Content\r\n\r\n"
        self.requests: list[tuple[str, bytes]] = []
        self.connections = 0
        self.peers: list[object] = []
        self.names: list[str | None] = []
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.peers.append(writer.get_extra_info("peercert"))
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = int(head.lower().partition("content-length: ")[2].split("\r\n")[0])
                self.requests.append((head, await reader.readexactly(length)))
                if not isinstance(self.answer, bytes):
                    await self.answer(writer)
                    return
                writer.write(self.answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def receiving(context: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    receiver = Receiver()
    if context is not None:
        context.sni_callback = lambda _, name, __: receiver.names.append(name)
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0, ssl=context)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()


async def at_loopback(target: Target) -> tuple[Address, ...]:
    """The names of the test: all at one address of this machine."""
    return (ip_address("127.0.0.1"),)


def line(
    receiver: Receiver,
    *,
    scheme: str = "http",
    host: str = HOST,
    tls: TlsChoice | None = None,
    private: bool = True,
    lookup: Callable[[Target], Awaitable[tuple[Address, ...]]] = at_loopback,
    timeout_s: float = 20.0,
) -> Line:
    return Line(
        target_of(f"{scheme}://{host}:{receiver.port}/hook?a=b"),
        context_of(tls or TlsChoice()),
        lookup,
        private=OWN if private else (),
        timeout_s=timeout_s,
    )


async def once(one: Line) -> Result:
    try:
        return await one.post(BODY, HEADERS)
    finally:
        await one.aclose()


async def test_messages_of_one_endpoint_share_a_connection() -> None:
    async with receiving() as receiver:
        one = line(receiver)
        results = [await one.post(BODY, HEADERS) for _ in range(5)]
        await one.aclose()
    assert results == [Answered(204)] * 5
    assert (receiver.connections, len(receiver.requests)) == (1, 5)


async def test_a_request_is_what_the_documentation_says() -> None:
    async with receiving() as receiver:
        await once(line(receiver))
    head, body = receiver.requests[0]
    lines = head.lower().split("\r\n")
    assert lines[0] == "post /hook?a=b http/1.1"
    assert f"host: {HOST}:{receiver.port}" in lines
    assert "content-type: application/json" in lines
    assert "webhook-id: evt_1" in lines
    assert body == BODY
    assert not any(one.startswith(("cookie", "authorization", "referer")) for one in lines)


async def test_without_leave_of_the_settings_nothing_on_this_machine_is_reached() -> None:
    async with receiving() as receiver:
        result = await once(line(receiver, private=False))
    assert isinstance(result, Unreached)
    assert "not public" in result.reason
    assert receiver.connections == 0


async def test_a_name_that_leads_inside_besides_is_not_connected_to_at_all() -> None:
    async def both(target: Target) -> tuple[Address, ...]:
        return ip_address("127.0.0.1"), ip_address("169.254.169.254")

    async with receiving() as receiver:
        result = await once(line(receiver, lookup=both))
    assert isinstance(result, Unreached)
    assert receiver.connections == 0


async def test_a_name_is_looked_up_again_after_a_failure_and_checked_again() -> None:
    turns = iter(["127.0.0.1", "169.254.169.254"])

    async def rebound(target: Target) -> tuple[Address, ...]:
        return (ip_address(next(turns)),)

    async with receiving() as receiver:
        one = line(receiver, lookup=rebound)
        receiver.answer = b"nonsense\r\n\r\n"
        first, second = await one.post(BODY, HEADERS), await one.post(BODY, HEADERS)
        await one.aclose()
    assert isinstance(first, Unreached) and "not answered" in first.reason
    assert isinstance(second, Unreached) and "not public" in second.reason
    assert receiver.connections == 1


async def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    async with receiving() as receiver, receiving() as other:
        receiver.answer = (
            f"HTTP/1.1 307 Away\r\nLocation: http://127.0.0.1:{other.port}/\r\n"
            "Content-Length: 0\r\n\r\n"
        ).encode()
        assert await once(line(receiver)) == Answered(307)
    assert other.connections == 0


async def test_what_a_receiver_asks_for_is_told() -> None:
    async with receiving() as receiver:
        receiver.answer = b"HTTP/1.1 429 Slow\r\nRetry-After: 17\r\nContent-Length: 0\r\n\r\n"
        assert await once(line(receiver)) == Answered(429, 17)


async def test_an_answer_without_end_is_read_so_far_and_no_further() -> None:
    sent = 0

    async def endless(writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"x" * 65_536)
            sent += 65_536
            await writer.drain()

    async with receiving() as receiver:
        receiver.answer = endless
        assert await once(line(receiver)) == Answered(200)
    # What the sockets between hold comes on top of what is read.
    assert sent < MAX_ANSWER_BYTES + 16 * 1024 * 1024


async def test_a_receiver_that_says_nothing_is_given_up_in_time() -> None:
    async def silent(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(60)

    async with receiving() as receiver:
        receiver.answer = silent
        result = await once(line(receiver, timeout_s=0.3))
    assert result == Unreached("no answer within 0.3 s")


async def test_nobody_there_is_no_connection() -> None:
    async with receiving() as receiver:
        pass
    result = await once(line(receiver))
    assert isinstance(result, Unreached)
    assert "no connection" in result.reason


class Authority:
    """A certificate authority of the test's, its files, and contexts of receivers under it."""

    def __init__(self, home: Path) -> None:
        self.ca = trustme.CA()
        self.roots = home / "roots.pem"
        self.ca.cert_pem.write_to_path(self.roots)
        client = self.ca.issue_cert("sender.example.com")
        self.certificate, self.key = home / "client.pem", home / "client.key"
        for blob in client.cert_chain_pems:
            blob.write_to_path(self.certificate, append=True)
        client.private_key_pem.write_to_path(self.key)
        self.key.chmod(0o600)

    def server(self, *, mutual: bool = False) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert(HOST).configure_cert(context)
        if mutual:
            self.ca.configure_trust(context)
            context.verify_mode = ssl.CERT_REQUIRED
        return context


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


async def test_the_certificate_is_held_against_the_hosts_name(authority: Authority) -> None:
    tls = TlsChoice(roots=str(authority.roots))
    async with receiving(authority.server()) as receiver:
        assert await once(line(receiver, scheme="https", tls=tls)) == Answered(204)
        wrong = await once(line(receiver, scheme="https", host="other.example.com", tls=tls))
        unknown = await once(line(receiver, scheme="https"))
    assert receiver.names == [HOST, "other.example.com", HOST]
    assert isinstance(wrong, Unreached) and isinstance(unknown, Unreached)
    assert len(receiver.requests) == 1


async def test_a_receiver_that_wants_a_client_certificate_gets_the_endpoints(
    authority: Authority,
) -> None:
    roots = str(authority.roots)
    own = TlsChoice(roots=roots, certificate=str(authority.certificate), key=str(authority.key))
    async with receiving(authority.server(mutual=True)) as receiver:
        assert await once(line(receiver, scheme="https", tls=own)) == Answered(204)
        peer = receiver.peers[0]
        assert "sender.example.com" in str(peer)
        without = await once(line(receiver, scheme="https", tls=TlsChoice(roots=roots)))
    assert isinstance(without, Unreached)
    assert len(receiver.requests) == 1


async def test_tls_files_that_are_no_use_are_named(authority: Authority, tmp_path: Path) -> None:
    certificate, key = str(authority.certificate), str(authority.key)
    bad = tmp_path / "bad.pem"
    bad.write_text("no certificate")
    for choice in (
        TlsChoice(roots=str(bad)),
        TlsChoice(roots=str(tmp_path / "missing.pem")),
        TlsChoice(certificate=certificate),
        TlsChoice(certificate=str(bad), key=key),
    ):
        with pytest.raises(BadEndpoint):
            context_of(choice)
