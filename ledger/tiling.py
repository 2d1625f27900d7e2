"""Tiles written into an export: `checkpoint` and `tile/`, beside what they are made from.

They are of the tree at the export's last seal; entries after it are in no signed tree yet.
They hold nothing that the entries do not, so they are not synced and may be made again.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path

from ledger.chain import leaf_of
from ledger.checkpoint import read_checkpoint
from ledger.errors import BadCheckpoint, BadProof
from ledger.tiles import CHECKPOINT, Fetch, bundles, tiles


def write_tiles(
    folder: Path, bodies: Callable[[], Iterator[bytes]], notes: Iterable[str], size: int
) -> int:
    """Tiles below `folder` over the `bodies` of `size` entries, for the largest seal in `notes`.

    Returns the seal's size; 0 where none covers an entry, and then nothing is written.
    """
    sealed, checkpoint = 0, ""
    for note in notes:
        try:
            claimed = read_checkpoint(note).size
        except BadCheckpoint:
            # Junk on the seals stream; the export keeps it, and verification says so.
            continue
        if sealed <= claimed <= size:
            sealed, checkpoint = claimed, note
    if not sealed:
        return 0
    for path, data in tiles(leaf_of(body) for body in islice(bodies(), sealed)):
        _write(folder / path, data)
    for path, data in bundles(islice(bodies(), sealed)):
        _write(folder / path, data)
    _write(folder / CHECKPOINT, checkpoint.encode())
    return sealed


def folder_fetch(folder: Path) -> Fetch:
    """Reads tiles from a folder."""

    def fetch(path: str) -> bytes:
        try:
            return (folder / path).read_bytes()
        except OSError as error:
            raise BadProof(
                f"{folder / path} cannot be read: {error.strerror}",
                fix="name the folder or address that has `checkpoint` and `tile/` in it",
            ) from error

    return fetch


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.write_bytes(data)
