"""When the sidecar looks at a domain under watch, and what it puts on record of what it saw.

Looks fall due on schedule, and wherever a proposal would reach a watched domain: that waits
until a look stands on record that is younger than the policy's `fresh_s` or came after it.
A look that showed nothing is on record as that.
"""

from collections.abc import Iterable, Iterator

from bus.decider import Draft, Recorded
from schemas.destinations import (
    DestinationAllowed,
    DestinationBlocked,
    DestinationExpired,
    DestinationRevalidated,
    DestinationUnverified,
    Ownership,
)
from schemas.names import SECOND
from sidecar.destinations.fingerprint import Changed, Same, Unobservable, compare, fingerprint
from sidecar.destinations.watch import Look, Watch, Watched, due_of
from sidecar.effects import LookUp

_WORDS = 1_000
"""Names in the DNS are others' words, and long ones at will."""


def outstanding(watch: Watch, now: int) -> Iterator[Draft | LookUp]:
    """What has fallen due: ends of entries to record, domains to look at."""
    if watch.due is None or now < watch.due:
        return
    for entry in watch.entries:
        key = (entry.destination, entry.expires)
        if 0 < entry.expires <= now and key not in watch.over:
            yield Draft(
                body=DestinationExpired(destination=entry.destination, expires=entry.expires),
                run=None,
                causes=(watch.policy,),
                since=watch.since,
                salt=f"{entry.expires} {entry.destination}",
            )
    for domain in sorted(watch.live):
        if due_of(watch, watch.domains[domain]) <= now:
            yield look_up(domain)


def awaited(watch: Watch, hosts: Iterable[str], since: int, now: int) -> tuple[LookUp, ...]:
    """The looks that a proposal to `hosts` must wait for.

    `since` is the ledger index of the latest entry about the proposal. A blocked domain needs
    no look: nothing goes there.
    """
    return tuple(
        look_up(host)
        for host in sorted(watch.live & frozenset(hosts))
        if not _settled(watch, watch.domains[host], since, now)
    )


def blocked(watch: Watch, hosts: Iterable[str]) -> bool:
    """Whether one of `hosts` is a domain that is blocked."""
    found = (watch.owned.get(host) for host in hosts)
    return any(entry is not None and entry.changed for entry in found)


def look_up(domain: str) -> LookUp:
    """One look; one at a time for each domain."""
    return LookUp(key=f"look:{domain}", run=None, domain=domain)


def found(watch: Watch, effect: LookUp, observed: Ownership | Unobservable) -> Draft | None:
    """What a look showed, for the record; None where the domain is watched no more."""
    watched = watch.domains.get(effect.domain)
    if watched is None:
        return None
    return Draft(
        body=_body(effect.domain, watched, observed),
        run=None,
        causes=(watched.last,),
        since=watched.since,
        salt=effect.domain,
    )


def recalled(body: Look) -> tuple[LookUp, Ownership | Unobservable]:
    """The look that an event rests on, and what it showed."""
    if isinstance(body, DestinationUnverified):
        return look_up(body.domain), Unobservable(body.reason)
    return look_up(body.domain), body.owner


def reached(about: Iterable[Recorded | None]) -> int:
    """The ledger index of the latest of some entries."""
    return max((entry.index for entry in about if entry is not None), default=0)


def _settled(watch: Watch, watched: Watched, since: int, now: int) -> bool:
    if watched.entry is not None and watched.entry.changed:
        return True
    if not watched.tried:
        return False
    return watched.place > since or 0 <= now - watched.tried <= watch.fresh_s * SECOND


def _body(domain: str, watched: Watched, observed: Ownership | Unobservable) -> Look:
    if isinstance(observed, Unobservable):
        return DestinationUnverified(domain=domain, reason=observed.reason[:_WORDS])
    if observed.domain != domain:
        return DestinationUnverified(domain=domain, reason="another domain was looked up")
    mark, known = fingerprint(observed), watched.entry
    if known is None or known.owner is None:
        return DestinationAllowed(domain=domain, owner=observed, fingerprint=mark)
    match compare(known.owner, observed):
        case Changed(what):
            return DestinationBlocked(
                domain=domain, what=what[:_WORDS], owner=observed, fingerprint=mark
            )
        case Same(drift) if known.changed:
            what = f"the allowed owner is back, and was not admitted yet; {drift}"
            return DestinationBlocked(
                domain=domain, what=what[:_WORDS], owner=observed, fingerprint=mark
            )
        case Same(drift):
            return DestinationRevalidated(
                domain=domain, owner=observed, fingerprint=mark, drift=drift[:_WORDS]
            )
