"""From rows as data to PostgreSQL's: what is copied, merged, and in which statements. Pure.

Row security allows no COPY into a guarded table, so a batch is copied into tables of the session
and merged from there, workspace and all, under the policy's eyes. In a table that keeps what
happened, what is there stays; in one that keeps what stands, a column's last word counts, and
NULL says nothing.
"""

from collections.abc import Iterable
from typing import Any, Final

import msgspec
from msgspec import Struct
from psycopg import sql
from sqlalchemy import Table
from sqlalchemy.dialects.postgresql import JSONB

from projections.postgres.standing import metadata
from projections.rows import Row

STANDING: Final = frozenset(
    {
        *("runs", "proposals", "approvals", "actions", "halts", "destinations"),
        *("memory_claims", "reps", "keys"),
    }
)
"""Tables whose rows change as the ledger goes on."""

_UNSTAGED: Final = ("position",)
_JSON: Final = msgspec.json.Encoder()


class Plan(Struct, frozen=True):
    """How one table is written. `columns` are without `workspace_id`; `keys` are among them."""

    columns: tuple[str, ...]
    keys: tuple[str, ...]
    json: frozenset[str]
    stage: str
    make: sql.Composed
    copy: sql.Composed
    merges: dict[bool, sql.Composed]
    """The merge by whether a column's first word counts; each takes the workspace."""


def plans(schema: str) -> dict[str, Plan]:
    """The plan of every table in `schema`."""
    tables = metadata.tables.values()
    return {table.name: _plan(table, schema) for table in tables if table.name not in _UNSTAGED}


def merged(plan: Plan, table: str, rows: Iterable[Row]) -> dict[bool, list[list[Any]]]:
    """The rows to copy, by whether first words count: one for each key of a standing table."""
    lines: dict[bool, list[list[Any]]] = {}
    if table not in STANDING:
        return {False: [_line(plan, row.values) for row in rows]}
    known: dict[tuple[bool, tuple[Any, ...]], dict[str, Any]] = {}
    for row in rows:
        key = (row.first, tuple(row.values[name] for name in plan.keys))
        known[key] = _onto(known.get(key, {}), row.values, row.first)
    for (first, _), values in known.items():
        lines.setdefault(first, []).append(_line(plan, values))
    return lines


def _onto(old: dict[str, Any], said: dict[str, Any], first: bool) -> dict[str, Any]:
    spoken = {name: value for name, value in said.items() if value is not None}
    return spoken | old if first else old | spoken


def _line(plan: Plan, values: dict[str, Any]) -> list[Any]:
    line = []
    for name in plan.columns:
        value = values.get(name)
        if name in plan.json and value is not None:
            value = json_text(value)
        elif isinstance(value, str):
            value = storable(value)
        line.append(value)
    return line


def json_text(value: object) -> str:
    """`value` as JSON that PostgreSQL stores."""
    text = _JSON.encode(value).decode()
    return text if "\\u0000" not in text else _JSON.encode(_clean(value)).decode()


def storable(text: str) -> str:
    """`text` without the one character that PostgreSQL cannot store; its picture stands there."""
    return text.replace("\x00", "\u2400")


def _clean(value: object) -> object:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {storable(str(key)): _clean(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(inner) for inner in value]
    return value


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
    copy = sql.SQL("COPY {stage} ({columns}) FROM STDIN").format(**parts)
    insert = sql.SQL(
        "INSERT INTO {target} AS t (workspace_id, {columns}) SELECT %s, {columns} FROM {stage}"
    ).format(**parts)
    if name not in STANDING:
        merge = insert + sql.SQL(" ON CONFLICT DO NOTHING")
        merges = {False: merge}
    else:
        merges = {first: insert + _conflict(columns, keys, first) for first in (True, False)}
    return Plan(
        columns=columns,
        keys=keys,
        json=frozenset(c.name for c in table.columns if isinstance(c.type, JSONB)),
        stage=stage,
        make=make,
        copy=copy,
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
