"""The PostgreSQL store: rows and position in one transaction, over one connection.

A batch that the database refuses is halved until the entry that it refuses stands alone; that one
is set aside in a table of its own, said loudly, and the rest goes on. A position that somebody
else has moved, as a switch to a rebuilt projection does, ends this incarnation.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Sequence
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
from projections.postgres.login import SETTING, Login
from projections.postgres.staging import merged, plans
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
        self._prefix = copied(workspace) + "\t"
        self._plans = plans(schema)
        self._index: int | None = None
        try:
            self._connection: _Connection = psycopg.connect(
                login.conninfo(), autocommit=True, prepare_threshold=None
            )
        except psycopg.Error as error:
            raise _failed(error) from error
        try:
            for plan in self._plans.values():
                self._connection.execute(plan.make)
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

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def _halve(self, entries: Sequence[Entry]) -> None:
        rows = [self._rows(entry) for entry in entries]
        try:
            try:
                self._write(entries, rows, direct=self._direct)
            except psycopg.errors.UniqueViolation:
                # A key that was there before stays as it was: merging knows that, copying does not.
                if not self._direct:
                    raise
                self._write(entries, rows)
        except _POISON as error:
            if len(entries) > 1:
                middle = len(entries) // 2
                self._halve(entries[:middle])
                self._halve(entries[middle:])
                return
            self._set_aside(entries[0], error)

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
                self._write([entry], [[*event_rows(entry), aside]])
                return
            except _POISON:
                pass
        self._write([entry], [[aside]])

    def _write(
        self, entries: Sequence[Entry], rows: Sequence[Sequence[Row]], *, direct: bool = False
    ) -> None:
        tables: defaultdict[str, list[Row]] = defaultdict(list)
        for some in rows:
            for row in some:
                tables[row.table].append(row)
        with self._connection.transaction():
            self._claim()
            if self._stored() != self._index:
                raise PositionMoved(
                    f"{self._schema} is no longer at entry {self._index}",
                    fix="another projector writes here, or it was switched; this one starts again",
                )
            with self._connection.cursor() as cursor:
                for table, some in tables.items():
                    if direct and self._plans[table].kept:
                        self._append(cursor, table, some)
                    else:
                        self._merge(cursor, table, some)
                if "erasures" in tables:
                    cursor.execute(self._erase(), {"workspace": self._workspace})
                self._move(cursor, entries)
        self._index = entries[-1].index

    def _merge(self, cursor: psycopg.Cursor[tuple[Any, ...]], table: str, rows: list[Row]) -> None:
        plan = self._plans[table]
        lines = merged(plan, table, rows)
        # First words, then last ones: what was said first never takes the place of the last.
        for first in sorted(lines, reverse=True):
            if len(lines) > 1 and not first:
                cursor.execute(sql.SQL("TRUNCATE {}").format(sql.Identifier("pg_temp", plan.stage)))
            with cursor.copy(plan.copy) as copy:
                copy.write("".join(lines[first]).encode())
            cursor.execute(plan.merges[first], (self._workspace,))

    def _append(self, cursor: psycopg.Cursor[tuple[Any, ...]], table: str, rows: list[Row]) -> None:
        plan = self._plans[table]
        lines = merged(plan, table, rows)[False]
        with cursor.copy(plan.direct) as copy:
            copy.write("".join([self._prefix + line for line in lines]).encode())

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
