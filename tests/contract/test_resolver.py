"""The resolver against a real DNS server whose zone changes hands while it is watched."""

import asyncio
import copy
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from schemas.names import SECOND
from sidecar.destinations.fingerprint import (
    Changed,
    Ownership,
    Same,
    Unobservable,
    compare,
    fingerprint,
)
from sidecar.destinations.resolver import Resolver
from sidecar.destinations.schedule import Standing, allowed, judge, looked
from tests.contract.dns_server import DnsServer, Manner

NOW = 1_800_000_000 * SECOND
DOMAIN = "boeing.example"
BRIEF_S = 0.4

ZONE: dict[str, dict[str, list[str]]] = {
    DOMAIN: {
        "SOA": ["NS1.dns-one.example. hostmaster.boeing.example. 7 3600 600 86400 60"],
        "NS": [f"ns{n}.DNS-one.example." for n in (4, 3, 2, 1)],
        "MX": ["10 mx1.post-one.example.", "20 mx2.post-one.example."],
        "A": ["192.0.2.1"],
        "DS": ["12345 13 2 " + "ab" * 32],
    },
    "files.boeing.example": {"CNAME": ["tenant.host-one.example."]},
    "tenant.host-one.example": {"A": ["192.0.2.2"]},
    "xn--bcher-kva.example": {
        "SOA": ["ns1.dns-one.example. hostmaster.dns-one.example. 1 1 1 1 1"],
        "NS": ["ns1.dns-one.example."],
        "MX": ["0 ."],
    },
}


@pytest_asyncio.fixture
async def server() -> AsyncIterator[DnsServer]:
    """The server, with the zone as its owner has it."""
    started = DnsServer(copy.deepcopy(ZONE))
    await started.start()
    yield started
    await started.stop()


def resolver(server: DnsServer, lifetime_s: float = 10.0) -> Resolver:
    """One that asks the test's server, patient unless told otherwise."""
    return Resolver(["127.0.0.1"], server.port, try_s=0.3, lifetime_s=lifetime_s)


async def seen(server: DnsServer, domain: str = DOMAIN) -> Ownership:
    """What is observed, where it must be."""
    observed = await resolver(server).observe(domain)
    assert isinstance(observed, Ownership), observed
    return observed


async def unseen(server: DnsServer, domain: str = DOMAIN, lifetime_s: float = 10.0) -> Unobservable:
    """What there is instead, where nothing may be observed."""
    observed = await resolver(server, lifetime_s).observe(domain)
    assert isinstance(observed, Unobservable), observed
    return observed


async def test_the_facts_are_those_of_the_zone_in_canonical_form(server: DnsServer) -> None:
    assert await seen(server) == Ownership(
        domain=DOMAIN,
        zone=DOMAIN,
        name_servers=tuple(f"ns{n}.dns-one.example" for n in (1, 2, 3, 4)),
        mname="ns1.dns-one.example",
        rname="hostmaster.boeing.example",
        mail=("mx1.post-one.example", "mx2.post-one.example"),
        signers=("12345 13 2 " + "ab" * 32,),
    )
    assert {transport for transport, _, _ in server.asked} == {"udp"}
    assert {kind for _, _, kind in server.asked} == {"NS", "SOA", "MX", "DS"}


async def test_a_mail_host_that_takes_none_and_an_unsigned_zone_are_facts_too(
    server: DnsServer,
) -> None:
    facts = await seen(server, "xn--bcher-kva.example")
    assert facts.mail == ()
    assert facts.signers == ()


async def test_a_name_in_a_zone_has_the_zones_owner_and_its_own_alias(server: DnsServer) -> None:
    facts = await seen(server, "files.boeing.example")
    assert facts.zone == DOMAIN
    assert facts.name_servers == (await seen(server)).name_servers
    assert facts.alias == "tenant.host-one.example"
    server.records["files.boeing.example"]["CNAME"] = ["eve.host-two.example."]
    server.records["eve.host-two.example"] = {"A": ["192.0.2.66"]}
    taken = await seen(server, "files.boeing.example")
    assert isinstance(compare(facts, taken), Changed)


async def test_daily_changes_leave_the_fingerprint(server: DnsServer) -> None:
    before = await seen(server)
    zone = server.records[DOMAIN]
    zone["SOA"] = [zone["SOA"][0].replace(" 7 3600", " 8 7200")]
    zone["A"] = ["198.51.100.9"]
    zone["NS"].reverse()
    zone["MX"] = ["30 mx2.post-one.example.", "5 MX1.post-one.example."]
    assert fingerprint(await seen(server)) == fingerprint(before)


def _sold(server: DnsServer) -> None:
    server.records[DOMAIN] = {
        "SOA": ["ns1.parked.example. hostmaster.parked.example. 1 3600 600 86400 60"],
        "NS": ["ns1.parked.example.", "ns2.parked.example."],
        "MX": ["10 mx.parked.example."],
    }


def _redelegated(server: DnsServer) -> None:
    server.records[DOMAIN]["NS"] = [f"ns{n}.dns-two.example." for n in (1, 2, 3, 4)]


def _mail_moved(server: DnsServer) -> None:
    server.records[DOMAIN]["MX"] = ["10 mx1.post-two.example."]


def _mail_joined(server: DnsServer) -> None:
    server.records[DOMAIN]["MX"].append("5 mx1.post-two.example.")


def _unsigned(server: DnsServer) -> None:
    del server.records[DOMAIN]["DS"]


def _two_small(server: DnsServer) -> None:
    server.records[DOMAIN]["DS"] = ["54321 13 2 " + "cd" * 32]
    server.records[DOMAIN]["NS"][0] = "ns9.dns-two.example."


@pytest.mark.parametrize(
    "change", [_sold, _redelegated, _mail_moved, _mail_joined, _unsigned, _two_small]
)
async def test_a_destination_whose_domain_changes_hands_is_alive_no_more(
    server: DnsServer, change: Callable[[DnsServer], None]
) -> None:
    entry = allowed(await seen(server), NOW, 90 * 24 * 3600)
    later = NOW + 3600 * SECOND
    assert judge(entry, await seen(server), later).standing is Standing.ALIVE
    change(server)
    observed = await seen(server)
    assert judge(entry, observed, later).standing is Standing.CHANGED
    entry = looked(entry, observed, later)
    server.udp = Manner.SILENT
    blind = await unseen(server, lifetime_s=BRIEF_S)
    assert judge(entry, blind, later).standing is Standing.CHANGED


async def test_one_rotated_name_server_is_the_same_owner(server: DnsServer) -> None:
    before = await seen(server)
    server.records[DOMAIN]["NS"][0] = "ns5.dns-one.example."
    assert compare(before, await seen(server)) == Same("3 of 4 name servers are the same")


async def test_a_domain_that_vanishes_is_not_believed_until_it_comes_back(
    server: DnsServer,
) -> None:
    entry = allowed(await seen(server), NOW, 90 * 24 * 3600)
    zone = server.records.pop(DOMAIN)
    gone = await unseen(server)
    assert gone == Unobservable("there is no such domain")
    entry = looked(entry, gone, NOW + SECOND)
    judgement = judge(entry, None, NOW + SECOND)
    assert judgement.standing is Standing.UNVERIFIED
    assert "no such domain" in judgement.reason
    server.records[DOMAIN] = zone
    entry = looked(entry, await seen(server), NOW + 2 * SECOND)
    assert judge(entry, None, NOW + 2 * SECOND).standing is Standing.ALIVE


@pytest.mark.parametrize(
    ("manner", "reason"),
    [
        (Manner.SILENT, "in time"),
        (Manner.GARBLES, ""),
        (Manner.FAILS, "failed or refused"),
        (Manner.REFUSES, "failed or refused"),
        (Manner.MISNUMBERS, ""),
        (Manner.MISTAKES, ""),
    ],
)
async def test_a_server_that_does_not_answer_the_question_shows_nothing(
    server: DnsServer, manner: Manner, reason: str
) -> None:
    server.udp = server.tcp = manner
    assert reason in (await unseen(server, lifetime_s=BRIEF_S)).reason
    assert server.asked


async def test_a_server_that_went_away_shows_nothing(server: DnsServer) -> None:
    await server.stop()
    await unseen(server, lifetime_s=BRIEF_S)


async def test_each_name_server_may_have_a_port_of_its_own(server: DnsServer) -> None:
    one = Resolver([f"127.0.0.1:{server.port}"], try_s=0.3, lifetime_s=5.0)
    assert isinstance(await one.observe(DOMAIN), Ownership)


@pytest.mark.parametrize("written", ["dns.example", "127.0.0.1:0", "127.0.0.1:70000", "[::1", ""])
def test_a_name_server_is_an_address_with_or_without_a_port(written: str) -> None:
    with pytest.raises(ValueError, match=r"IP address|port"):
        Resolver([written])


async def test_a_lost_datagram_is_asked_for_again(server: DnsServer) -> None:
    server.udp = Manner.LOSES_THE_FIRST
    assert isinstance(await seen(server), Ownership)
    assert set(server.asked.values()) == {2}


async def test_a_truncated_answer_is_fetched_over_tcp(server: DnsServer) -> None:
    whole = await seen(server)
    server.truncates = True
    assert await seen(server) == whole
    assert sum(server.asked[key] for key in server.asked if key[0] == "tcp") == 4


async def test_a_truncated_answer_alone_shows_nothing(server: DnsServer) -> None:
    server.truncates = True
    server.tcp = Manner.SILENT
    await unseen(server, lifetime_s=BRIEF_S)


async def test_a_long_allowlist_is_looked_at_whole(server: DnsServer) -> None:
    names = [f"d{n}.example" for n in range(300)]
    server.records |= dict.fromkeys(names, server.records[DOMAIN])
    one = resolver(server)
    found = await asyncio.gather(*(one.observe(name) for name in names))
    assert [facts.domain for facts in found if isinstance(facts, Ownership)] == names


@pytest.mark.parametrize("kind", ["NS", "SOA"])
async def test_a_lame_delegation_shows_nothing(server: DnsServer, kind: str) -> None:
    del server.records[DOMAIN][kind]
    assert "no name servers or start of authority" in (await unseen(server)).reason


async def test_a_tenant_without_a_zone_of_its_own_shows_nothing(server: DnsServer) -> None:
    server.records["one.github.io"] = {"A": ["192.0.2.3"]}
    assert "of its own" in (await unseen(server, "one.github.io")).reason


async def test_a_registered_domain_that_is_an_alias_shows_nothing(server: DnsServer) -> None:
    server.records["eve.example"] = server.records[DOMAIN]
    server.records[DOMAIN] = {"CNAME": ["eve.example."]}
    assert "alias" in (await unseen(server)).reason


async def test_an_alias_that_leads_to_itself_shows_nothing(server: DnsServer) -> None:
    server.records["files.boeing.example"]["CNAME"] = ["files.boeing.example."]
    await unseen(server, "files.boeing.example")


@pytest.mark.parametrize(
    "name", ["192.0.2.1", "localhost", "Boeing.example", "boeing.example.", ""]
)
async def test_only_a_canonical_domain_name_is_asked_about(server: DnsServer, name: str) -> None:
    assert "canonical" in (await unseen(server, name)).reason
    assert not server.asked
