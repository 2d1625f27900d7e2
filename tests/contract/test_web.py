"""Fetching from the web: what leaves goes where it was checked to go, and nothing floods back.

Names are resolved by a DNS server of the test's, and the site has a real certificate of the
test's authority. Loopback is not public, so most tests hand in which of its addresses stand for
the internet; the others show that without that nothing on this machine is reached.
"""

import asyncio
import gzip
import ssl
import zlib
from collections.abc import AsyncIterator
from ipaddress import ip_address
from typing import Any

import pytest
import pytest_asyncio
import trustme

from schemas.actions import ActionOutcome
from schemas.addresses import Address, is_public
from sidecar.connectors.connector import MAX_RESULT_BYTES, Finding
from sidecar.connectors.web import MAX_PAGE_BYTES, MAX_REDIRECTS, WebConnector
from sidecar.destinations.resolver import Resolver
from sidecar.errors import BadTarget, Unreachable
from tests.contract.dns_server import DnsServer, Manner
from tests.contract.services import DEADLINE_S, new_key
from tests.contract.site import Site, html, page, redirect

pytestmark = pytest.mark.asyncio

OPEN = ip_address("127.0.0.1")
INTERNAL = "127.0.0.2"


def stands_for_the_internet(address: Address) -> bool:
    """The test's own network: one address of this machine is outside, all others are as ever."""
    return address == OPEN or is_public(address)


class Web:
    """The DNS, a site at the address that counts as public, and one on the inside beside it."""

    def __init__(self) -> None:
        self.authority = trustme.CA()
        self.context = ssl.create_default_context()
        self.authority.configure_trust(self.context)
        self.site, self.inside = Site(self.authority), Site(self.authority)
        names = ("docs.example", "www.docs.example", "other.example", "unlisted.example")
        self.dns = DnsServer({name: {"A": [str(OPEN)]} for name in names})

    def url(self, path: str = "/", host: str = "docs.example") -> str:
        """A URL at the site."""
        return f"https://{host}:{self.site.port}{path}"

    def connector(self, timeout_s: float = DEADLINE_S, **options: Any) -> WebConnector:
        """A connector that may fetch from the site's names."""
        names = ("docs.example", "*.docs.example", "other.example", "wrong.example")
        options.setdefault("admits", stands_for_the_internet)
        return WebConnector(
            tuple(f"{name}:{self.site.port}" for name in names),
            options.pop("http", ()),
            Resolver(["127.0.0.1"], self.dns.port, try_s=0.3, lifetime_s=1.0),
            context=self.context,
            timeout_s=timeout_s,
            **options,
        )

    async def fetch(self, url: str = "", **options: Any) -> dict[str, Any]:
        """What a fetch that must be answered gives."""
        arguments = {"url": url or self.url()}
        outcome = await self.connector(**options).execute("web.fetch", arguments, new_key())
        assert outcome.status is ActionOutcome.CONFIRMED
        assert outcome.evidence
        assert isinstance(outcome.result, dict)
        return outcome.result


@pytest_asyncio.fixture
async def web() -> AsyncIterator[Web]:
    """Everything up; the inside listens on the same port at another address."""
    made = Web()
    await made.dns.start()
    await made.site.start()
    await made.inside.start(INTERNAL, made.site.port)
    made.inside.pages["/"] = html("the inside")
    yield made
    await made.site.stop()
    await made.inside.stop()
    await made.dns.stop()


async def test_a_page_is_fetched_by_name_over_tls_with_nothing_that_tells_who_asks(
    web: Web,
) -> None:
    web.site.pages["/a?b=c"] = html("<title>T</title><p>Hello", "Set-Cookie: id=1")
    found = await web.fetch(web.url("/a?b=c"))
    assert (found["status"], found["title"], found["text"]) == (200, "T", "T\nHello")
    assert web.site.names == ["docs.example"]
    lines = web.site.heads[0].lower().split("\r\n")
    assert lines[0] == "get /a?b=c http/1.1"
    assert f"host: docs.example:{web.site.port}" in lines
    sent = {line.partition(":")[0] for line in lines[1:] if line}
    assert sent == {"host", "accept", "accept-encoding", "connection", "user-agent"}


async def test_a_certificate_for_another_name_ends_it_before_anything_is_sent(web: Web) -> None:
    web.dns.records["wrong.example"] = {"A": [str(OPEN)]}
    with pytest.raises(Unreachable):
        await web.connector().execute(
            "web.fetch", {"url": web.url(host="wrong.example")}, new_key()
        )
    assert web.site.heads == []


async def test_without_the_tests_own_network_nothing_on_this_machine_is_reached(web: Web) -> None:
    with pytest.raises(BadTarget, match="not public"):
        await web.connector(admits=is_public).execute("web.fetch", {"url": web.url()}, new_key())
    assert web.site.names == []


@pytest.mark.parametrize(
    "records",
    [
        {"A": [INTERNAL]},
        {"A": [str(OPEN), INTERNAL]},
        {"A": [str(OPEN)], "AAAA": ["::1"]},
        {"A": [str(OPEN)], "AAAA": ["::ffff:127.0.0.2"]},
        {"A": ["169.254.169.254"]},
        {"A": ["100.100.100.200"]},
        {"A": ["10.0.0.1"]},
        {"A": ["0.0.0.0"]},  # noqa: S104
        {"AAAA": ["64:ff9b::7f00:2"]},
        {"AAAA": ["2002:7f00:2::"]},
        {"AAAA": ["fd00:ec2::254"]},
    ],
)
async def test_a_name_that_leads_inside_is_refused_whatever_else_it_leads_to(
    web: Web, records: dict[str, list[str]]
) -> None:
    web.dns.records["docs.example"] = records
    with pytest.raises(BadTarget, match="not public"):
        await web.fetch()
    assert web.site.names == web.inside.names == []


async def test_an_alias_that_leads_inside_is_refused(web: Web) -> None:
    web.dns.records["docs.example"] = {"CNAME": ["metadata.example."]}
    web.dns.records["metadata.example"] = {"A": [INTERNAL]}
    with pytest.raises(BadTarget, match="not public"):
        await web.fetch()


class Rebinding(DnsServer):
    """Says the open address once, and the inside ever after."""

    def answer(self, wire: bytes, transport: str) -> bytes | None:
        reply = super().answer(wire, transport)
        if self.asked[transport, "docs.example", "A"]:
            self.records["docs.example"] = {"A": [INTERNAL]}
        return reply


async def test_a_name_that_is_bound_anew_after_the_check_changes_nothing(web: Web) -> None:
    await web.dns.stop()
    web.dns = Rebinding(web.dns.records)
    await web.dns.start()
    web.site.pages["/"] = html("the outside")
    found = await web.fetch()
    await web.dns.stop()
    assert found["text"] == "the outside"
    assert web.dns.asked["udp", "docs.example", "A"] == 1
    assert web.inside.names == []


async def test_a_name_that_is_bound_anew_between_redirects_is_refused_there(web: Web) -> None:
    await web.dns.stop()
    web.dns = Rebinding(web.dns.records)
    await web.dns.start()
    web.site.pages["/"] = redirect("/more")
    found = await web.fetch()
    await web.dns.stop()
    assert "not public" in found["problem"]
    assert web.inside.names == []
    assert len(web.site.heads) == 1


async def test_redirects_of_one_owner_are_followed_and_told_without_their_cookies(
    web: Web,
) -> None:
    www = web.url("/b", "www.docs.example")
    web.site.pages["/"] = redirect(www, "Set-Cookie: id=1; Domain=docs.example")
    web.site.pages["/b"] = html("there")
    found = await web.fetch()
    assert found["text"] == "there"
    assert found["url"] == www
    assert found["redirects"] == [web.url()]
    assert web.site.names == ["docs.example", "www.docs.example"]
    assert "cookie" not in web.site.heads[1].lower()
    assert "referer" not in web.site.heads[1].lower()


async def test_a_redirect_to_another_owner_is_told_and_not_followed(web: Web) -> None:
    other = web.url("/?stolen=1", "other.example")
    web.site.pages["/"] = redirect(other)
    found = await web.fetch()
    assert found["redirects_to"] == other
    assert found["problem"]
    assert web.site.names == ["docs.example"]


@pytest.mark.parametrize(
    "location",
    [
        "https://127.0.0.2:{port}/",
        "https://2130706434:{port}/",
        "http://docs.example/",
        "https://docs.example/",
        "https://user:word@docs.example:{port}/",
        "https://localhost:{port}/",
        "https://unlisted.example:{port}/",
        "file:///etc/passwd",
        "https://[",
    ],
)
async def test_a_redirect_that_the_rules_refuse_is_not_followed(web: Web, location: str) -> None:
    web.site.pages["/"] = redirect(location.format(port=web.site.port))
    found = await web.fetch()
    assert found["problem"]
    assert found["status"] == 302
    assert len(web.site.heads) == 1
    assert web.inside.names == []


async def test_redirects_end_after_a_number_of_them(web: Web) -> None:
    web.site.pages["/"] = redirect("/")
    found = await web.fetch()
    assert str(MAX_REDIRECTS) in found["problem"]
    assert len(web.site.heads) == MAX_REDIRECTS + 1


async def test_what_unpacks_to_too_much_is_cut(web: Web) -> None:
    bomb = gzip.compress(b"a" * 64 * 1024 * 1024, mtime=0)
    assert len(bomb) < 100_000
    web.site.pages["/"] = page("200 OK", bomb, "Content-Type: text/plain", "Content-Encoding: gzip")
    outcome = await web.connector().execute("web.fetch", {"url": web.url()}, new_key())
    assert len(outcome.evidence) == MAX_PAGE_BYTES
    assert outcome.result["truncated"]
    assert 0 < len(outcome.result["text"]) < MAX_RESULT_BYTES


async def test_a_page_without_end_is_cut(web: Web) -> None:
    async def flood(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"a" * 65_536)
            await writer.drain()

    web.site.pages["/"] = flood
    found = await web.fetch()
    assert found["truncated"]


async def test_a_packed_page_is_unpacked(web: Web) -> None:
    packed = gzip.compress(b"<p>packed", mtime=0)
    web.site.pages["/"] = page(
        "200 OK", packed, "Content-Type: text/html", "Content-Encoding: gzip"
    )
    assert (await web.fetch())["text"] == "packed"


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"%PDF", ["Content-Type: application/pdf"]),
        (b"bytes", []),
        (b"packed", ["Content-Type: text/html", "Content-Encoding: br"]),
        (b"not gzip", ["Content-Type: text/html", "Content-Encoding: gzip"]),
        (
            gzip.compress(b"cut" * 99, mtime=0)[:-9],
            ["Content-Type: text/html", "Content-Encoding: gzip"],
        ),
        (zlib.compress(b"zlib"), ["Content-Type: text/html", "Content-Encoding: gzip, gzip"]),
    ],
)
async def test_what_is_no_text_is_told_and_not_shown(
    web: Web, body: bytes, headers: list[str]
) -> None:
    web.site.pages["/"] = page("200 OK", body, *headers)
    found = await web.fetch()
    assert found["problem"]
    assert "text" not in found


async def test_a_page_that_is_not_there_is_an_answer(web: Web) -> None:
    assert (await web.fetch(web.url("/none")))["status"] == 404


async def test_silence_after_the_request_is_unknown_and_nothing_is_sent_again(web: Web) -> None:
    held = asyncio.Event()

    async def silent(_: asyncio.StreamWriter) -> None:
        await held.wait()

    web.site.pages["/"] = silent
    connector, key = web.connector(timeout_s=0.5), new_key()
    outcome = await connector.execute("web.fetch", {"url": web.url()}, key)
    held.set()
    assert outcome.status is ActionOutcome.UNKNOWN
    assert len(web.site.heads) == 1
    found = await connector.reconcile("web.fetch", {"url": web.url()}, key)
    assert found.finding is Finding.UNKNOWN


@pytest.mark.parametrize("manner", [Manner.SILENT, Manner.FAILS, Manner.GARBLES])
async def test_a_name_that_cannot_be_resolved_is_unreachable(web: Web, manner: Manner) -> None:
    web.dns.udp = web.dns.tcp = manner
    with pytest.raises(Unreachable):
        await web.fetch()


async def test_a_host_that_does_not_listen_is_unreachable(web: Web) -> None:
    await web.site.stop()
    with pytest.raises(Unreachable):
        await web.fetch()


async def test_plain_http_is_for_the_hosts_that_the_settings_name(web: Web) -> None:
    plain = Site(web.authority, tls=False)
    await plain.start()
    plain.pages["/"] = html("plain")
    url = f"http://docs.example:{plain.port}/"
    with pytest.raises(BadTarget):
        await web.fetch(url)
    assert plain.heads == []
    found = await web.fetch(url, http=(f"docs.example:{plain.port}",))
    await plain.stop()
    assert found["text"] == "plain"
