"""Sealing, without I/O: folds the stream, says when a seal is due, holds seals against it.

A checkpoint is due at most every second or every 1,000 entries. A seal that was read from
the seals stream must be a state this fold passes through: where the stream says otherwise
it was rewritten, and where it ends before, it was cut.
"""

from typing import Final

from ledger.chain import genesis_head, leaf_hash, next_head
from ledger.checkpoint import Checkpoint, origin_of
from ledger.errors import LedgerRewritten, LedgerTruncated
from ledger.merkle import Frontier
from schemas.names import SECOND

MAX_UNSEALED: Final = 1_000
MAX_AGE_NS: Final = SECOND


class Sealing:
    """The fold of one workspace's stream. `sealed` is the size of the last seal known."""

    def __init__(self, workspace: str) -> None:
        self.origin = origin_of(workspace)
        self.sealed = 0
        self.sealed_at = 0
        self._head = genesis_head(workspace)
        self._tree = Frontier()
        self._expected: dict[int, Checkpoint] = {}

    @property
    def size(self) -> int:
        """How many entries were folded."""
        return self._tree.size

    def expect(self, checkpoint: Checkpoint) -> None:
        """Hold the stream to a seal that exists. Call before its size is reached."""
        self._expected[checkpoint.size] = checkpoint
        self.sealed = max(self.sealed, checkpoint.size)

    def take(self, index: int, body: bytes) -> None:
        """Fold one entry. Raises `LedgerRewritten` where a seal says otherwise."""
        if index != self.size + 1:
            raise LedgerRewritten(f"entry {self.size + 1} is missing from the stream")
        leaf = leaf_hash(body)
        self._head = next_head(self._head, leaf)
        self._tree.append(leaf)
        expected = self._expected.pop(index, None)
        if expected is not None and expected != self.checkpoint():
            raise LedgerRewritten(
                f"the first {index} entries are not those that were sealed",
                fix="stop; restore the stream from an export or backup, and verify it",
            )

    def check_length(self) -> None:
        """Call at the stream's end. Raises `LedgerTruncated` where a seal covers more."""
        if self.sealed > self.size:
            raise LedgerTruncated(
                f"the stream has {self.size} entries, {self.sealed} were sealed",
                fix="stop; restore the stream from an export or backup, and verify it",
            )

    def due(self, now: int) -> bool:
        """Whether a seal is due at `now` (ns)."""
        unsealed = self.size - self.sealed
        late = now - self.sealed_at >= MAX_AGE_NS
        return unsealed >= MAX_UNSEALED or (unsealed > 0 and late)

    def checkpoint(self) -> Checkpoint:
        """The state as folded."""
        return Checkpoint(self.origin, self.size, self._tree.root(), self._head)

    def mark_sealed(self, checkpoint: Checkpoint, now: int) -> None:
        """A seal of this fold is durable."""
        self.sealed, self.sealed_at = checkpoint.size, now
