"""Writes that may be sent again: by its Idempotency-Key one is done once, and answered alike.

A key is kept for a day with what was asked under it and the answer. One that had begun when the
console died has no answer: then nobody here knows, and it is said so rather than done again.
Source: draft-ietf-httpapi-idempotency-key-header-07. SQLite, in the console's own folder.
"""

import hashlib
import os
import re
import sqlite3
from pathlib import Path
from typing import Final

from msgspec import Struct

from console.api.errors import KeyMissing, KeyReused, StillUnderWay, Uncertain

KEPT_S: Final = 86_400
FORM: Final = r"^(?:[A-Za-z0-9._~:-]{8,128}|\"[A-Za-z0-9._~:-]{8,128}\")$"
_FORM: Final = re.compile(FORM[:-1] + r"\Z")
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS answer (
    token TEXT NOT NULL, key TEXT NOT NULL, asked BLOB NOT NULL, at INTEGER NOT NULL,
    status INTEGER, body BLOB, PRIMARY KEY (token, key));
CREATE INDEX IF NOT EXISTS answer_at ON answer (at);
"""


class Kept(Struct, frozen=True):
    """An answer that was given."""

    status: int
    body: bytes


class Answers:
    """One open store. Times are seconds since the epoch, given by the caller."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        self._db = sqlite3.connect(path, isolation_level=None, timeout=5.0)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.executescript(_SCHEMA)
        self._under_way: set[tuple[str, str]] = set()

    def close(self) -> None:
        """Let the file go."""
        self._db.close()

    def begin(self, token: str, key: str, asked: bytes, now: int) -> Kept | None:
        """Take the key for this write; None where it is to be done now, else its answer.

        Raises `KeyReused`, `StillUnderWay` or `Uncertain`.
        """
        self._db.execute("DELETE FROM answer WHERE at <= ?", (now - KEPT_S,))
        made = self._db.execute(
            "INSERT OR IGNORE INTO answer (token, key, asked, at) VALUES (?, ?, ?, ?)",
            (token, key, asked, now),
        )
        if made.rowcount:
            self._under_way.add((token, key))
            return None
        row = self._db.execute(
            "SELECT asked, status, body FROM answer WHERE token = ? AND key = ?", (token, key)
        ).fetchone()
        if row[0] != asked:
            raise KeyReused(
                "Idempotency-Key: it was used for another write in the last 24 hours",
                fix="a new write has a new key",
            )
        if row[1] is not None:
            return Kept(row[1], row[2])
        if (token, key) in self._under_way:
            raise StillUnderWay("the same write is being done", fix="ask again in a second")
        raise Uncertain(
            "the same write began, and its answer was lost: it may stand on the ledger",
            fix="look whether it does; if not, send it with a new Idempotency-Key",
        )

    def keep(self, token: str, key: str, answer: Kept) -> None:
        """The write was done, with this answer."""
        self._db.execute(
            "UPDATE answer SET status = ?, body = ? WHERE token = ? AND key = ?",
            (answer.status, answer.body, token, key),
        )
        self._under_way.discard((token, key))

    def free(self, token: str, key: str) -> None:
        """Nothing was done: the key is as if it had never been."""
        self._db.execute("DELETE FROM answer WHERE token = ? AND key = ?", (token, key))
        self._under_way.discard((token, key))

    def lose(self, token: str, key: str) -> None:
        """Whether it was done is not known, and will not be."""
        self._under_way.discard((token, key))


def key_from(header: str | None) -> str:
    """The key in an `Idempotency-Key` header. Raises `KeyMissing`."""
    if header is None or not _FORM.match(header):
        raise KeyMissing(
            "Idempotency-Key: a write has one"
            if header is None
            else "Idempotency-Key: it is not of 8 to 128 of A-Z, a-z, 0-9 and . _ ~ : -",
            fix='send a fresh one for each write, as in Idempotency-Key: "8e03978e-40d5-43dd"',
        )
    return header.strip('"')


def fingerprint(method: str, path: str, body: bytes) -> bytes:
    """What was asked."""
    return hashlib.sha256(b"\n".join((method.encode(), path.encode(), body))).digest()
