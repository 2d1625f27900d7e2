"""Archived epochs: closed parts of the ledger as blobs, to be read when their stream is gone.

    epoch-000001.json    what is here of an epoch; written last, so it is there when all is
    <sha256>             entries in order, each a 4-byte big-endian length, then msgpack
                         [index, subject, message body]; or the seals, one JSON text a line

A blob's name is the SHA-256 of its bytes, and is checked as it is read. That an archive is a part
of the ledger its readers find out as with a stream: by signatures, producers' chains and seals.
"""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec
from msgspec import Struct

from bus.blobs import Blobs
from bus.errors import ArchiveError
from schemas.errors import UNREADABLE
from schemas.names import Name

FORMAT: Final = "anyteam epoch v1"
SEGMENT_BYTES: Final = 16 * 1024 * 1024
_LENGTH_BYTES: Final = 4

Entry = tuple[int, str, bytes]


class Segment(Struct, frozen=True, forbid_unknown_fields=True):
    """Entries `first` to `last`, in the blob `name`."""

    name: str
    first: int
    last: int


class ArchivedEpoch(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One epoch's blobs. `seals` is the blob of the seals at places `seals_first` to `seals_last`
    of the seals stream: those up to the epoch's end.
    """

    format: str
    workspace: Name
    epoch: int
    first: int
    last: int
    segments: tuple[Segment, ...]
    seals: str
    seals_first: int
    seals_last: int


class LedgerArchive:
    """The archived epochs of one workspace in `blobs`."""

    def __init__(self, blobs: Blobs, workspace: str) -> None:
        self._blobs = blobs
        self._workspace = workspace

    def has(self, epoch: int) -> bool:
        """Whether the epoch is here. Raises `ArchiveError` where what says so is damaged."""
        return self.epoch(epoch) is not None

    def epoch(self, epoch: int) -> ArchivedEpoch | None:
        """What is here of the epoch, None where nothing is. Raises `ArchiveError`."""
        data = self._blobs.read(_manifest(epoch))
        if data is None:
            return None
        try:
            found = msgspec.json.decode(data, type=ArchivedEpoch)
        except UNREADABLE as error:
            raise ArchiveError(f"{_manifest(epoch)}: {error}", fix="restore it") from error
        said = (found.format, found.workspace, found.epoch)
        if said != (FORMAT, self._workspace, epoch):
            raise ArchiveError(
                f"{_manifest(epoch)} is of {said}, not of epoch {epoch} of {self._workspace}",
                fix="restore the workspace's own archive",
            )
        return found

    def entries(self, epoch: int, after: int) -> Iterator[Entry]:
        """The epoch's entries after index `after`, in order. Raises `ArchiveError`."""
        found = self.epoch(epoch)
        for segment in found.segments if found is not None else ():
            if segment.last > after:
                yield from (entry for entry in self._segment(segment) if entry[0] > after)

    def segments(self, epoch: ArchivedEpoch) -> Iterator[Entry]:
        """All entries of what an archive holds, or is to hold. Raises `ArchiveError`."""
        for segment in epoch.segments:
            yield from self._segment(segment)

    def seals(self, epoch: ArchivedEpoch) -> list[str]:
        """The epoch's seals, in order. Raises `ArchiveError`."""
        data = self._blob(epoch.seals)
        try:
            return [msgspec.json.decode(line, type=str) for line in data.splitlines()]
        except UNREADABLE as error:
            raise ArchiveError(f"blob {epoch.seals}: {error}", fix="restore it") from error

    def put_entries(self, entries: Iterable[Entry]) -> Segment:
        """Keep some entries in a row as one blob."""
        known = list(entries)
        records = [msgspec.msgpack.encode(entry) for entry in known]
        data = b"".join(len(r).to_bytes(_LENGTH_BYTES, "big") + r for r in records)
        return Segment(self._put(data), known[0][0], known[-1][0])

    def put_seals(self, notes: Iterable[str]) -> str:
        """Keep some seals as one blob; its name."""
        return self._put(b"".join(msgspec.json.encode(note) + b"\n" for note in notes))

    def commit(self, epoch: ArchivedEpoch) -> None:
        """From now on the epoch is here. Whoever calls has verified what it holds."""
        text = msgspec.json.format(msgspec.json.encode(epoch)) + b"\n"
        self._blobs.write(_manifest(epoch.epoch), text)

    def _put(self, data: bytes) -> str:
        name = hashlib.sha256(data).hexdigest()
        self._blobs.write(name, data)
        return name

    def _blob(self, name: str) -> bytes:
        data = self._blobs.read(name)
        if data is None or hashlib.sha256(data).hexdigest() != name:
            what = "is missing" if data is None else "is not what its name says"
            raise ArchiveError(f"blob {name} {what}", fix="restore the archive from your backup")
        return data

    def _segment(self, segment: Segment) -> Iterator[Entry]:
        data, at, expected = self._blob(segment.name), 0, segment.first
        while at < len(data):
            length = int.from_bytes(data[at : at + _LENGTH_BYTES], "big")
            record = data[at + _LENGTH_BYTES : at + _LENGTH_BYTES + length]
            try:
                entry = msgspec.msgpack.decode(record, type=Entry)
            except UNREADABLE as error:
                raise ArchiveError(f"blob {segment.name} at byte {at}: {error}") from error
            if entry[0] != expected:
                raise ArchiveError(f"blob {segment.name} has no entry {expected}")
            yield entry
            at, expected = at + _LENGTH_BYTES + length, expected + 1
        if expected != segment.last + 1:
            raise ArchiveError(f"blob {segment.name} ends before entry {segment.last}")


def _manifest(epoch: int) -> str:
    return f"epoch-{epoch:06d}.json"
