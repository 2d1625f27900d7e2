"""What the DNS says about who holds a domain, as a fingerprint that outlives daily changes.

Counted: the name servers, the zone's start of authority (RFC 1035 section 3.3.13), where mail
is taken in, the delegation's signer (RFC 4034 section 5) and where the name is an alias to.
Not counted: addresses, serial numbers, times to live, order and case, which change while the
owner stays.

A comparison is always with what a person allowed. A small change is let through and never
becomes the new measure, so that many small ones do not add up to another owner.
"""

import hashlib
from typing import Final

import msgspec
from msgspec import Struct

from schemas.destinations import Ownership
from sidecar.destinations.names import registrable

__all__ = [
    "FORMAT",
    "Changed",
    "Ownership",
    "Same",
    "Unobservable",
    "compare",
    "fingerprint",
    "ownership",
]

FORMAT: Final = "anyteam-ownership-1"


class Unobservable(Struct, frozen=True):
    """Who holds the domain could not be seen, and why: silence, failure, no such name."""

    reason: str


class Same(Struct, frozen=True):
    """The same owner, as far as the DNS tells; `drift` says what little changed, in words."""

    drift: str = ""


class Changed(Struct, frozen=True):
    """Another owner may hold the domain: `what` changed, in words."""

    what: str


def ownership(
    domain: str,
    zone: str,
    *,
    name_servers: tuple[str, ...],
    mname: str,
    rname: str,
    mail: tuple[str, ...] = (),
    signers: tuple[str, ...] = (),
    alias: str = "",
) -> Ownership:
    """The facts in canonical form, from names in any case and order, with or without a dot."""
    return Ownership(
        domain=_plain(domain),
        zone=_plain(zone),
        name_servers=_listed(name_servers),
        mname=_plain(mname),
        rname=_plain(rname),
        mail=_listed(mail),
        signers=_listed(signers),
        alias=_plain(alias),
    )


def fingerprint(facts: Ownership) -> bytes:
    """SHA-256 of the facts in JSON with a fixed order of fields, 32 bytes."""
    return hashlib.sha256(msgspec.json.encode([FORMAT, facts], order="deterministic")).digest()


def compare(allowed: Ownership, seen: Ownership) -> Same | Changed:
    """Whether `seen` still tells of the owner that was allowed.

    Another owner: fewer than half of the name servers are left; mail is taken in by another
    operator, or starts or stops being taken in; the alias leads to another operator; both
    fields of the start of authority are new; the signature is gone. One smaller change alone,
    such as one name server of four or a new signing key, is the same owner; two at once are
    not.
    """
    if (allowed.domain, allowed.zone) != (seen.domain, seen.zone):
        return Changed(f"the facts are of {seen.domain} in {seen.zone}, another domain")
    large: list[str] = []
    small: list[str] = []
    for change, is_large in (
        _name_servers(allowed, seen),
        _authority(allowed, seen),
        _mail(allowed, seen),
        _signers(allowed, seen),
        _alias(allowed, seen),
    ):
        if change:
            (large if is_large else small).append(change)
    if large or len(small) > 1:
        return Changed("; ".join(large + small))
    return Same("; ".join(small))


def _name_servers(allowed: Ownership, seen: Ownership) -> tuple[str, bool]:
    before, after = set(allowed.name_servers), set(seen.name_servers)
    if before == after:
        return "", False
    kept = len(before & after)
    share = max(len(before), len(after))
    return f"{kept} of {share} name servers are the same", 2 * kept < share


def _authority(allowed: Ownership, seen: Ownership) -> tuple[str, bool]:
    primary = allowed.mname != seen.mname
    contact = allowed.rname != seen.rname
    if primary and contact:
        return f"the zone's primary server and contact are now {seen.mname}, {seen.rname}", True
    if primary:
        return f"the zone's primary server is now {seen.mname}", False
    return (f"the zone's contact is now {seen.rname}", False) if contact else ("", False)


def _mail(allowed: Ownership, seen: Ownership) -> tuple[str, bool]:
    if allowed.mail == seen.mail:
        return "", False
    kept = _operators(allowed.mail) & _operators(seen.mail)
    added = _operators(seen.mail) - _operators(allowed.mail)
    now = ", ".join(seen.mail) or "nowhere"
    return f"mail is now taken in at {now}", not kept or bool(added)


def _signers(allowed: Ownership, seen: Ownership) -> tuple[str, bool]:
    if allowed.signers == seen.signers:
        return "", False
    if not seen.signers:
        return "the zone is no longer signed", True
    return "the zone's signing key is new", False


def _alias(allowed: Ownership, seen: Ownership) -> tuple[str, bool]:
    if allowed.alias == seen.alias:
        return "", False
    now = f"an alias of {seen.alias}" if seen.alias else "no alias"
    return f"the name is now {now}", registrable(allowed.alias) != registrable(seen.alias)


def _operators(hosts: tuple[str, ...]) -> set[str]:
    return {registrable(host) for host in hosts}


def _plain(name: str) -> str:
    return name.strip().lower().removesuffix(".")


def _listed(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted({_plain(name) for name in names} - {""}))
