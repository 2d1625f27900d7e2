"""The Merkle tree as static files: C2SP tlog-tiles, written in one pass and read for proofs.

Tiles of 256 hashes at `tile/<L>/<N>[.p/<W>]`, bundles of 256 entries at `tile/entries/<N>[.p/<W>]`,
so that any server of static files serves proofs. What is read is not believed: a proof from
tiles must lead to a signed root. Entries over 65,535 bytes fit no bundle; theirs is left out.

Pure. Source: c2sp.org/tlog-tiles, RFC 6962 section 2.1.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from ledger.errors import BadProof
from ledger.merkle import HASH_BYTES, consistency_path, inclusion_path, range_root, root_of

TILE_WIDTH: Final = 256
TILE_HEIGHT: Final = 8
MAX_BUNDLED_BYTES: Final = 65_535
CHECKPOINT: Final = "checkpoint"

File = tuple[str, bytes]
"""(path below the log's prefix, content)."""
Fetch = Callable[[str], bytes]
"""A path below the log's prefix -> the file's content; raises `BadProof` where there is none."""


def tile_path(level: int | str, n: int, width: int = TILE_WIDTH) -> str:
    """Where tile `n` of a level lies; the level of bundles is `entries`."""
    digits = f"{n:03d}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    parts = [digits[start : start + 3] for start in range(0, len(digits), 3)]
    name = "/".join([*(f"x{part}" for part in parts[:-1]), parts[-1]])
    suffix = "" if width == TILE_WIDTH else f".p/{width}"
    return f"tile/{level}/{name}{suffix}"


def tiles(leaves: Iterable[bytes]) -> Iterator[File]:
    """Every tile of the tree over these leaf hashes. Memory is one tile a level."""
    levels: list[bytearray] = []
    done: list[int] = []
    for leaf in leaves:
        carry: bytes | None = leaf
        level = 0
        while carry is not None:
            if level == len(levels):
                levels.append(bytearray())
                done.append(0)
            held = levels[level]
            held += carry
            carry = None
            if len(held) == TILE_WIDTH * HASH_BYTES:
                yield tile_path(level, done[level]), bytes(held)
                carry = root_of(_hashes(held))
                done[level] += 1
                held.clear()
                level += 1
    for level, held in enumerate(levels):
        if held:
            yield tile_path(level, done[level], len(held) // HASH_BYTES), bytes(held)


def bundles(bodies: Iterable[bytes]) -> Iterator[File]:
    """Every bundle of these entries, but those that hold an entry that is too long."""
    held = bytearray()
    count, n, fits = 0, 0, True
    for body in bodies:
        fits = fits and len(body) <= MAX_BUNDLED_BYTES
        if fits:
            held += len(body).to_bytes(2, "big") + body
        count += 1
        if count == TILE_WIDTH:
            if fits:
                yield tile_path("entries", n), bytes(held)
            held.clear()
            count, n, fits = 0, n + 1, True
    if count and fits:
        yield tile_path("entries", n, count), bytes(held)


class TileTree:
    """The tree of `size` leaves as its tiles say; `fetch` reads one. Keeps what it has read."""

    def __init__(self, fetch: Fetch, size: int) -> None:
        self.size = size
        self._fetch = fetch
        self._held: dict[tuple[int, int], bytes] = {}

    def leaf(self, position: int) -> bytes:
        """The leaf hash at a position. Raises `BadProof`."""
        return self.at(0, position)

    def root(self, size: int) -> bytes:
        """The root of the first `size` leaves. Raises `BadProof`."""
        return range_root(self.at, 0, size)

    def inclusion(self, position: int) -> tuple[bytes, ...]:
        """The audit path of a leaf. Raises `BadProof`, and `ValueError` beyond the tree."""
        return inclusion_path(self.at, position, self.size)

    def consistency(self, first: int) -> tuple[bytes, ...]:
        """That this tree extends that of `first` leaves. Raises as `inclusion` does."""
        return consistency_path(self.at, first, self.size)

    def at(self, level: int, n: int) -> bytes:
        """The hash of a complete subtree, from the one tile that it lies in."""
        row, below = divmod(level, TILE_HEIGHT)
        number, start = divmod(n << below, TILE_WIDTH)
        hashes = _hashes(self._tile(row, number))
        return root_of(hashes[start : start + (1 << below)])

    def _tile(self, row: int, n: int) -> bytes:
        if (row, n) not in self._held:
            width = min((self.size >> TILE_HEIGHT * row) - n * TILE_WIDTH, TILE_WIDTH)
            if width <= 0:
                raise BadProof(f"a tree of {self.size} has no tile {n} at level {row}")
            path = tile_path(row, n, width)
            data = self._fetch(path)
            if len(data) != width * HASH_BYTES:
                raise BadProof(f"{path} has {len(data)} bytes, not {width * HASH_BYTES}")
            self._held[row, n] = data
        return self._held[row, n]


def entry_in(bundle: bytes, place: int) -> bytes:
    """The entry at `place` (from 0) of a bundle. Raises `BadProof` where it is out of form."""
    at = 0
    for _ in range(place + 1):
        length = int.from_bytes(bundle[at : at + 2], "big")
        entry = bundle[at + 2 : at + 2 + length]
        if at + 2 > len(bundle) or len(entry) != length:
            raise BadProof("an entry bundle that ends before its entries do")
        at += 2 + length
    return entry


def _hashes(data: bytes | bytearray) -> list[bytes]:
    return [bytes(data[at : at + HASH_BYTES]) for at in range(0, len(data), HASH_BYTES)]
