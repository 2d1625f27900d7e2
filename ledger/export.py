"""The export: a folder that stands alone, for an auditor who has nothing but the root key.

    manifest.json    what is here: workspace, size, head, root, who the root is
    ledger.msgpack   every entry in order: 4-byte big-endian length, then msgpack
                     [index, subject, message body]
    seals.jsonl      every seal in order, one JSON object {"note": text} a line
    cosigned.jsonl   the newest seals that witnesses cosigned, where there are any, by size
    schema/*.json    JSON Schemas of event, envelope and receipt
    checkpoint, tile/    the last seal and its Merkle tree, for a server of static files
    README.md        how to verify it, by command and by hand
    verify_receipt.py    checks one receipt, with nothing of ours installed

Writing streams, and the folder appears under its name only when it is whole. Reading is
lazy, in bounded memory; what is out of form is an `ExportDamaged` that says where.
Nothing in an export is believed until `ledger.verify` has held it against the root key.
"""

import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Protocol, Self

import msgspec
from msgspec import Struct

from ledger import offline
from ledger.chain import first_head, leaf_of, next_head
from ledger.checkpoint import MAX_NOTE_CHARS, NoteKey, origin_of
from ledger.cosigned import merged
from ledger.errors import ExportDamaged, ExportExists
from ledger.guide import guide
from ledger.merkle import Frontier
from ledger.tiles import CHECKPOINT
from ledger.tiling import write_tiles
from schemas.actions import Receipt
from schemas.envelope import MAX_BODY_BYTES, Envelope
from schemas.errors import UNREADABLE
from schemas.events import Event
from schemas.names import Name, Nanoseconds

FORMAT: Final = "anyteam export v1"
MANIFEST: Final = "manifest.json"
ENTRIES: Final = "ledger.msgpack"
SEALS: Final = "seals.jsonl"
COSIGNED: Final = "cosigned.jsonl"
MAX_RECORD_BYTES: Final = MAX_BODY_BYTES + 4_096
MAX_MANIFEST_BYTES: Final = 65_536
MAX_COSIGNED: Final = 256
_LENGTH_BYTES: Final = 4
_BUFFER_BYTES: Final = 128 * 1024
_SCHEMAS: Final = {"event": Event, "envelope": Envelope, "receipt": Receipt}


class Manifest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the export says of itself. `head` and `root` are hex, `root_key` is a vkey."""

    format: str
    workspace: Name
    size: int
    first: int
    last: int
    head: str
    root: str
    seals: int
    root_key: str
    made_at: Nanoseconds


class ExportedEntry(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """One stream entry as it was found; nothing about it is verified."""

    index: int
    subject: str
    body: bytes


class Export(Protocol):
    """What verification reads, wherever it lies."""

    @property
    def manifest(self) -> Manifest:
        """What the export says of itself."""
        ...

    def entries(self) -> Iterator[ExportedEntry]:
        """Every entry in order. Raises `ExportDamaged` where one cannot be read."""
        ...

    def seals(self) -> Iterator[str]:
        """Every seal's note in order. Raises `ExportDamaged` where one cannot be read."""
        ...


class _Seal(Struct, frozen=True, forbid_unknown_fields=True):
    note: str


class ExportWriter:
    """Writes one export; use it as a context manager, and call `finish` at the end.

    Left without `finish`, by an error or otherwise, it removes what it has written. Raises
    `ExportExists` where something is at `folder`.
    """

    def __init__(self, folder: Path, workspace: str, root_public: bytes) -> None:
        if folder.exists():
            raise ExportExists(f"{folder} exists", fix="choose a new place for the export")
        self._folder = folder
        self._workspace = workspace
        self._root_key = NoteKey(origin_of(workspace), root_public).vkey
        self._frontier, self._head = Frontier(), first_head(workspace)
        self._first = self._last = self._seals = 0
        self._cosigned: tuple[str, ...] = ()
        self._draft = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.draft")
        self._draft.mkdir(mode=0o700, parents=True)
        self._entries_file = (self._draft / ENTRIES).open("xb")
        self._seals_file = (self._draft / SEALS).open("xb")

    def add(self, index: int, subject: str, body: bytes) -> None:
        """Append the next stream entry."""
        record = msgspec.msgpack.encode(ExportedEntry(index, subject, body))
        self._entries_file.write(len(record).to_bytes(_LENGTH_BYTES, "big") + record)
        leaf = leaf_of(body)
        self._frontier.append(leaf)
        self._head = next_head(self._head, leaf)
        self._first = self._first or index
        self._last = index

    def add_seal(self, note: str) -> None:
        """Append the next seal of the seals stream."""
        self._seals_file.write(msgspec.json.encode(_Seal(note)) + b"\n")
        self._seals += 1

    def add_cosigned(self, notes: Iterable[str]) -> None:
        """Seals of these entries, with witnesses' lines; by size."""
        self._cosigned = (*self._cosigned, *notes)

    def finish(self, made_at: int) -> Manifest:
        """Complete the export, dated `made_at` (ns), and put it in its place.

        Raises `ExportExists` where something came there meanwhile.
        """
        manifest = Manifest(
            format=FORMAT,
            workspace=self._workspace,
            size=self._frontier.size,
            first=self._first,
            last=self._last,
            head=self._head.hex(),
            root=self._frontier.root().hex(),
            seals=self._seals,
            root_key=self._root_key,
            made_at=made_at,
        )
        (self._draft / "schema").mkdir(mode=0o700)
        for name, type_ in _SCHEMAS.items():
            schema = msgspec.json.format(msgspec.json.encode(msgspec.json.schema(type_)))
            _write(self._draft / "schema" / f"{name}.json", schema + b"\n")
        _write(self._draft / "README.md", guide(self._workspace).encode())
        _write(self._draft / "verify_receipt.py", Path(offline.__file__).read_bytes())
        text = msgspec.json.format(msgspec.json.encode(manifest)) + b"\n"
        _write(self._draft / MANIFEST, text)
        _close(self._entries_file)
        _close(self._seals_file)
        if self._cosigned:
            lines = (msgspec.json.encode(_Seal(note)) + b"\n" for note in self._cosigned)
            _write(self._draft / COSIGNED, b"".join(lines))
        reader = ExportReader(self._draft)
        write_tiles(
            self._draft,
            lambda: (entry.body for entry in reader.entries()),
            # Of two notes of one size the later is taken: the one with cosignatures.
            chain(reader.seals(), self._cosigned),
            manifest.size,
        )
        try:
            self._draft.rename(self._folder)
        except OSError as error:
            raise ExportExists(
                f"{self._folder} cannot be put in place: {error.strerror}",
                fix="choose a new place for the export",
            ) from error
        return manifest

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._entries_file.close()
        self._seals_file.close()
        shutil.rmtree(self._draft, ignore_errors=True)


class ExportReader:
    """Reads one export. Raises `ExportDamaged` where it holds no readable manifest."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with _open(folder / MANIFEST) as file:
            text = file.read(MAX_MANIFEST_BYTES + 1)
        try:
            manifest = msgspec.json.decode(text, type=Manifest)
        except UNREADABLE as error:
            raise ExportDamaged(f"{MANIFEST}: {error}", fix="ask for the export again") from error
        if manifest.format != FORMAT:
            raise ExportDamaged(
                f"{MANIFEST}: format {manifest.format[:40]!r}, not {FORMAT!r}",
                fix="verify it with the version of anyteam that made it",
            )
        self.manifest = manifest

    def entries(self) -> Iterator[ExportedEntry]:
        """Every entry in order, lazily. Raises `ExportDamaged` with the byte it fails at."""
        decoder = msgspec.msgpack.Decoder(ExportedEntry)
        with _open(self.folder / ENTRIES) as file:
            at = 0
            while prefix := file.read(_LENGTH_BYTES):
                length = int.from_bytes(prefix, "big")
                if len(prefix) < _LENGTH_BYTES or not 0 < length <= MAX_RECORD_BYTES:
                    raise ExportDamaged(f"{ENTRIES}: no record at byte {at}")
                record = file.read(length)
                if len(record) < length:
                    raise ExportDamaged(f"{ENTRIES}: the record at byte {at} is cut off")
                try:
                    entry = decoder.decode(record)
                except UNREADABLE as error:
                    raise ExportDamaged(f"{ENTRIES}: the record at byte {at}: {error}") from error
                yield entry
                at += _LENGTH_BYTES + length

    def seals(self) -> Iterator[str]:
        """Every seal's note in order, lazily. Raises `ExportDamaged` with the line."""
        return self._notes(SEALS)

    def cosigned(self) -> tuple[str, ...]:
        """The notes that came with cosignatures, and that of the tiles, those of one seal as one.

        Raises `ExportDamaged` with the line.
        """
        notes = list(islice(self._notes(COSIGNED), MAX_COSIGNED)) if self._has(COSIGNED) else []
        if self._has(CHECKPOINT):
            with _open(self.folder / CHECKPOINT) as file:
                notes.append(file.read(4 * MAX_NOTE_CHARS).decode("utf-8", "replace"))
        return merged(notes)

    def _has(self, name: str) -> bool:
        return (self.folder / name).is_file()

    def _notes(self, name: str) -> Iterator[str]:
        decoder = msgspec.json.Decoder(_Seal)
        with _open(self.folder / name) as file:
            number = 0
            # JSON may escape a character to six.
            while line := file.readline(6 * MAX_NOTE_CHARS):
                number += 1
                try:
                    seal = decoder.decode(line)
                except UNREADABLE as error:
                    raise ExportDamaged(f"{name}: line {number}: {error}") from error
                yield seal.note


def _open(path: Path) -> BinaryIO:
    try:
        if not path.is_file():
            raise ExportDamaged(f"{path.name} is missing", fix="ask for the export again")
        return path.open("rb", buffering=_BUFFER_BYTES)
    except OSError as error:
        raise ExportDamaged(f"{path.name} cannot be read: {error.strerror}") from error


def _write(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        _sync(file)


def _close(file: BinaryIO) -> None:
    _sync(file)
    file.close()


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())
