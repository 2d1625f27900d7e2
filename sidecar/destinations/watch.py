"""What the ledger says about the domains under watch: a fold, small and of the workspace.

The policy names the domains; the first look at one gives its owner, and every later look is
held against that owner. Who was seen to be another stays blocked, whatever is seen after,
until an admin admits an owner again or the policy drops the domain.
"""

from typing import Final

from immutables import Map
from msgspec import Struct
from msgspec.structs import replace

from bus.decider import Recorded
from schemas.destinations import (
    DestinationAllowed,
    DestinationBlocked,
    DestinationExpired,
    DestinationReadmitted,
    DestinationRevalidated,
    DestinationUnverified,
    Ownership,
    domain_of,
    watched_domains,
)
from schemas.runs import PolicySet
from schemas.tools import AllowedDestination, Policy
from sidecar.destinations.fingerprint import Unobservable, fingerprint
from sidecar.destinations.schedule import Destination, allowed, looked, next_look

LASTING_S: Final = 100 * 366 * 24 * 3600
"""A watched domain has no expiry of its own: the policy's entries have theirs."""

Look = DestinationAllowed | DestinationRevalidated | DestinationUnverified | DestinationBlocked
"""The events that a look at a domain ends in."""

OF_THE_SIDECAR: Final = (
    DestinationAllowed,
    DestinationRevalidated,
    DestinationUnverified,
    DestinationBlocked,
    DestinationExpired,
)


class Watched(Struct, frozen=True, kw_only=True):
    """One domain. `entry` is None until its owner was seen; while blocked, `seen` is who was.

    `last` and `since` are digest and time of the event that the next look answers. The last
    look on record was at `tried` (0: none) and stands at ledger index `place`; `failures`
    looks in a row showed nothing.
    """

    last: bytes
    since: int
    entry: Destination | None = None
    seen: Ownership | None = None
    tried: int = 0
    place: int = 0
    failures: int = 0


class Watch(Struct, frozen=True, kw_only=True):
    """All domains under watch, by domain; `owned` is what layer 10 reads of them.

    `policy` and `since` are digest and time of the policy, `entries` its allowlist, `over`
    those of them that are on record as expired. `live` are the domains to look at, `due` is
    when something falls due (ns), None where nothing ever does.
    """

    policy: bytes = b""
    since: int = 0
    every_s: int = 0
    fresh_s: int = 0
    entries: tuple[AllowedDestination, ...] = ()
    over: frozenset[tuple[str, int]] = frozenset()
    domains: Map[str, Watched] = Map()
    owned: Map[str, Destination] = Map()
    live: frozenset[str] = frozenset()
    due: int | None = None


def owners_of(watched: Watched) -> tuple[Ownership, ...]:
    """The owners that may be admitted: the one last seen, then the one that was allowed."""
    allowed_one = watched.entry.owner if watched.entry is not None else None
    return tuple(owner for owner in (watched.seen, allowed_one) if owner is not None)


def evolve(watch: Watch, entry: Recorded) -> Watch:
    """The watch after an entry of the workspace; most say nothing about it."""
    body = entry.event.body
    if isinstance(body, PolicySet):
        return _under(watch, body.policy, entry)
    if isinstance(body, DestinationExpired):
        return _settled(replace(watch, over=watch.over | {(body.destination, body.expires)}))
    if isinstance(body, Look | DestinationReadmitted):
        before = watch.domains.get(body.domain)
        if before is None:
            return watch
        if isinstance(body, DestinationReadmitted):
            after = _readmitted(before, body, entry)
        else:
            after = _looked(before, body, entry)
        if after is before:
            return watch
        return _settled(replace(watch, domains=watch.domains.set(body.domain, after)))
    return watch


def _under(watch: Watch, policy: Policy, entry: Recorded) -> Watch:
    """Another policy: what it still names keeps its owner, what it names anew has none yet."""
    new = Watched(last=entry.digest, since=entry.event.at)
    named = sorted(watched_domains(policy))
    listed = {(one.destination, one.expires) for one in policy.destinations}
    return _settled(
        replace(
            watch,
            policy=entry.digest,
            since=entry.event.at,
            every_s=policy.revalidate_s,
            fresh_s=min(policy.fresh_s, policy.revalidate_s),
            entries=policy.destinations,
            over=watch.over & listed,
            domains=Map({domain: watch.domains.get(domain, new) for domain in named}),
        )
    )


def _looked(before: Watched, body: Look, entry: Recorded) -> Watched:
    """After a look. An owner is first seen once; a blocked domain stays blocked."""
    at, known = entry.event.at, before.entry
    blocked = known is not None and bool(known.changed)
    after = replace(before, last=entry.digest, since=at, tried=at, place=entry.index, failures=0)
    if isinstance(body, DestinationUnverified):
        unseen = looked(known, Unobservable(body.reason), at) if known is not None else None
        return replace(after, entry=unseen, failures=before.failures + 1)
    if isinstance(body, DestinationAllowed) and known is None:
        return replace(after, entry=allowed(body.owner, at, LASTING_S))
    if isinstance(body, DestinationRevalidated) and known is not None and not blocked:
        return replace(after, entry=looked(known, body.owner, at))
    if isinstance(body, DestinationBlocked) and known is not None:
        return replace(after, entry=replace(known, changed=body.what), seen=body.owner)
    return before


def _readmitted(before: Watched, body: DestinationReadmitted, entry: Recorded) -> Watched:
    """An admin's word for one of the owners that were seen. It is looked at again at once."""
    known = before.entry
    if known is None or not known.changed:
        return before
    owner = next((one for one in owners_of(before) if fingerprint(one) == body.fingerprint), None)
    if owner is None:
        return before
    admitted = replace(
        allowed(owner, entry.event.at, LASTING_S),
        unseen="it was not looked up since it was admitted",
    )
    return Watched(last=entry.digest, since=entry.event.at, entry=admitted)


def _settled(watch: Watch) -> Watch:
    """With all that follows from the rest."""
    running = [one for one in watch.entries if (one.destination, one.expires) not in watch.over]
    live = frozenset(domain_of(one) for one in running if one.owned)
    looks = [due_of(watch, watch.domains[domain]) for domain in live]
    ends = [one.expires for one in running if one.expires]
    owned = {name: one.entry for name, one in watch.domains.items() if one.entry is not None}
    return replace(watch, live=live, owned=Map(owned), due=min((*looks, *ends), default=None))


def due_of(watch: Watch, watched: Watched) -> int:
    """When (ns) a domain's next look falls due."""
    return next_look(watched.tried, watched.failures, watch.every_s)
