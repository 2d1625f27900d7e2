"""The DNS, asked who holds a domain, or where a host is. The only file that reaches it.

dnspython does the asking: retries, the fall-back to TCP for truncated answers, and the
matching of answers to questions (RFC 5452). Nothing is cached here: a check that may be
answered from an old answer is none. What the resolver is told is believed as far as the
name servers given to it are; put a validating resolver there.
"""

import asyncio
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, Final

import dns.asyncresolver
import dns.exception
import dns.name
import dns.nameserver
import dns.rdatatype
import dns.resolver

from schemas.nameservers import DNS_PORT, name_server
from sidecar.destinations.fingerprint import Ownership, Unobservable, ownership
from sidecar.destinations.names import canonical, is_address, registrable

TRY_S: Final = 2.0
LIFETIME_S: Final = 6.0
AT_ONCE: Final = 32
"""Domains looked at side by side: a long allowlist must not drown its own questions."""


class Resolver:
    """Asks `name_servers` (see `schemas.nameservers`), or the system's where none is given.

    A question gets `try_s` seconds per try and `lifetime_s` seconds in all. Raises ValueError
    where a name server is no IP address. A system that has none configured answers nothing.
    """

    def __init__(
        self,
        name_servers: Sequence[str] = (),
        port: int = DNS_PORT,
        *,
        try_s: float = TRY_S,
        lifetime_s: float = LIFETIME_S,
    ) -> None:
        try:
            self._resolver = dns.asyncresolver.Resolver(configure=not name_servers)
        except dns.resolver.NoResolverConfiguration:
            self._resolver = dns.asyncresolver.Resolver(configure=False)
        if name_servers:
            known = [name_server(written, port) for written in name_servers]
            self._resolver.nameservers = [dns.nameserver.Do53Nameserver(*one) for one in known]
        self._resolver.timeout = try_s
        self._resolver.lifetime = lifetime_s
        self._resolver.cache = None
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def observe(self, domain: str) -> Ownership | Unobservable:
        """Who holds `domain`, a canonical name, by the DNS of now.

        Whatever the DNS answers, or does not, comes back as a value. A tenant of a hosting
        service has no zone of its own, and cannot be observed.
        """
        if canonical(domain) != domain or is_address(domain) or "." not in domain:
            return Unobservable("it is no domain name in canonical form")
        async with self._turns:
            return await self._observe(domain)

    async def addresses(self, host: str) -> tuple[IPv4Address | IPv6Address, ...] | Unobservable:
        """Where `host`, a canonical name, is by the DNS of now: IPv4 first. None is no answer.

        One question for each kind of address. A kind that cannot be asked for is left out.
        """
        if canonical(host) != host or is_address(host):
            return Unobservable("it is no host name in canonical form")
        async with self._turns:
            answers = await asyncio.gather(
                self._ask(host, "A"), self._ask(host, "AAAA"), return_exceptions=True
            )
        found: list[IPv4Address | IPv6Address] = []
        why = "it has none"
        for answer in answers:
            if isinstance(answer, dns.exception.DNSException):
                why = _words(answer)
            elif isinstance(answer, BaseException):
                raise answer
            else:
                found += [ip_address(record.address) for record in _records(answer)]
        return tuple(found) or Unobservable(why)

    async def _observe(self, domain: str) -> Ownership | Unobservable:
        zone = registrable(domain)
        answers: list[dns.resolver.Answer] = []
        for answer in await asyncio.gather(
            self._ask(zone, "NS"),
            self._ask(zone, "SOA"),
            self._ask(zone, "DS"),
            self._ask(domain, "MX"),
            return_exceptions=True,
        ):
            if isinstance(answer, dns.exception.DNSException):
                return Unobservable(_words(answer))
            if isinstance(answer, BaseException):
                raise answer
            answers.append(answer)
        return _facts(domain, zone, *answers)

    async def _ask(self, name: str, kind: str) -> dns.resolver.Answer:
        return await self._resolver.resolve(
            dns.name.from_text(name), kind, raise_on_no_answer=False, search=False
        )


def _facts(
    domain: str,
    zone: str,
    servers: dns.resolver.Answer,
    authority: dns.resolver.Answer,
    signers: dns.resolver.Answer,
    mail: dns.resolver.Answer,
) -> Ownership | Unobservable:
    apex = dns.name.from_text(zone)
    if any(answer.canonical_name != apex for answer in (servers, authority, signers)):
        return Unobservable(f"{zone} is an alias, which no registered domain can be")
    starts = _records(authority)
    if not starts or not _records(servers):
        return Unobservable(f"{zone} has no name servers or start of authority of its own")
    end = mail.canonical_name
    return ownership(
        domain,
        zone,
        name_servers=tuple(record.target.to_text() for record in _records(servers)),
        mname=starts[0].mname.to_text(),
        rname=starts[0].rname.to_text(),
        mail=tuple(record.exchange.to_text() for record in _records(mail)),
        signers=tuple(record.to_text() for record in _records(signers)),
        alias="" if end == dns.name.from_text(domain) else end.to_text(),
    )


def _records(answer: dns.resolver.Answer) -> list[Any]:
    # Typed by the library as the base of all records; each kind has fields of its own.
    return list(answer.rrset or ())


def _words(failure: BaseException) -> str:
    match failure:
        case dns.resolver.NXDOMAIN():
            return "there is no such domain"
        case dns.resolver.LifetimeTimeout():
            return "no name server answered in time"
        case dns.resolver.NoNameservers():
            return "the name servers failed or refused to answer"
        case _:
            return f"the DNS cannot be asked: {type(failure).__name__}"
