"""Watched destinations in a verified ledger: no look replaces an owner, none lifts a block.

The measure of a domain is the first owner seen, or one that an admin admitted; only a policy
that drops the domain forgets it. Held against what the sidecar had seen when it spoke. Pure.
"""

from collections.abc import Iterator

from msgspec import Struct

from schemas.destinations import (
    DestinationAllowed,
    DestinationBlocked,
    DestinationReadmitted,
    DestinationRevalidated,
    watched_domains,
)
from schemas.events import Event
from schemas.runs import PolicySet


class _Domain(Struct):
    """`marks` are the fingerprints seen; `blocked` is the index it was blocked at, 0 for not."""

    index: int
    marks: set[bytes]
    blocked: int = 0


class Destinations:
    """The domains with an owner on record, as the ledger goes on."""

    def __init__(self) -> None:
        self._known: dict[str, _Domain] = {}

    def fold(self, index: int, event: Event) -> Iterator[str]:
        """Take an event of the workspace and say what is wrong with it. Exhaust the iterator."""
        body = event.body
        if isinstance(body, PolicySet):
            kept = watched_domains(body.policy)
            self._known = {name: known for name, known in self._known.items() if name in kept}
        elif isinstance(body, DestinationAllowed):
            known = self._known.get(body.domain)
            if known is not None and known.index <= event.seen:
                yield f"{body.domain} was allowed before: no look replaces its owner"
            self._known.setdefault(body.domain, _Domain(index, {body.fingerprint}))
        elif isinstance(body, DestinationBlocked | DestinationRevalidated | DestinationReadmitted):
            known = self._known.get(body.domain)
            if known is None:
                return
            if isinstance(body, DestinationBlocked):
                known.marks.add(body.fingerprint)
                known.blocked = known.blocked or index
            elif isinstance(body, DestinationRevalidated):
                if 0 < known.blocked <= event.seen:
                    yield f"{body.domain} was blocked, and no admin had admitted it again"
            elif body.fingerprint in known.marks:
                known.blocked = 0
