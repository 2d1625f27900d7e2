"""The Merkle tree of a growing ledger in a folder: proofs of any size, memory of one tile a level.

Row L is a file of the roots of the complete subtrees of 256**L leaves, one after the other, 32
bytes each: what C2SP tlog-tiles serves as tiles, end to end. Nothing here is signed. What is read
may have been written over, so whoever uses a proof holds it against a signed root; whoever opens
the folder again holds `root` at a size that was sealed. Row 0 is written last: after a crash it is
the shortest, and what is beyond it in others is cut off.

Sources: RFC 6962 section 2.1, c2sp.org/tlog-tiles.
"""

from pathlib import Path
from types import TracebackType
from typing import Final, Self

from ledger.hash_file import HashFile
from ledger.merkle import consistency_path, inclusion_path, range_root, root_of
from ledger.tiles import TILE_HEIGHT, TILE_WIDTH

_ROWS: Final = 8
_HELD_BYTES: Final = 256 * 1024


class StoredTree:
    """See the module's docstring. One process at a time writes in a folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._rows = [HashFile(folder / str(row)) for row in range(_ROWS)]
        self.size = self._rows[0].count
        self.cut(self.size)

    def append(self, leaf: bytes) -> None:
        """Add a leaf hash at position `size`."""
        self._rows[0].append(leaf)
        self.size += 1
        number, level = self.size, 0
        while number % TILE_WIDTH == 0:
            number //= TILE_WIDTH
            self._rows[level + 1].append(root_of(self._rows[level].last(TILE_WIDTH)))
            level += 1
        if self._rows[0].held >= _HELD_BYTES:
            self.flush()

    def flush(self) -> None:
        """Hand all of it to the operating system."""
        for row in reversed(self._rows):
            row.flush()

    def cut(self, size: int) -> None:
        """Forget the leaves from position `size` on; all of them where a row lacks some."""
        self.flush()
        whole = all(row.count >= size >> TILE_HEIGHT * n for n, row in enumerate(self._rows))
        self.size = size if whole else 0
        for n, row in enumerate(self._rows):
            row.cut(self.size >> TILE_HEIGHT * n)

    def leaf(self, position: int) -> bytes:
        """The leaf hash at a position. Raises `BadProof`."""
        return self.at(0, position)

    def root(self, size: int | None = None) -> bytes:
        """The root of the first `size` leaves. Raises `ValueError` beyond the tree."""
        return range_root(self.at, 0, self._checked(size))

    def peaks(self, size: int) -> tuple[bytes, ...]:
        """The roots of the complete subtrees of the first `size` leaves, largest first."""
        found, start = [], 0
        for level in reversed(range(self._checked(size).bit_length())):
            if size >> level & 1:
                found.append(self.at(level, start >> level))
                start += 1 << level
        return tuple(found)

    def inclusion(self, position: int, size: int | None = None) -> tuple[bytes, ...]:
        """The audit path of a leaf. Raises as `ledger.merkle.Tree.inclusion`."""
        return inclusion_path(self.at, position, self._checked(size))

    def consistency(self, first: int, second: int | None = None) -> tuple[bytes, ...]:
        """That the tree of `second` leaves extends that of `first`. Raises as `Tree` does."""
        return consistency_path(self.at, first, self._checked(second))

    def at(self, level: int, n: int) -> bytes:
        """The hash of a complete subtree, from the one tile that it lies in. Raises `BadProof`."""
        row, below = divmod(level, TILE_HEIGHT)
        return root_of(self._rows[row].read(n << below, 1 << below))

    def close(self) -> None:
        """Let go of the files."""
        self.flush()
        for row in self._rows:
            row.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _checked(self, size: int | None) -> int:
        size = self.size if size is None else size
        if not 0 <= size <= self.size:
            raise ValueError(f"size {size} is beyond the tree's {self.size}")
        return size
