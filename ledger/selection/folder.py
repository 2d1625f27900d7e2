"""A selection as a folder that stands alone.

    manifest.json       what was asked for, what is here, and what cannot be concluded from it
    selection.msgpack   each entry in order: 4-byte big-endian length, then msgpack
                        [index, part, subject, message body, [inclusion proof's hashes]]
    checkpoint.txt      the sealed state that every proof leads to (C2SP signed note)
    schema/, README.md  as in a whole export

Reading is lazy. Nothing is believed until `ledger.selection.verify` has held it against the root.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from ledger.checkpoint import MAX_NOTE_CHARS, NoteKey, origin_of
from ledger.errors import ExportDamaged
from ledger.export import MANIFEST, MAX_MANIFEST_BYTES, MAX_RECORD_BYTES
from ledger.selection.choosing import Part, Plan
from ledger.selection.criteria import Criteria
from ledger.selection.guide import CANNOT, guide
from schemas.actions import Receipt
from schemas.envelope import Envelope
from schemas.errors import UNREADABLE
from schemas.events import Event
from schemas.names import Digest, Name, Nanoseconds

FORMAT: Final = "anyteam selection v1"
ENTRIES: Final = "selection.msgpack"
CHECKPOINT: Final = "checkpoint.txt"
_LENGTH_BYTES: Final = 4
_PATH_BYTES: Final = 64 * 40
_SCHEMAS: Final = {"event": Event, "envelope": Envelope, "receipt": Receipt}


class SelectionManifest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the selection says of itself. `size` and `root` (hex) are the sealed state's."""

    format: str
    workspace: Name
    asked_for: Criteria
    chosen: int
    support: int
    unsealed: int
    size: int
    root: str
    root_key: str
    made_at: Nanoseconds
    cannot_be_concluded: tuple[str, ...]


class SelectedEntry(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """One entry as it was found, with its proof; nothing about it is verified."""

    index: int
    part: Part
    subject: str
    body: bytes
    path: tuple[Digest, ...]


class SelectionWriter:
    """Writes one selection into `folder`, which it makes; use it as a context manager."""

    def __init__(self, folder: Path, workspace: str, root_public: bytes) -> None:
        folder.mkdir(mode=0o700, parents=True)
        self._folder = folder
        self._workspace = workspace
        self._root_key = NoteKey(origin_of(workspace), root_public).vkey
        self._counts = dict.fromkeys(Part, 0)
        self._file = (folder / ENTRIES).open("xb")

    def add(self, entry: SelectedEntry) -> None:
        """Append the next entry."""
        record = msgspec.msgpack.encode(entry)
        self._file.write(len(record).to_bytes(_LENGTH_BYTES, "big") + record)
        self._counts[entry.part] += 1

    def finish(self, criteria: Criteria, plan: Plan, made_at: int) -> SelectionManifest:
        """Complete it, dated `made_at` (ns)."""
        self._file.close()
        manifest = SelectionManifest(
            format=FORMAT,
            workspace=self._workspace,
            asked_for=criteria,
            chosen=self._counts[Part.CHOSEN],
            support=self._counts[Part.SUPPORT],
            unsealed=plan.unsealed,
            size=plan.size,
            root=plan.root.hex(),
            root_key=self._root_key,
            made_at=made_at,
            cannot_be_concluded=CANNOT,
        )
        (self._folder / "schema").mkdir(mode=0o700)
        for name, type_ in _SCHEMAS.items():
            schema = msgspec.json.format(msgspec.json.encode(msgspec.json.schema(type_)))
            (self._folder / "schema" / f"{name}.json").write_bytes(schema + b"\n")
        (self._folder / CHECKPOINT).write_text(plan.note, encoding="utf-8")
        (self._folder / "README.md").write_text(guide(self._workspace), encoding="utf-8")
        text = msgspec.json.format(msgspec.json.encode(manifest)) + b"\n"
        (self._folder / MANIFEST).write_bytes(text)
        return manifest

    def __enter__(self) -> "SelectionWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


class SelectionReader:
    """Reads one selection. Raises `ExportDamaged` where it holds no readable manifest."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            self.manifest = msgspec.json.decode(
                _read(folder / MANIFEST, MAX_MANIFEST_BYTES), type=SelectionManifest
            )
        except UNREADABLE as error:
            raise ExportDamaged(f"{MANIFEST}: {error}", fix="ask for the export again") from error
        if self.manifest.format != FORMAT:
            raise ExportDamaged(f"{MANIFEST}: format {self.manifest.format[:40]!r}, not {FORMAT!r}")

    def checkpoint(self) -> str:
        """The note that the proofs lead to. Raises `ExportDamaged`."""
        try:
            return _read(self.folder / CHECKPOINT, 4 * MAX_NOTE_CHARS).decode()
        except UnicodeDecodeError as error:
            raise ExportDamaged(f"{CHECKPOINT}: {error}") from error

    def entries(self) -> Iterator[SelectedEntry]:
        """Every entry in order, lazily. Raises `ExportDamaged` with the byte it fails at."""
        decoder, at = msgspec.msgpack.Decoder(SelectedEntry), 0
        try:
            with (self.folder / ENTRIES).open("rb") as file:
                while prefix := file.read(_LENGTH_BYTES):
                    length = int.from_bytes(prefix, "big")
                    if len(prefix) < _LENGTH_BYTES or not 0 < length <= _MAX_BYTES:
                        raise ExportDamaged(f"{ENTRIES}: no record at byte {at}")
                    record = file.read(length)
                    if len(record) < length:
                        raise ExportDamaged(f"{ENTRIES}: the record at byte {at} is cut off")
                    yield decoder.decode(record)
                    at += _LENGTH_BYTES + length
        except UNREADABLE as error:
            raise ExportDamaged(f"{ENTRIES}: the record at byte {at}: {error}") from error
        except OSError as error:
            raise ExportDamaged(f"{ENTRIES} cannot be read: {error.strerror}") from error


def is_selection(folder: Path) -> bool:
    """Whether the folder's manifest says that it is a selection."""
    try:
        said = msgspec.json.decode(_read(folder / MANIFEST, MAX_MANIFEST_BYTES))
    except (ExportDamaged, *UNREADABLE):
        return False
    return isinstance(said, dict) and said.get("format") == FORMAT


def _read(path: Path, most: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(most + 1)
    except OSError as error:
        raise ExportDamaged(
            f"{path.name} cannot be read: {error.strerror}", fix="ask for the export again"
        ) from error


_MAX_BYTES: Final = MAX_RECORD_BYTES + _PATH_BYTES
