"""Rebuilding beside what is in use, and switching to it in one transaction.

Readers see the schema `live`. `next` is filled from nothing by a projector of its own, and takes
over by being renamed, once it holds as much; what was `live` stays as `retired` until the next
rebuild. No projector is in the middle of a batch at that moment: each holds a share of the lock
on `tenancy.generation` while it writes. The one that wrote into what is retired notices, by its
position, and begins anew. Provisioning alone may do this.
"""

from typing import Literal

import psycopg
from psycopg import sql

from projections.errors import Behind, NoProjection, StoreRefused
from projections.postgres.login import Login
from projections.postgres.provision import LIVE, NEXT, become_owner, enter, migrate

RETIRED = "retired"


def prepare(admin: Login) -> None:
    """An empty `next`; what was there of an earlier rebuild is gone. Raises `StoreRefused`."""
    try:
        with enter(admin) as connection, connection.transaction():
            become_owner(connection)
            _drop(connection, NEXT)
    except psycopg.Error as error:
        raise StoreRefused(f"PostgreSQL refuses a rebuild: {error}") from error
    migrate(admin, NEXT)


def switch(admin: Login) -> None:
    """Let `next` be `live`. Raises `NoProjection`, `Behind` or `StoreRefused`, and then all
    stays as it was.
    """
    try:
        with enter(admin) as connection, connection.transaction():
            become_owner(connection)
            connection.execute("LOCK TABLE tenancy.generation IN ACCESS EXCLUSIVE MODE")
            if not _there(connection, NEXT):
                raise NoProjection(
                    "no projection is being rebuilt", fix="anyteam projections rebuild"
                )
            _need_whole(connection)
            _drop(connection, RETIRED)
            for old, new in ((LIVE, RETIRED), (NEXT, LIVE)):
                rename = sql.SQL("ALTER SCHEMA {} RENAME TO {}")
                connection.execute(rename.format(sql.Identifier(old), sql.Identifier(new)))
    except psycopg.Error as error:
        raise StoreRefused(f"PostgreSQL refuses the switch: {error}") from error


def _need_whole(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """Raises `Behind` where some workspace has come further in `live`."""
    for schema in (LIVE, NEXT):
        # The owner sees every workspace's, until this transaction ends one way or the other.
        _force(connection, schema, "NO FORCE")
    behind = connection.execute(
        'SELECT l.workspace_id, l.index, COALESCE(n.index, 0) FROM live."position" l'
        ' LEFT JOIN next."position" n USING (workspace_id)'
        " WHERE COALESCE(n.index, 0) < l.index ORDER BY 1"
    ).fetchone()
    if behind is not None:
        workspace, live, rebuilt = behind
        raise Behind(
            f"the rebuilt projection of {workspace} is at entry {rebuilt}, the live one at {live}",
            fix="anyteam projections switch, which catches up first",
        )
    for schema in (LIVE, NEXT):
        _force(connection, schema, "FORCE")


def _force(
    connection: psycopg.Connection[tuple[object, ...]],
    schema: str,
    how: Literal["FORCE", "NO FORCE"],
) -> None:
    change = sql.SQL(f"ALTER TABLE {{}} {how} ROW LEVEL SECURITY")
    connection.execute(change.format(sql.Identifier(schema, "position")))


def _there(connection: psycopg.Connection[tuple[object, ...]], schema: str) -> bool:
    found = connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (schema,))
    return found.fetchone() is not None


def _drop(connection: psycopg.Connection[tuple[object, ...]], schema: str) -> None:
    drop = sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE")
    connection.execute(drop.format(sql.Identifier(schema)))
