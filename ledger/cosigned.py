"""Cosigned seals beside a ledger: the newest of each witness, and what an export carries of them.

A note is a seal with the lines of witnesses under it. Those of one seal are one note; nothing in
it is verified here. Whoever verifies counts a witness's word for the seal that it is under, and so
for all before it.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from crypto.keyfile import read_secret, write_secret
from ledger.checkpoint import parse_note, read_checkpoint
from ledger.cosignature import WitnessKey
from ledger.errors import BadCheckpoint

_SUFFIX = ".note"


def keep_cosigned(folder: Path, key: WitnessKey, note: str) -> None:
    """Put the note that `key` cosigned in place of the one before."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = hashlib.sha256(key.vkey.encode()).hexdigest()
    write_secret(folder / f"{name}{_SUFFIX}", note.encode())


def kept_cosigned(folder: Path) -> tuple[str, ...]:
    """What is kept, those of one seal as one note, by size; one that is out of form is left out."""
    texts = (
        read_secret(path).decode("utf-8", "replace") for path in sorted(folder.glob(f"*{_SUFFIX}"))
    )
    return merged(texts)


def merged(notes: Iterable[str]) -> tuple[str, ...]:
    """Notes of one text made one, with each signature line once; by size. One that has no line but
    the log's own is left out.
    """
    found: dict[str, dict[str, None]] = {}
    for note in notes:
        try:
            text, _ = parse_note(note)
            read_checkpoint(note)
        except BadCheckpoint:
            continue
        lines = note.removeprefix(f"{text}\n").splitlines(keepends=True)
        found.setdefault(text, {}).update(dict.fromkeys(lines))
    whole = (f"{text}\n{''.join(lines)}" for text, lines in found.items() if len(lines) > 1)
    return tuple(sorted(whole, key=lambda note: read_checkpoint(note).size))
