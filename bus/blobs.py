"""Blobs: bytes under a name, written once and never changed. A folder, here.

What archives need of a store is this much and no more, so that an object store (with its condition
that nothing is there yet) can take the folder's place. None does so far.
"""

import re
from pathlib import Path
from typing import Final, Protocol

from bus.errors import ArchiveError
from crypto.errors import KeyFileError
from crypto.keyfile import read_secret, write_secret

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9.-]{0,99}")


class Blobs(Protocol):
    """A place for blobs. Names are of lower-case letters, digits, `.` and `-`."""

    def write(self, name: str, data: bytes) -> None:
        """Keep `data` durably. Raises `ArchiveError` where other data has that name."""
        ...

    def read(self, name: str) -> bytes | None:
        """What is kept under the name, or None. Raises `ArchiveError` where it cannot be read."""
        ...


class FolderBlobs:
    """Blobs as the files of a folder, each replaced as one and readable by its owner alone."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, name: str, data: bytes) -> None:
        """See `Blobs.write`."""
        path = self._path(name)
        if path.exists():
            if self.read(name) == data:
                return
            raise ArchiveError(
                f"{path} is there already, and holds something else",
                fix="an archive is never changed: move the file away and archive again",
            )
        try:
            write_secret(path, data)
        except OSError as error:
            raise ArchiveError(
                f"{path} cannot be written: {error.strerror}", fix="see that the disk has room"
            ) from error

    def read(self, name: str) -> bytes | None:
        """See `Blobs.read`."""
        path = self._path(name)
        if not path.exists():
            return None
        try:
            return read_secret(path)
        except KeyFileError as error:
            raise ArchiveError(error.what, fix=error.fix) from error

    def _path(self, name: str) -> Path:
        if _NAME.fullmatch(name) is None:
            raise ArchiveError(f"{name[:100]!r} is no blob's name", fix="archive the epoch again")
        return self.root / name
