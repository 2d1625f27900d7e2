"""Runs that are over, put by on disk while a ledger is verified: `crypto.known.EndedRuns`.

A verifier reads every run there ever was, and what it must remember of each that is over (whose
turn it would be to speak next) is looked up only where somebody speaks late. It lies in a private
temporary database, which SQLite removes by itself, so that memory does not grow with the ledger.
"""

import sqlite3
from collections.abc import Iterator, MutableMapping
from typing import Final

_CACHE_KIB: Final = 2_048


class EndedOnDisk(MutableMapping[str, bytes]):
    """Run -> what is kept of it. Close it, and it is gone."""

    def __init__(self) -> None:
        # The empty name is a database of this connection's own, in a file without a name.
        self._rows = sqlite3.connect("", isolation_level=None)
        self._rows.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        self._rows.execute("PRAGMA journal_mode = OFF")
        self._rows.execute("CREATE TABLE ended (run TEXT PRIMARY KEY, heads BLOB) WITHOUT ROWID")

    def __getitem__(self, run: str) -> bytes:
        row = self._rows.execute("SELECT heads FROM ended WHERE run = ?", (run,)).fetchone()
        if row is None:
            raise KeyError(run)
        return bytes(row[0])

    def __setitem__(self, run: str, heads: bytes) -> None:
        self._rows.execute("INSERT OR REPLACE INTO ended VALUES (?, ?)", (run, heads))

    def __delitem__(self, run: str) -> None:
        if not self._rows.execute("DELETE FROM ended WHERE run = ?", (run,)).rowcount:
            raise KeyError(run)

    def __iter__(self) -> Iterator[str]:
        return (str(run) for (run,) in self._rows.execute("SELECT run FROM ended ORDER BY run"))

    def __len__(self) -> int:
        (count,) = self._rows.execute("SELECT count(*) FROM ended").fetchone()
        return int(count)

    def close(self) -> None:
        """Remove it."""
        self._rows.close()
