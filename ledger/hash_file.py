"""A file of 32-byte hashes that only grows, or is cut: position n at byte 32 n."""

import os
from pathlib import Path
from typing import BinaryIO

from ledger.errors import BadProof
from ledger.merkle import HASH_BYTES


class HashFile:
    """Hashes in the file at `path`, and those that are not written yet. One process writes."""

    def __init__(self, path: Path) -> None:
        opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._file: BinaryIO = os.fdopen(opened, "r+b", buffering=0)
        self._written = os.fstat(opened).st_size // HASH_BYTES
        self._pending = bytearray()

    @property
    def count(self) -> int:
        """How many hashes there are."""
        return self._written + self.held // HASH_BYTES

    @property
    def held(self) -> int:
        """Bytes that are not written yet."""
        return len(self._pending)

    def append(self, found: bytes) -> None:
        """Add one hash."""
        self._pending += found

    def flush(self) -> None:
        """Hand all of it to the operating system."""
        if self._pending:
            whole = memoryview(self._pending)
            at = self._written * HASH_BYTES
            while whole:
                done = os.pwrite(self._file.fileno(), whole, at)
                whole, at = whole[done:], at + done
            self._written = at // HASH_BYTES
            self._pending = bytearray()

    def cut(self, count: int) -> None:
        """Keep the first `count`; nothing is held."""
        self._file.truncate(count * HASH_BYTES)
        self._written = count

    def last(self, count: int) -> list[bytes]:
        """The last `count` hashes. Raises `BadProof`."""
        return self.read(self.count - count, count)

    def read(self, first: int, count: int) -> list[bytes]:
        """`count` hashes from position `first`. Raises `BadProof` where they are not there."""
        start, end = first * HASH_BYTES, (first + count) * HASH_BYTES
        written = self._written * HASH_BYTES
        data = b""
        if start < written:
            data = os.pread(self._file.fileno(), min(end, written) - start, start)
        if end > written:
            data += self._pending[max(start - written, 0) : end - written]
        if len(data) != end - start:
            raise BadProof(
                f"there are no {count} hashes at {first}",
                fix="remove the file: it is made again from the ledger",
            )
        return [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]

    def close(self) -> None:
        """Let go of the file, without what is not written."""
        self._file.close()
