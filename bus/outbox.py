"""The outbox: what this producer published and no seal covers yet.

The broker may lose acknowledged entries. Until a seal covers an event its producer keeps
the signed bytes here, so that they can be published again under their old signature. The
file survives the process, not the machine; events reach it before they reach the bus. What a full
disk let in of a record only in part is taken away again, so that nothing is ever written behind it.
"""

import os
from pathlib import Path

import msgspec
from msgspec import Struct

from bus.commands import Publish
from bus.errors import OutboxFull
from schemas.errors import UNREADABLE, AnyTeamError


class Kept(Struct, frozen=True, array_like=True):
    """One published event, as its producer sent it."""

    event_id: str
    message_id: str
    subject: str
    body: bytes


class Outbox:
    """An append-only file of `Kept` records, rewritten when seals allow. One writer."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path = path
        records, self._size = _read(path)
        self._kept = {kept.event_id: kept for kept in records}
        self._indexes: dict[str, int] = {}
        self._file = path.open("ab", buffering=0)
        self._file.truncate(self._size)
        path.chmod(0o600)

    def add(self, message: Publish) -> None:
        """Keep a message that is about to be published. Raises `OutboxFull` where it cannot be."""
        kept = Kept(message.event_id, message.message_id, message.subject, message.body)
        if message.event_id not in self._kept or self._kept[message.event_id] != kept:
            self._append(_record(kept))
        self._kept[message.event_id] = kept

    def stored(self, event_id: str, index: int) -> None:
        """The message is durable at `index`."""
        self._indexes[event_id] = index

    def sealed_up_to(self, size: int) -> None:
        """A seal covers the first `size` entries: what is among them need not be kept."""
        covered = [event_id for event_id, index in self._indexes.items() if index <= size]
        for event_id in covered:
            del self._indexes[event_id]
            self._kept.pop(event_id, None)
        if covered:
            self.compact()

    def discard(self, event_id: str) -> None:
        """Forget a message that was never stored, or that a seal covers."""
        self._kept.pop(event_id, None)

    def kept(self) -> tuple[Kept, ...]:
        """What no seal covers, in the order it was published."""
        return tuple(self._kept.values())

    def compact(self) -> None:
        """Rewrite the file with what is still kept."""
        draft = self._path.with_suffix(".draft")
        self._size = draft.write_bytes(b"".join(_record(kept) for kept in self._kept.values()))
        draft.chmod(0o600)
        draft.replace(self._path)
        self._file.close()
        self._file = self._path.open("ab", buffering=0)

    def close(self) -> None:
        """Let the file go."""
        self._file.close()

    def _append(self, record: bytes) -> None:
        """All of the record, or none of it: one write may take a part where the disk fills up."""
        problem = "the disk took a part of a record"
        try:
            if self._file.write(record) == len(record):
                self._size += len(record)
                return
        except OSError as error:
            problem = os.strerror(error.errno or 0)
        self._file.truncate(self._size)
        raise OutboxFull(
            f"{self._path} cannot be written: {problem}",
            fix="make room on its disk; nothing was published, and nothing done",
        )


def _record(kept: Kept) -> bytes:
    encoded = msgspec.msgpack.encode(kept)
    return len(encoded).to_bytes(4, "big") + encoded


def _read(path: Path) -> tuple[list[Kept], int]:
    """The whole records in the file, and where they end; one torn at the end is passed over."""
    data = path.read_bytes() if path.exists() else b""
    found, at = [], 0
    while at + 4 <= len(data):
        end = at + 4 + int.from_bytes(data[at : at + 4], "big")
        if end > len(data):
            break
        try:
            found.append(msgspec.msgpack.decode(data[at + 4 : end], type=Kept))
        except UNREADABLE as error:
            raise AnyTeamError(
                f"outbox {path} is damaged at byte {at}",
                fix="move it away and run `anyteam verify`",
            ) from error
        at = end
    return found, at
