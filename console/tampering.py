"""Five ways to bend an export, for showing that each is found. Each edits a copy in place."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from crypto.signing import Signer
from ledger.export import ENTRIES, ExportReader
from schemas.envelope import Envelope, decode_envelope, encode_envelope

Record = tuple[int, str, bytes]


def _rewrite(export: Path, change: Callable[[list[Record]], list[Record]]) -> None:
    """Replace the entries by what `change` makes of them, in the export's own format."""
    reader = ExportReader(export)
    records = change([(e.index, e.subject, e.body) for e in reader.entries()])
    with (export / ENTRIES).open("wb") as file:
        for record in records:
            encoded = msgspec.msgpack.encode(record)
            file.write(len(encoded).to_bytes(4, "big") + encoded)


def _middle(records: list[Record]) -> int:
    return len(records) // 2


def _flip(records: list[Record]) -> list[Record]:
    at = _middle(records)
    index, subject, body = records[at]
    flipped = body[:80] + bytes([body[80] ^ 1]) + body[81:]
    return [*records[:at], (index, subject, flipped), *records[at + 1 :]]


def _drop(records: list[Record]) -> list[Record]:
    at = _middle(records)
    kept = [*records[:at], *records[at + 1 :]]
    return [(index, s, b) for index, (_, s, b) in enumerate(kept, start=1)]


def _swap(records: list[Record]) -> list[Record]:
    at = _middle(records)
    (i, s, b), (j, t, c) = records[at], records[at + 1]
    return [*records[:at], (i, t, c), (j, s, b), *records[at + 2 :]]


def _cut(records: list[Record]) -> list[Record]:
    return records[:-3]


def _resign(records: list[Record]) -> list[Record]:
    at = _middle(records)
    index, subject, body = records[at]
    envelope, thief = decode_envelope(body), Signer.generate()
    forged = thief.envelope(envelope.payload)
    kept_name = Envelope(forged.payload, envelope.key_id, forged.signature)
    return [*records[:at], (index, subject, encode_envelope(kept_name)), *records[at + 1 :]]


TAMPERINGS: dict[str, Callable[[Path], None]] = {
    "one bit of one entry flipped": lambda export: _rewrite(export, _flip),
    "an entry dropped, the rest renumbered": lambda export: _rewrite(export, _drop),
    "two entries swapped": lambda export: _rewrite(export, _swap),
    "the last three entries cut off": lambda export: _rewrite(export, _cut),
    "an entry signed anew by a stranger": lambda export: _rewrite(export, _resign),
}
"""What was done, in words, and the doing."""
