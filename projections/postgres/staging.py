"""The statements that take rows into PostgreSQL: what is copied, and how it is merged. Pure.

Row security allows no COPY into a guarded table, so a batch is copied into tables of the session
and merged from there, workspace and all, under the policy's eyes. In a table that keeps what
happened, what is there stays; in one that keeps what stands, a column's last word counts, and
NULL says nothing. A rebuild fills what nobody reads yet, as the provisioner, and may copy what
happened straight in.
"""

from typing import Final

from msgspec import Struct
from psycopg import sql
from sqlalchemy import Table

from projections.postgres.lines import Write, writer_of
from projections.postgres.standing import metadata

STANDING: Final = frozenset(
    {
        *("runs", "proposals", "approvals", "actions", "halts", "destinations"),
        *("memory_claims", "reps", "keys"),
    }
)
"""Tables whose rows change as the ledger goes on."""

_JOINED: Final = ("erasures",)
"""What the session's table of is asked for again, in the same transaction."""
_UNSTAGED: Final = ("position",)


class Plan(Struct, frozen=True):
    """How one table is written: `writers` by column, without `workspace_id`; `keys` are among them.

    `direct` copies into the table itself, where that may be done (`kept`, and no row security).
    """

    writers: tuple[tuple[str, Write], ...]
    keys: tuple[str, ...]
    standing: bool
    kept: bool
    stage: str
    make: sql.Composed
    empty: sql.Composed
    copy: sql.Composed
    direct: sql.Composed
    merges: dict[bool, sql.Composed]
    """The merge by whether a column's first word counts; each takes the workspace."""


def plans(schema: str) -> dict[str, Plan]:
    """The plan of every table in `schema`."""
    tables = metadata.tables.values()
    return {table.name: _plan(table, schema) for table in tables if table.name not in _UNSTAGED}


def _plan(table: Table, schema: str) -> Plan:
    name = table.name
    columns = tuple(c.name for c in table.columns if c.name != "workspace_id")
    keys = tuple(c.name for c in table.primary_key.columns if c.name != "workspace_id")
    stage = f"stage_{name}"
    parts = {
        "target": sql.Identifier(schema, name),
        "stage": sql.Identifier("pg_temp", stage),
        "columns": sql.SQL(", ").join(map(sql.Identifier, columns)),
    }
    make = sql.SQL(
        "CREATE TEMPORARY TABLE {stage} ON COMMIT DELETE ROWS AS"
        " SELECT {columns} FROM {target} WITH NO DATA"
    ).format(**parts)
    empty = sql.SQL("TRUNCATE {stage}").format(**parts)
    copy = sql.SQL("COPY {stage} ({columns}) FROM STDIN").format(**parts)
    direct = sql.SQL("COPY {target} (workspace_id, {columns}) FROM STDIN").format(**parts)
    insert = sql.SQL(
        "INSERT INTO {target} AS t (workspace_id, {columns}) SELECT %s, {columns} FROM {stage}"
    ).format(**parts)
    if name not in STANDING:
        merge = insert + sql.SQL(" ON CONFLICT DO NOTHING")
        merges = {False: merge}
    else:
        merges = {first: insert + _conflict(columns, keys, first) for first in (True, False)}
    return Plan(
        writers=tuple((name, writer_of(table.columns[name])) for name in columns),
        keys=keys,
        standing=name in STANDING,
        kept=name not in STANDING and name not in _JOINED,
        stage=stage,
        make=make,
        empty=empty,
        copy=copy,
        direct=direct,
        merges=merges,
    )


def _conflict(columns: tuple[str, ...], keys: tuple[str, ...], first: bool) -> sql.Composed:
    pattern = sql.SQL(
        "{0} = COALESCE(t.{0}, EXCLUDED.{0})" if first else "{0} = COALESCE(EXCLUDED.{0}, t.{0})"
    )
    sets = [pattern.format(sql.Identifier(c)) for c in columns if c not in keys]
    on = sql.SQL(", ").join(map(sql.Identifier, ("workspace_id", *keys)))
    return sql.SQL(" ON CONFLICT ({on}) DO UPDATE SET {sets}").format(
        on=on, sets=sql.SQL(", ").join(sets)
    )
