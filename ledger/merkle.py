"""The RFC 6962 Merkle tree over leaf hashes: roots, inclusion and consistency proofs.

`Frontier` keeps the roots of the tree's complete subtrees (a compact range), so it appends
and gives the root in O(log n) memory. `Tree` keeps every complete subtree's hash (64 bytes
a leaf) and gives proofs between any two of its sizes; `inclusion_path` and `consistency_path` do so
over any other store of such hashes (`ledger.tiles`). Verification needs none of them.

Positions count from 0, as in the RFCs; a ledger index is a position plus 1.
Sources: RFC 6962 sections 2.1 to 2.1.2, RFC 9162 sections 2.1.3.2 and 2.1.4.2.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from ledger.errors import BadProof

HASH_BYTES: Final = 32
Subtree = Callable[[int, int], bytes]
"""(level, n) -> the hash of the complete subtree over leaves [n * 2**level, (n + 1) * 2**level)."""
_NODE: Final = hashlib.sha256(b"\x01")
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()


def node_of(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node: SHA-256(0x01 || left || right)."""
    node = _NODE.copy()
    node.update(left + right)
    return node.digest()


def root_of(leaves: Iterable[bytes]) -> bytes:
    """The root over leaf hashes, in one pass."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    return frontier.root()


class Frontier:
    """A growing tree of which only the right edge is kept. `size` counts its leaves."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []

    def append(self, leaf: bytes) -> None:
        """Add a leaf hash at position `size`."""
        carry, size = leaf, self.size
        while size & 1:
            carry = node_of(self._peaks.pop(), carry)
            size >>= 1
        self._peaks.append(carry)
        self.size += 1

    def root(self) -> bytes:
        """The 32-byte root at the present size."""
        return _bag(self._peaks)

    @property
    def peaks(self) -> tuple[bytes, ...]:
        """The roots of the complete subtrees, largest first."""
        return tuple(self._peaks)

    @classmethod
    def at(cls, size: int, peaks: Sequence[bytes]) -> "Frontier":
        """The frontier of `size` leaves with these peaks. Raises `ValueError` for another number
        of peaks than that size has."""
        if size < 0 or len(peaks) != size.bit_count():
            raise ValueError(f"{len(peaks)} peaks are none of {size} leaves")
        made = cls()
        made.size, made._peaks = size, list(peaks)
        return made

    def copy(self) -> "Frontier":
        """Another frontier at the same state."""
        other = Frontier()
        other.size, other._peaks = self.size, self._peaks.copy()
        return other


class Tree:
    """A growing tree of which every complete subtree's hash is kept, for proofs."""

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        self._levels: list[bytearray] = [bytearray()]
        for leaf in leaves:
            self.append(leaf)

    @property
    def size(self) -> int:
        """How many leaves there are."""
        return len(self._levels[0]) // HASH_BYTES

    def append(self, leaf: bytes) -> None:
        """Add a leaf hash at position `size`."""
        carry, position, level = leaf, self.size, 0
        self._levels[0] += carry
        while position & 1:
            carry = node_of(self._at(level, position - 1), carry)
            position >>= 1
            level += 1
            if level == len(self._levels):
                self._levels.append(bytearray())
            self._levels[level] += carry

    def root(self, size: int | None = None) -> bytes:
        """The root of the first `size` leaves. Raises `ValueError` beyond the tree."""
        size = self._checked(size)
        return range_root(self._at, 0, size)

    def inclusion(self, position: int, size: int | None = None) -> tuple[bytes, ...]:
        """The audit path of a leaf in the first `size` leaves (RFC 6962 section 2.1.1).

        Raises `ValueError` where the leaf or the size is not in the tree.
        """
        size = self._checked(size)
        return inclusion_path(self._at, position, size)

    def consistency(self, first: int, second: int | None = None) -> tuple[bytes, ...]:
        """That the tree of `second` leaves extends that of `first` (RFC 6962 section 2.1.2).

        Raises `ValueError` unless 0 < first <= second <= size.
        """
        second = self._checked(second)
        return consistency_path(self._at, first, second)

    def _checked(self, size: int | None) -> int:
        size = self.size if size is None else size
        if not 0 <= size <= self.size:
            raise ValueError(f"size {size} is beyond the tree's {self.size}")
        return size

    def _at(self, level: int, position: int) -> bytes:
        start = position * HASH_BYTES
        return bytes(self._levels[level][start : start + HASH_BYTES])


def range_root(at: Subtree, start: int, end: int) -> bytes:
    """The root over positions [start, end); `start` is a multiple of a covering power of 2."""
    peaks = []
    while start < end:
        level = (end - start).bit_length() - 1
        peaks.append(at(level, start >> level))
        start += 1 << level
    return _bag(peaks)


def inclusion_path(at: Subtree, position: int, size: int) -> tuple[bytes, ...]:
    """The audit path of a leaf in a tree of `size` leaves (RFC 6962 section 2.1.1).

    Raises `ValueError` where the leaf is not in the tree.
    """
    if not 0 <= position < size:
        raise ValueError(f"no leaf {position} in a tree of {size}")
    return tuple(_path(at, position, 0, size))


def consistency_path(at: Subtree, first: int, second: int) -> tuple[bytes, ...]:
    """That a tree of `second` leaves extends that of `first` (RFC 6962 section 2.1.2).

    Raises `ValueError` unless 0 < first <= second.
    """
    if not 0 < first <= second:
        raise ValueError(f"no consistency proof from {first} to {second}")
    return tuple(_subproof(at, first, 0, second, True))


def _path(at: Subtree, position: int, start: int, end: int) -> list[bytes]:
    if end - start == 1:
        return []
    middle = start + _split(end - start)
    if position < middle:
        return [*_path(at, position, start, middle), range_root(at, middle, end)]
    return [*_path(at, position, middle, end), range_root(at, start, middle)]


def _subproof(at: Subtree, first: int, start: int, end: int, whole: bool) -> list[bytes]:
    if first == end:
        return [] if whole else [range_root(at, start, end)]
    middle = start + _split(end - start)
    if first <= middle:
        return [*_subproof(at, first, start, middle, whole), range_root(at, middle, end)]
    return [*_subproof(at, first, middle, end, False), range_root(at, start, middle)]


def check_inclusion(
    leaf: bytes, position: int, size: int, path: Sequence[bytes], root: bytes
) -> None:
    """Return if `leaf` is at `position` in the tree of `size` leaves with `root`.

    Raises `BadProof` otherwise. Source: RFC 9162 section 2.1.3.2.
    """
    if not 0 <= position < size:
        raise BadProof(f"no position {position} in a tree of {size} leaves")
    fn, sn, found = position, size - 1, leaf
    for step in path:
        if sn == 0:
            raise BadProof("the inclusion proof is longer than the tree is high")
        if fn & 1 or fn == sn:
            found = node_of(step, found)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            found = node_of(found, step)
        fn, sn = fn >> 1, sn >> 1
    if sn != 0 or found != root:
        raise BadProof("the inclusion proof does not lead to the root")


def check_consistency(
    first: int, second: int, path: Sequence[bytes], first_root: bytes, second_root: bytes
) -> None:
    """Return if the tree of `second` leaves extends the tree of `first` leaves.

    Raises `BadProof` otherwise. Source: RFC 9162 section 2.1.4.2.
    """
    if not 0 < first <= second:
        raise BadProof(f"sizes {first} and {second} cannot be consistent")
    if first == second:
        if path or first_root != second_root:
            raise BadProof("two roots for one size")
        return
    steps = list(path)
    if first & (first - 1) == 0:
        steps.insert(0, first_root)
    if not steps:
        raise BadProof("the consistency proof is empty")
    fn, sn = first - 1, second - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    old = new = steps[0]
    for step in steps[1:]:
        if sn == 0:
            raise BadProof("the consistency proof is longer than the tree is high")
        if fn & 1 or fn == sn:
            old, new = node_of(step, old), node_of(step, new)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            new = node_of(new, step)
        fn, sn = fn >> 1, sn >> 1
    if sn != 0 or old != first_root or new != second_root:
        raise BadProof("the consistency proof does not lead to both roots")


def _bag(peaks: Sequence[bytes]) -> bytes:
    """One root from the roots of complete subtrees, largest first."""
    if not peaks:
        return EMPTY_ROOT
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = node_of(peak, root)
    return root


def _split(size: int) -> int:
    """The largest power of two below `size` (RFC 6962's k)."""
    return 1 << (size - 1).bit_length() - 1
