"""The PostgreSQL store: rows and position in one transaction, over one connection.

A batch that the database refuses is halved until the entry that it refuses stands alone; that one
is set aside in a table of its own, said loudly, and the rest goes on. A position that somebody
else has moved, as a switch to a rebuilt projection does, ends this incarnation.
"""

import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import psycopg
from psycopg import sql

from bus.decider import Entry, Recorded, Refused
from projections.errors import (
    NoProjection,
    PositionMoved,
    ProjectionError,
    StoreFailed,
    StoreRefused,
)
from projections.folds import rows_of
from projections.folds.events import event_rows
from projections.postgres.lines import copied, storable
from projections.postgres.loads import Gathering, Load
from projections.postgres.login import SETTING, Login
from projections.postgres.staging import plans
from projections.rows import Fold, Row

_LOG = logging.getLogger("anyteam.projections")
_POISON = (psycopg.DataError, psycopg.IntegrityError)

_Connection = psycopg.Connection[tuple[Any, ...]]


class PostgresStore:
    """The projection in one schema, for one workspace. See `projections.store.Store`.

    With `direct` it fills a schema that nobody reads yet, under a login that row security does
    not hold (`projections.postgres.generations`): what only grows is copied straight in.
    """

    def __init__(
        self,
        login: Login,
        workspace: str,
        *,
        schema: str = "live",
        fold: Fold = rows_of,
        direct: bool = False,
    ) -> None:
        self._workspace = workspace
        self._schema = schema
        self._fold = fold
        self._direct = direct
        self._plans = plans(schema)
        self._index: int | None = None
        try:
            self._connection: _Connection = psycopg.connect(
                login.conninfo(), autocommit=True, prepare_threshold=None
            )
        except psycopg.Error as error:
            raise _failed(error) from error
        self._stages: set[str] = set()
        try:
            if direct:
                # A crash may cost the last batches, never half of one; a switch waits for its own.
                self._connection.execute("SET synchronous_commit = off")
        except psycopg.Error as error:
            self._connection.close()
            raise _failed(error) from error

    def position(self) -> int:
        """The index of the last entry in the store. Raises `StoreFailed`."""
        try:
            with self._connection.transaction():
                self._claim()
                self._index = self._stored()
        except psycopg.Error as error:
            raise _failed(error) from error
        return self._index

    def apply(self, entries: Sequence[Entry]) -> None:
        """Take what comes after the position. Raises `StoreFailed`, `PositionMoved`."""
        index = self._index if self._index is not None else self.position()
        fresh = [entry for entry in entries if entry.index > index]
        if not fresh:
            return
        try:
            self._halve(fresh)
        except psycopg.Error as error:
            raise _failed(error) from error

    def loads(self, entries: Iterable[Entry]) -> Iterator[Load]:
        """`entries` as `take` wants them, gathered as they come: nothing here asks the database."""
        gathering = self._gathering(straight=self._direct)
        for entry in entries:
            gathering.add(entry, self._rows(entry))
            if gathering.full:
                yield gathering.load()
                gathering = self._gathering(straight=self._direct)
        if not gathering.empty:
            yield gathering.load()

    def take(self, load: Load) -> None:
        """As `apply`, of entries that another thread has gathered meanwhile."""
        index = self._index if self._index is not None else self.position()
        if load.entries[0].index <= index:
            self.apply(load.entries)
            return
        try:
            self._try(load)
        except _POISON:
            self.apply(load.entries)
        except psycopg.Error as error:
            raise _failed(error) from error

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def _halve(self, entries: Sequence[Entry]) -> None:
        load = self._load(entries, straight=self._direct)
        try:
            self._try(load)
        except _POISON as error:
            if len(entries) > 1:
                middle = len(entries) // 2
                self._halve(entries[:middle])
                self._halve(entries[middle:])
                return
            self._set_aside(entries[0], error)

    def _try(self, load: Load) -> None:
        try:
            self._write(load)
        except psycopg.errors.UniqueViolation:
            # A key that was there before stays as it was: merging knows that, copying does not.
            if not self._direct:
                raise
            self._write(self._load(load.entries, straight=False))

    def _load(self, entries: Sequence[Entry], *, straight: bool) -> Load:
        gathering = self._gathering(straight=straight)
        for entry in entries:
            gathering.add(entry, self._rows(entry))
        return gathering.load()

    def _gathering(self, *, straight: bool) -> Gathering:
        return Gathering(self._plans, copied(self._workspace) if straight else None)

    def _rows(self, entry: Entry) -> list[Row]:
        if isinstance(entry, Refused):
            values = {"index": entry.index, "leaf": entry.leaf, "reason": entry.reason}
            return [Row("rejected_entries", values)]
        try:
            return list(self._fold(entry))
        except Exception as error:  # noqa: BLE001 - whatever a fold cannot take must not stop the rest
            _LOG.error("entry %d cannot be projected, set aside: %r", entry.index, error)
            return [*event_rows(entry), _aside(entry, error)]

    def _set_aside(self, entry: Entry, error: psycopg.Error) -> None:
        """The entry that the database refuses: what it is, why, and if that goes, its event."""
        _LOG.error("entry %d is refused by the store, set aside: %s", entry.index, _words(error))
        aside = _aside(entry, error)
        if isinstance(entry, Recorded):
            try:
                self._write(self._single(entry, [*event_rows(entry), aside]))
                return
            except _POISON:
                pass
        self._write(self._single(entry, [aside]))

    def _single(self, entry: Entry, rows: Sequence[Row]) -> Load:
        gathering = self._gathering(straight=False)
        gathering.add(entry, rows)
        return gathering.load()

    def _write(self, load: Load) -> None:
        self._make_stages(load)
        with self._connection.transaction():
            self._claim()
            if self._stored() != self._index:
                raise PositionMoved(
                    f"{self._schema} is no longer at entry {self._index}",
                    fix="another projector writes here, or it was switched; this one starts again",
                )
            with self._connection.cursor() as cursor:
                staged: set[str] = set()
                for part in load.parts:
                    plan = self._plans[part.table]
                    if part.table in staged:
                        cursor.execute(plan.empty)
                    with cursor.copy(plan.direct if part.straight else plan.copy) as copy:
                        copy.write(part.data)
                    if not part.straight:
                        staged.add(part.table)
                        cursor.execute(plan.merges[part.first], (self._workspace,))
                if "erasures" in staged:
                    cursor.execute(self._erase(), {"workspace": self._workspace})
                self._move(cursor, load.entries)
        self._index = load.entries[-1].index

    def _make_stages(self, load: Load) -> None:
        """Tables of the session for all that is merged, before the transaction that needs them."""
        new = {part.table for part in load.parts if not part.straight} - self._stages
        if new:
            with self._connection.transaction():
                for table in sorted(new):
                    self._connection.execute(self._plans[table].make)
            self._stages |= new

    def _erase(self) -> sql.Composed:
        return sql.SQL(
            "UPDATE {} c SET key = NULL, nonce = NULL, ciphertext = NULL, plain = NULL,"
            " erased = e.index FROM {} e WHERE c.workspace_id = %(workspace)s"
            " AND c.event = e.event AND c.name = e.name AND c.erased IS NULL"
        ).format(
            sql.Identifier(self._schema, "contents"), sql.Identifier("pg_temp", "stage_erasures")
        )

    def _claim(self) -> None:
        """Say whose rows this transaction is about, and hold off a switch until its end."""
        # Before any table is named: a switch must not come between two of this transaction's.
        self._connection.execute("SELECT 1 FROM tenancy.generation")
        self._connection.execute(
            "SELECT pg_catalog.set_config(%s, %s, true)", (SETTING, self._workspace)
        )

    def _stored(self) -> int:
        query = sql.SQL('SELECT "index" FROM {} WHERE workspace_id = %s FOR UPDATE')
        found = self._connection.execute(
            query.format(sql.Identifier(self._schema, "position")), (self._workspace,)
        ).fetchone()
        return int(found[0]) if found is not None else 0

    def _move(self, cursor: psycopg.Cursor[tuple[Any, ...]], entries: Sequence[Entry]) -> None:
        times = [entry.event.at for entry in entries if isinstance(entry, Recorded)]
        move = sql.SQL(
            'INSERT INTO {} AS t (workspace_id, "index", at, applied_at) VALUES (%s, %s, %s, %s)'
            ' ON CONFLICT (workspace_id) DO UPDATE SET "index" = EXCLUDED."index",'
            " at = COALESCE(EXCLUDED.at, t.at), applied_at = EXCLUDED.applied_at"
        ).format(sql.Identifier(self._schema, "position"))
        at = times[-1] if times else None
        cursor.execute(move, (self._workspace, entries[-1].index, at, time.time_ns()))


def _aside(entry: Entry, error: Exception) -> Row:
    values = {
        "index": entry.index,
        "type": entry.event.type if isinstance(entry, Recorded) else None,
        "digest": entry.digest if isinstance(entry, Recorded) else entry.leaf,
        "reason": storable(f"{type(error).__name__}: {_words(error)}"[:1000]),
        "at": time.time_ns(),
    }
    return Row("set_aside", values)


def _failed(error: psycopg.Error) -> ProjectionError:
    if isinstance(error, (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName)):
        return NoProjection(f"PostgreSQL: {_words(error)}", fix="anyteam projections rebuild")
    if isinstance(error, psycopg.OperationalError):
        return StoreFailed(f"PostgreSQL: {_words(error)}", fix="see its log; it is tried again")
    return StoreRefused(f"PostgreSQL refuses: {_words(error)}", fix="start `anyteam up` again")


def _words(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
