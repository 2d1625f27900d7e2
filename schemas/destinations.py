"""Who holds a destination's domain, as the DNS tells, and the events about it.

An allowlist entry that is watched goes with the owner its domain had when it was first looked
at. Each look is on record with all it showed, so that the comparison can be made again: what
the DNS publishes is no secret.
"""

from msgspec import Struct

from schemas.names import Digest, Nanoseconds, Text
from schemas.runs import Body
from schemas.tools import AllowedDestination, Policy


class Ownership(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The facts about one domain, canonical: names in lower case, sorted, without doubles.

    `zone` is the registered domain that `name_servers`, `mname`, `rname` and `signers` (DS
    records in presentation form) belong to. `mail` and `alias` (an empty string for none)
    belong to `domain` itself.
    """

    domain: str
    zone: str
    name_servers: tuple[str, ...]
    mname: str
    rname: str
    mail: tuple[str, ...] = ()
    signers: tuple[str, ...] = ()
    alias: str = ""


class DestinationAllowed(Body, frozen=True, tag="destination.allowed"):
    """The first look at a watched domain: `owner` is what every later look is compared with.

    `fingerprint` is `owner`'s, here and in the events below.
    """

    domain: Text
    owner: Ownership
    fingerprint: Digest


class DestinationRevalidated(Body, frozen=True, tag="destination.revalidated"):
    """A look that showed the allowed owner; `drift` says what little changed, in words."""

    domain: Text
    owner: Ownership
    fingerprint: Digest
    drift: Text = ""


class DestinationUnverified(Body, frozen=True, tag="destination.unverified"):
    """A look that showed nothing: nobody answered, or there is no such domain."""

    domain: Text
    reason: Text


class DestinationBlocked(Body, frozen=True, tag="destination.blocked"):
    """A look that showed another owner: nothing goes there until an admin admits it again."""

    domain: Text
    what: Text
    owner: Ownership
    fingerprint: Digest


class DestinationReadmitted(Body, frozen=True, tag="destination.readmitted"):
    """An admin takes the owner of this fingerprint, among those seen, for the right one."""

    domain: Text
    fingerprint: Digest
    reason: Text


class DestinationExpired(Body, frozen=True, tag="destination.expired"):
    """An entry of the allowlist, as the policy writes it, is over since `expires`."""

    destination: Text
    expires: Nanoseconds


def domain_of(entry: AllowedDestination) -> str:
    """The domain that an entry is about, as layer 10 has it."""
    return entry.destination.casefold().rpartition("@")[2]


def watched_domains(policy: Policy) -> frozenset[str]:
    """The domains whose owner a policy wants watched."""
    return frozenset(domain_of(entry) for entry in policy.destinations if entry.owned)
