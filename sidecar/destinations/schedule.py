"""When an allowed destination is checked again, and what the check means for the next effect.

The rule: a destination is alive only until its expiry, only while its owner is the one who
was allowed, and only for a grace after it was last seen to be so. A look that showed nothing
ends that at once: silence never counts as unchanged. Instants are in ns since the epoch,
spans in seconds.
"""

from enum import StrEnum
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from schemas.names import SECOND
from sidecar.destinations.fingerprint import (
    Changed,
    Ownership,
    Unobservable,
    compare,
    fingerprint,
)

GRACE_S: Final = 24 * 3600
"""How long an owner who was seen counts where policy does not say."""

RETRY_S: Final = 60
"""The wait after a look that showed nothing; it doubles with each one that follows."""


class Standing(StrEnum):
    """Whether a destination may be written to: only where it is alive."""

    ALIVE = "alive"
    EXPIRED = "expired"
    CHANGED = "changed"
    UNVERIFIED = "unverified"


class Destination(Struct, frozen=True, kw_only=True):
    """An entry of the allowlist: a canonical domain and the owner it was allowed for.

    `fingerprint` is of `owner`; where only the fingerprint was kept, `owner` is None and no
    change is small. `checked` is when the owner was last seen to be the same. What was seen
    since then: `changed` says that it was another owner, `unseen` why a look showed nothing.
    """

    domain: str
    added: int
    expires: int
    fingerprint: bytes
    checked: int
    owner: Ownership | None = None
    changed: str = ""
    unseen: str = ""


class Judgement(Struct, frozen=True):
    """A destination's standing, and why, in words."""

    standing: Standing
    reason: str


def allowed(owner: Ownership, now: int, lasts_s: int) -> Destination:
    """A new entry for the owner that was just seen, for `lasts_s` seconds."""
    return Destination(
        domain=owner.domain,
        added=now,
        expires=now + lasts_s * SECOND,
        fingerprint=fingerprint(owner),
        checked=now,
        owner=owner,
    )


def next_look(tried: int, failures: int, every_s: int) -> int:
    """When (ns) the next look falls due: `every_s` seconds after `tried`, the last one.

    After `failures` looks in a row that showed nothing, sooner at first. 0 where there was
    never a look.
    """
    if not tried:
        return 0
    wait = min(every_s, RETRY_S << min(failures - 1, 32)) if failures else every_s
    return tried + wait * SECOND


def judge(
    entry: Destination,
    observed: Ownership | Unobservable | None,
    now: int,
    grace_s: int = GRACE_S,
) -> Judgement:
    """What `entry` is worth at `now`, given the latest look at its domain, if there was one.

    An observation that shows the owner counts at once, in both directions. One that shows
    nothing, a missing name included, leaves the entry unverified until a look shows the owner.
    Without a look the entry is alive for `grace_s` after `checked`.
    """
    if now >= entry.expires:
        return Judgement(Standing.EXPIRED, f"{entry.domain} was allowed until an instant now past")
    if isinstance(observed, Ownership):
        return _compared(entry, observed)
    if entry.changed:
        return Judgement(Standing.CHANGED, entry.changed)
    why = observed.reason if observed is not None else entry.unseen
    if not why and abs(now - entry.checked) <= grace_s * SECOND:
        return Judgement(Standing.ALIVE, "its owner was the same when last seen")
    why = why or "it was not looked up again"
    return Judgement(Standing.UNVERIFIED, f"who holds {entry.domain} is not known: {why}")


def looked(entry: Destination, observed: Ownership | Unobservable, now: int) -> Destination:
    """The entry with what a look at its domain showed.

    The allowed owner stays the measure: only a person's word replaces it.
    """
    if not isinstance(observed, Ownership):
        return replace(entry, unseen=observed.reason)
    judgement = _compared(entry, observed)
    match judgement.standing:
        case Standing.ALIVE:
            return replace(entry, checked=now, changed="", unseen="")
        case Standing.CHANGED:
            return replace(entry, changed=judgement.reason)
        case _:
            return entry


def _compared(entry: Destination, seen: Ownership) -> Judgement:
    if seen.domain != entry.domain:
        return Judgement(Standing.UNVERIFIED, f"the observation is of {seen.domain}")
    if fingerprint(seen) == entry.fingerprint:
        return Judgement(Standing.ALIVE, "its owner is the same")
    if entry.owner is None or fingerprint(entry.owner) != entry.fingerprint:
        return Judgement(Standing.CHANGED, "its ownership fingerprint is another")
    match compare(entry.owner, seen):
        case Changed(what):
            return Judgement(Standing.CHANGED, what)
        case same:
            return Judgement(Standing.ALIVE, f"its owner is the same; {same.drift}")
