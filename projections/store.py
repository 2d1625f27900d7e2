"""What a projector asks of a store: to know its place, and to take entries with it at once."""

from collections.abc import Sequence
from typing import Protocol

from bus.decider import Entry


class Store(Protocol):
    """One projection's store, on one connection, used by one thread at a time."""

    def position(self) -> int:
        """The ledger index of the last entry it holds, 0 for none."""
        ...

    def apply(self, entries: Sequence[Entry]) -> None:
        """Take the entries after its position, and move there, in one transaction each time.

        What cannot be projected is set aside, loudly, with the position past it. Raises a
        `ProjectionError` where the store itself fails; then nothing of it was taken.
        """
        ...

    def close(self) -> None:
        """End the connection."""
        ...
