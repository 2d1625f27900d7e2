"""The webhooks' database: endpoints, sealed secrets, states, delivery log, dead letters. SQLite.

A state and what led to it are written in one transaction. The running component writes states,
people write everything else; a person's change raises the endpoint's generation, and a state that
rests on an older one is dropped, whereupon its messages are sent again. Nothing here is in clear
that would let anybody sign. Source: SQLite documentation, "Write-Ahead Logging".
"""

import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from projections.webhooks.endpoint import Attempt, DeadLetter, Endpoint, Kept, SealedSecret, Step
from projections.webhooks.errors import EndpointExists, NoEndpoint, StoreTrouble
from projections.webhooks.progress import Outcome, Progress

LOG_LINES: Final = 10_000
"""So many lines of the delivery log are kept of an endpoint."""

_BUSY_S: Final = 10.0
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS endpoint (
    workspace TEXT NOT NULL, name TEXT NOT NULL, endpoint BLOB NOT NULL, progress BLOB NOT NULL,
    generation INTEGER NOT NULL, PRIMARY KEY (workspace, name)
) STRICT;
CREATE TABLE IF NOT EXISTS secret (
    workspace TEXT NOT NULL, name TEXT NOT NULL, number INTEGER NOT NULL, sealed BLOB NOT NULL,
    until INTEGER, PRIMARY KEY (workspace, name, number),
    FOREIGN KEY (workspace, name) REFERENCES endpoint ON DELETE CASCADE
) STRICT;
CREATE TABLE IF NOT EXISTS attempt (
    id INTEGER PRIMARY KEY, workspace TEXT NOT NULL, name TEXT NOT NULL, at INTEGER NOT NULL,
    ledger_index INTEGER NOT NULL, message_id TEXT NOT NULL, type TEXT NOT NULL,
    number INTEGER NOT NULL, outcome TEXT NOT NULL, took_ms INTEGER NOT NULL, detail TEXT NOT NULL,
    FOREIGN KEY (workspace, name) REFERENCES endpoint ON DELETE CASCADE
) STRICT;
CREATE INDEX IF NOT EXISTS attempt_of ON attempt (workspace, name, id);
CREATE TABLE IF NOT EXISTS dead (
    workspace TEXT NOT NULL, name TEXT NOT NULL, ledger_index INTEGER NOT NULL, type TEXT NOT NULL,
    at INTEGER NOT NULL, attempts INTEGER NOT NULL, reason TEXT NOT NULL,
    PRIMARY KEY (workspace, name, ledger_index),
    FOREIGN KEY (workspace, name) REFERENCES endpoint ON DELETE CASCADE
) STRICT;
"""

Change = Callable[[Progress], Progress]


class Store:
    """The endpoints of one workspace. Methods raise `StoreTrouble` where the database fails.

    `synced`: a write outlives a power cut before the method returns. The running component does
    without, since it sends again what it does not remember to have sent.
    """

    def __init__(self, path: Path, workspace: str, *, synced: bool = True) -> None:
        self._workspace = workspace
        with _troubles(path):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self._path = path
            # The journal writes from a thread of its own; the lock keeps transactions apart.
            self._lock = threading.Lock()
            self._db = sqlite3.connect(
                path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
            )
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute(f"PRAGMA synchronous = {'FULL' if synced else 'NORMAL'}")
            self._db.execute("PRAGMA foreign_keys = ON")
            self._db.executescript(_SCHEMA)

    def close(self) -> None:
        """Let the database go."""
        self._db.close()

    def version(self) -> int:
        """Another number whenever another connection has changed something."""
        with self._lock, _troubles(self._path):
            return int(self._db.execute("PRAGMA data_version").fetchone()[0])

    def endpoints(self) -> tuple[Kept, ...]:
        """All endpoints, by name."""
        with self._transaction():
            names = self._db.execute(
                "SELECT name FROM endpoint WHERE workspace = ? ORDER BY name", (self._workspace,)
            )
            return tuple(self._kept(name) for (name,) in names.fetchall())

    def get(self, name: str) -> Kept:
        """One endpoint. Raises `NoEndpoint`."""
        with self._transaction():
            return self._kept(name)

    def add(self, endpoint: Endpoint, progress: Progress, sealed: bytes) -> None:
        """Keep a new endpoint. Raises `EndpointExists`."""
        with self._transaction():
            try:
                self._db.execute(
                    "INSERT INTO endpoint VALUES (?, ?, ?, ?, 1)",
                    (*self._key(endpoint.name), _encode(endpoint), _encode(progress)),
                )
            except sqlite3.IntegrityError as error:
                raise EndpointExists(
                    f"there is an endpoint {endpoint.name}", fix="remove it, or choose another name"
                ) from error
            self._put_secrets(endpoint.name, [SealedSecret(sealed)])

    def remove(self, name: str) -> None:
        """Forget an endpoint with all that is kept of it. Raises `NoEndpoint`."""
        with self._transaction():
            self._kept(name)
            self._db.execute(
                "DELETE FROM endpoint WHERE workspace = ? AND name = ?", self._key(name)
            )

    def change(self, name: str, change: Change) -> Kept:
        """Change an endpoint's state by a person's wish; what it is then. Raises `NoEndpoint`."""
        with self._transaction():
            progress = change(self._kept(name).progress)
            self._db.execute(
                "UPDATE endpoint SET progress = ?, generation = generation + 1"
                " WHERE workspace = ? AND name = ?",
                (_encode(progress), *self._key(name)),
            )
            return self._kept(name)

    def rotate(self, name: str, sealed: bytes, now: int, until: int) -> None:
        """A new secret; the one so far signs beside it up to `until` (ns). Raises `NoEndpoint`."""
        with self._transaction():
            signing = [
                SealedSecret(one.sealed, min(one.until or until, until))
                for one in self._kept(name).secrets
                if one.until is None or one.until > now
            ]
            self._db.execute("DELETE FROM secret WHERE workspace = ? AND name = ?", self._key(name))
            self._put_secrets(name, [SealedSecret(sealed), *signing])
            self._db.execute(
                "UPDATE endpoint SET generation = generation + 1 WHERE workspace = ? AND name = ?",
                self._key(name),
            )

    def keep(self, steps: Iterable[Step]) -> None:
        """Write states and what led to them, all or nothing.

        The attempts were made whatever a person changed meanwhile; a state of an older generation
        is dropped, and with it the dead letters that it speaks of.
        """
        with self._transaction():
            for step in steps:
                key = self._key(step.name)
                current = self._db.execute(
                    "SELECT generation FROM endpoint WHERE workspace = ? AND name = ?", key
                ).fetchone()
                if current is None:
                    continue
                self._log(key, step.attempts)
                if current[0] != step.generation:
                    continue
                self._db.execute(
                    "UPDATE endpoint SET progress = ? WHERE workspace = ? AND name = ?",
                    (_encode(step.progress), *key),
                )
                self._db.executemany(
                    "DELETE FROM dead WHERE workspace = ? AND name = ? AND ledger_index = ?",
                    [(*key, place.index) for place in step.settled],
                )
                self._db.executemany(
                    "INSERT OR REPLACE INTO dead VALUES (?, ?, ?, ?, ?, ?, ?)",
                    [(*key, d.index, d.type, d.at, d.attempts, d.reason) for d in step.dead],
                )

    def attempts(self, name: str, limit: int) -> tuple[Attempt, ...]:
        """The newest lines of the delivery log, newest first. Raises `NoEndpoint`."""
        with self._transaction():
            self._kept(name)
            rows = self._db.execute(
                "SELECT at, ledger_index, message_id, type, number, outcome, took_ms, detail"
                " FROM attempt WHERE workspace = ? AND name = ? ORDER BY id DESC LIMIT ?",
                (*self._key(name), limit),
            )
            return tuple(_attempt(*row) for row in rows)

    def dead(self, name: str) -> tuple[DeadLetter, ...]:
        """The dead letters, in the ledger's order. Raises `NoEndpoint`."""
        with self._transaction():
            self._kept(name)
            rows = self._db.execute(
                "SELECT ledger_index, type, at, attempts, reason FROM dead"
                " WHERE workspace = ? AND name = ? ORDER BY ledger_index",
                self._key(name),
            )
            return tuple(
                DeadLetter(index=row[0], type=row[1], at=row[2], attempts=row[3], reason=row[4])
                for row in rows
            )

    def _kept(self, name: str) -> Kept:
        row = self._db.execute(
            "SELECT endpoint, progress, generation FROM endpoint WHERE workspace = ? AND name = ?",
            self._key(name),
        ).fetchone()
        if row is None:
            raise NoEndpoint(f"there is no endpoint {name!r}", fix="anyteam webhook list")
        secrets = self._db.execute(
            "SELECT sealed, until FROM secret WHERE workspace = ? AND name = ? ORDER BY number",
            self._key(name),
        )
        return Kept(
            endpoint=msgspec.json.decode(row[0], type=Endpoint),
            progress=msgspec.json.decode(row[1], type=Progress),
            generation=row[2],
            secrets=tuple(SealedSecret(sealed, until) for sealed, until in secrets),
        )

    def _put_secrets(self, name: str, secrets: list[SealedSecret]) -> None:
        self._db.executemany(
            "INSERT INTO secret VALUES (?, ?, ?, ?, ?)",
            [(*self._key(name), n, one.sealed, one.until) for n, one in enumerate(secrets)],
        )

    def _log(self, key: tuple[str, str], attempts: tuple[Attempt, ...]) -> None:
        if not attempts:
            return
        self._db.executemany(
            "INSERT INTO attempt (workspace, name, at, ledger_index, message_id, type, number,"
            " outcome, took_ms, detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [(*key, *_row(attempt)) for attempt in attempts],
        )
        self._db.execute(
            "DELETE FROM attempt WHERE workspace = ? AND name = ? AND id <= ("
            " SELECT id FROM attempt WHERE workspace = ? AND name = ?"
            " ORDER BY id DESC LIMIT 1 OFFSET ?)",
            (*key, *key, LOG_LINES),
        )

    def _key(self, name: str) -> tuple[str, str]:
        return self._workspace, name

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock, _troubles(self._path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")


def _row(attempt: Attempt) -> tuple[int, int, str, str, int, str, int, str]:
    return (
        *(attempt.at, attempt.index, attempt.message_id, attempt.type, attempt.number),
        *(attempt.outcome.value, attempt.took_ms, attempt.detail),
    )


def _attempt(
    at: int, index: int, message_id: str, kind: str, number: int, outcome: str, ms: int, detail: str
) -> Attempt:
    return Attempt(
        at=at,
        index=index,
        message_id=message_id,
        type=kind,
        number=number,
        outcome=Outcome(outcome),
        took_ms=ms,
        detail=detail,
    )


def _encode(value: Endpoint | Progress) -> bytes:
    return msgspec.json.encode(value)


@contextmanager
def _troubles(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError, msgspec.DecodeError) as error:
        raise StoreTrouble(
            f"the webhooks' database {path} fails: {error}",
            fix="check its owner and the disk; if it is damaged, restore it from your backup",
        ) from error
