"""Details of runs that are over, on the console's own disk: `console.view.shelf.Rows`.

Each row is AES-256-GCM under the console's snapshot key, bound to workspace, run and index, so that
none can be exchanged. Rows are of use beside a snapshot alone: what was put by after it is removed,
and without one everything is.
"""

import secrets
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bus.errors import BadSnapshot

_NONCE_BYTES: Final = 12
_COMMIT_EVERY: Final = 512
_CACHE_KIB: Final = 8_192


class StoredRows:
    """Rows in a database at `path`, under the 32-byte `key`."""

    def __init__(self, path: Path, key: bytes, workspace: str) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        self._cipher = AESGCM(key)
        self._workspace = workspace
        self._uncommitted = 0
        self._rows = sqlite3.connect(path, isolation_level=None)
        self._rows.execute("PRAGMA journal_mode = WAL")
        self._rows.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        self._rows.executescript(
            "CREATE TABLE IF NOT EXISTS runs"
            " (run TEXT, at INTEGER, packed BLOB, PRIMARY KEY (run, at)) WITHOUT ROWID;"
            "CREATE TABLE IF NOT EXISTS proposals"
            " (digest BLOB PRIMARY KEY, run TEXT) WITHOUT ROWID;"
        )
        self._rows.execute("BEGIN")

    def put(self, run: str, at: int, packed: bytes, proposals: tuple[bytes, ...]) -> None:
        """`console.view.shelf.Rows`."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = nonce + self._cipher.encrypt(nonce, packed, self._context(run, at))
        self._rows.execute("INSERT OR REPLACE INTO runs VALUES (?, ?, ?)", (run, at, sealed))
        self._rows.executemany(
            "INSERT OR REPLACE INTO proposals VALUES (?, ?)", [(one, run) for one in proposals]
        )
        self._uncommitted += 1
        if self._uncommitted >= _COMMIT_EVERY:
            self._commit()

    def get(self, run: str, at: int) -> bytes:
        """`console.view.shelf.Rows`."""
        query = "SELECT packed FROM runs WHERE run = ? AND at = ?"
        row = self._rows.execute(query, (run, at)).fetchone()
        try:
            if row is None:
                raise InvalidTag
            sealed = bytes(row[0])
            nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
            return self._cipher.decrypt(nonce, rest, self._context(run, at))
        except (InvalidTag, ValueError) as error:
            raise BadSnapshot(
                f"what was put by of run {run} is not there, or was changed",
                fix="remove snapshots/console and start the console again: it is made anew",
            ) from error

    def run_of(self, proposal: bytes) -> str | None:
        """`console.view.shelf.Rows`."""
        query = "SELECT run FROM proposals WHERE digest = ?"
        row = self._rows.execute(query, (proposal,)).fetchone()
        return str(row[0]) if row is not None else None

    def cut(self, index: int, kept: Iterable[tuple[str, int]] = ()) -> None:
        """Remove what was put by after `index`; of a proposal its run is known still.

        Raises `BadSnapshot` where one of `kept`, (run, index), is missing.
        """
        self._rows.execute("DELETE FROM runs WHERE at > ?", (index,))
        if not index:
            self._rows.execute("DELETE FROM proposals")
        there = {(str(run), int(at)) for run, at in self._rows.execute("SELECT run, at FROM runs")}
        missing = next((run for run, at in kept if (run, at) not in there), None)
        if missing is not None:
            raise BadSnapshot(f"what was put by of run {missing} is not there")
        self._commit()

    def settle(self) -> None:
        """Have on disk all that was put by."""
        self._commit()

    def prune(self, index: int) -> None:
        """A snapshot at `index` is on disk: of each run nothing older than it needs is kept."""
        self._rows.execute(
            "DELETE FROM runs WHERE at <= ?1 AND EXISTS"
            " (SELECT 1 FROM runs AS later"
            " WHERE later.run = runs.run AND later.at > runs.at AND later.at <= ?1)",
            (index,),
        )
        self._commit()

    def close(self) -> None:
        """Let go of the database."""
        self._commit()
        self._rows.execute("COMMIT")
        self._rows.close()

    def _commit(self) -> None:
        self._rows.execute("COMMIT")
        self._rows.execute("BEGIN")
        self._uncommitted = 0

    def _context(self, run: str, at: int) -> bytes:
        return f"anyteam console run v1\x00{self._workspace}\x00{run}\x00{at}".encode()
