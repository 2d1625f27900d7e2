"""What the feeder keeps on disk: how far it has read, and where each witness stands.

The file is replaced whole. Losing it, or the tree beside it, costs a reading of the ledger from
its beginning, and that a refusal is told once more; nothing that a witness gave is lost.
"""

from pathlib import Path

import msgspec
from msgspec import Struct

from crypto.errors import KeyFileError
from crypto.keyfile import read_secret, write_secret
from crypto.known import KnownKeys
from ledger.feeding import Standing
from schemas.errors import UNREADABLE


class Kept(Struct, frozen=True, kw_only=True):
    """The feeder after entry `index`, and after the seal `note`, which fitted.

    `trust` knows the keys that the root certified, and the feeder's own chain. `standings` are by
    vkey.
    """

    index: int
    note: str
    trust: KnownKeys
    standings: dict[str, Standing]


class Memory:
    """The feeder's folder."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "feeder"
        self.tree = folder / "tree"
        self.cosigned = cosigned_in(folder)

    def load(self) -> Kept | None:
        """What was kept; None where there is nothing that can be used."""
        if not self._file.exists():
            return None
        try:
            return msgspec.msgpack.decode(read_secret(self._file), type=Kept)
        except (KeyFileError, *UNREADABLE):
            return None

    def save(self, kept: Kept) -> None:
        """Keep this in place of what was kept before."""
        write_secret(self._file, msgspec.msgpack.encode(kept))


def cosigned_in(folder: Path) -> Path:
    """Where the cosigned notes lie, as `ledger.cosigned` keeps them."""
    return folder / "cosigned"
