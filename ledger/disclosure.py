"""Content taken away beside a signed ledger: `content.jsonl`, one opened field a line.

Each line names an event and one of its sealed fields, and carries that field's own key and what it
opens to. Whoever has the signed event checks it by opening the field again: the key opens that one
field, and nothing else of the run. AES-GCM binds a ciphertext to one plaintext only for a sealer
who was honest when it sealed: see docs/decisions/0060.

Whoever holds this file holds the content for ever: erasing it from the ledger does not reach here.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from crypto.errors import SealError
from crypto.sealing import ContentKeys, content_fields, open_field, scope_of
from ledger.errors import ExportDamaged
from schemas.content import Sealed
from schemas.erasure import ContentField, Scope
from schemas.errors import UNREADABLE
from schemas.events import Event
from schemas.names import EventId

FILE: Final = "content.jsonl"
_MAX_LINE: Final = 8 * 1024 * 1024


class OpenedField(
    Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True
):
    """One line. `value` is the content, JSON as it was sealed; `binary` where it is no JSON."""

    index: Annotated[int, Meta(ge=1)]
    event: EventId
    run: Scope
    field: str
    key: Annotated[bytes, Meta(min_length=32, max_length=32)]
    value: msgspec.Raw = msgspec.Raw(b"")
    binary: bytes = b""

    @property
    def data(self) -> bytes:
        """What was sealed, byte for byte."""
        return bytes(self.value) or self.binary

    @property
    def name(self) -> ContentField:
        """The field's name in the ledger."""
        return ContentField(run=self.run, event=self.event, name=self.field)


def disclosed(index: int, event: Event, keys: ContentKeys) -> Iterator[OpenedField]:
    """Every sealed field of an event, as it was signed, that `keys` can open."""
    scope = scope_of(event)
    if scope is None:
        return
    for field in content_fields(type(event.body)):
        if not isinstance(getattr(event.body, field), Sealed):
            continue
        key = keys.field_key(ContentField(run=scope, event=event.id, name=field))
        if key is None:
            continue
        try:
            data = open_field(event, field, key).data
        except SealError:
            # Sealed by a hostile runtime, or erased: it stays sealed.
            continue
        opened = OpenedField(index=index, event=event.id, run=scope, field=field, key=key)
        if _is_line(data):
            yield msgspec.structs.replace(opened, value=msgspec.Raw(data))
        else:
            yield msgspec.structs.replace(opened, binary=data)


def written(opened: OpenedField) -> bytes:
    """The line of one field."""
    return msgspec.json.encode(opened) + b"\n"


def read_disclosure(folder: Path) -> Iterator[OpenedField]:
    """The lines of a folder's `content.jsonl`, none where it has none. Raises `ExportDamaged`."""
    path, decoder = folder / FILE, msgspec.json.Decoder(OpenedField)
    if not path.exists():
        return
    number = 0
    try:
        with path.open("rb") as file:
            while line := file.readline(_MAX_LINE):
                number += 1
                yield decoder.decode(line)
    except UNREADABLE as error:
        raise ExportDamaged(f"{FILE}: line {number}: {error}") from error
    except OSError as error:
        raise ExportDamaged(f"{FILE} cannot be read: {error.strerror}") from error


def disclosure_problem(opened: OpenedField, index: int, event: Event) -> str:
    """Why a line is not what was sealed in `event`, which stands at `index`; empty where it is."""
    if (opened.index, opened.event, opened.run) != (index, event.id, scope_of(event)):
        return f"{FILE} names another event than the one at entry {index}"
    try:
        data = open_field(event, opened.field, opened.key).data
    except SealError as error:
        return f"{opened.field}: {error.what}"
    if data != opened.data:
        return f"{opened.field} was sealed with another content than {FILE} says"
    return ""


class DisclosedKeys:
    """`crypto.sealing.ContentKeys` from a `content.jsonl`: the keys of those fields alone."""

    def __init__(self, opened: Iterator[OpenedField]) -> None:
        self._keys = {one.name: one.key for one in opened}

    def __bool__(self) -> bool:
        return bool(self._keys)

    def key_for(self, run: str) -> bytes | None:
        return None

    def field_key(self, field: ContentField) -> bytes | None:
        return self._keys.get(field)

    def learn(self, event: Event) -> None:
        pass


def _is_line(data: bytes) -> bool:
    """Whether it is JSON that stands on one line as it is."""
    if b"\n" in data or b"\r" in data or not data:
        return False
    try:
        msgspec.json.decode(data)
        data.decode()
    except UNREADABLE:
        return False
    # A value with white space around it would not come back byte for byte.
    return data.strip() == data
