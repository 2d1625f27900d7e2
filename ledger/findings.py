"""What verification finds: entries that do not hold, and what shows it of each.

Findings are kept by their index, the smallest first, up to a bound; the others are counted.
"""

import heapq
from typing import Final

from msgspec import Struct

from crypto.errors import Broken, Rejected, Replayed, WrongPlace
from schemas.envelope import decode_envelope
from schemas.errors import SchemaError
from schemas.events import Event, decode_event

MAX_FINDINGS: Final = 1_000


class Finding(Struct, frozen=True):
    """Something that does not hold. `index` is the first suspect entry, 0 for the export.

    `by` names what shows it: a producer's chain, a key's signature, a seal, an event.
    """

    index: int
    kind: str
    what: str
    by: str = ""


class Findings:
    """The findings with the smallest indexes, as many as are kept; `total` counts all."""

    def __init__(self) -> None:
        self.total = 0
        self._kept: list[tuple[int, int, Finding]] = []

    def add(self, index: int, kind: str, what: str, by: str = "") -> None:
        """One more."""
        self.total += 1
        # Findings on the export as a whole sort behind those on an entry.
        place = (-(index or 2**63), -self.total)
        push = heapq.heappush if len(self._kept) < MAX_FINDINGS else heapq.heappushpop
        push(self._kept, (*place, Finding(index, kind, what[:500], by)))

    def first_from(self, index: int) -> int | None:
        """The smallest index of a finding that is at least `index`, or None."""
        return min((f.index for *_, f in self._kept if f.index >= index), default=None)

    def sorted(self) -> tuple[Finding, ...]:
        """Those kept, by index; on one index in the order they were found."""
        return tuple(finding for *_, finding in sorted(self._kept, reverse=True))


def shown_by(error: Rejected, body: bytes) -> str:
    """What shows that an entry is invalid: its producer's chain, or a key's signature."""
    try:
        envelope = decode_envelope(body)
        event = decode_event(envelope.payload)
    except SchemaError:
        return "the entry's bytes"
    if isinstance(error, Broken | Replayed):
        return f"chain of {chain_of(event)}"
    if isinstance(error, WrongPlace):
        return "the entry's own subject"
    return f"signature by key {envelope.key_id.hex()}"


def chain_of(event: Event) -> str:
    """The producer's chain that an event says it belongs to."""
    scope = f"run {event.run}" if event.run is not None else "the workspace"
    return f"{event.actor.role.value}/{event.actor.instance} in {scope}"
