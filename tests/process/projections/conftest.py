"""A real PostgreSQL for tests, one a session, with two workspaces whose logins are strangers.

`stores` opens a projector's store, `enter` a connection with any login: both are closed after the
test, and the tables emptied by provisioning before it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest
import pytest_asyncio
from msgspec import Struct
from psycopg import sql
from psycopg.rows import dict_row

from projections.postgres.embedded import superuser
from projections.postgres.login import LEDGER_DATABASE, Login, user_of
from projections.postgres.provision import LIVE, provision
from projections.postgres.server import PostgresServer
from projections.postgres.standing import metadata
from projections.postgres.writer import PostgresStore

ACME: Final = "acme"
RIVAL: Final = "rival"
_SECRET: Final = "a password for tests"


class Database(Struct, frozen=True):
    """The running server, and how to enter it."""

    server: PostgresServer

    def login(self, group: str, workspace: str = ACME) -> Login:
        """The login of `projector` or `console` in one workspace."""
        return Login(self.server.port, LEDGER_DATABASE, user_of(group, workspace), _SECRET)

    def superuser(self) -> Login:
        """Provisioning's own."""
        return superuser(self.server.port, _SECRET)


Open = Callable[..., PostgresStore]
Enter = Callable[..., psycopg.Connection[tuple[Any, ...]]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Database]:
    """One server for all tests of this folder."""
    home = tmp_path_factory.mktemp("postgres")
    server = await PostgresServer.start(home / "data", password=_SECRET, log=home / "log")
    try:
        passwords = dict.fromkeys(("projector", "console"), _SECRET)
        for workspace in (ACME, RIVAL):
            await asyncio.to_thread(
                provision, superuser(server.port, _SECRET), workspace, passwords
            )
        yield Database(server)
    finally:
        await server.stop()


def empty(connection: psycopg.Connection[tuple[Any, ...]]) -> None:
    """Nothing is left in any table, of any workspace."""
    for name in metadata.tables:
        connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(LIVE, name)))


@pytest.fixture
def database(running: Database) -> Database:
    """The server with empty tables."""
    with psycopg.connect(running.superuser().conninfo(), autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS next CASCADE")
        connection.execute("DROP SCHEMA IF EXISTS retired CASCADE")
        empty(connection)
    return running


@pytest.fixture
def stores(database: Database) -> Iterator[Open]:
    """`stores(workspace=..., fold=..., schema=...)`: a projector's store; with `direct=True` the
    provisioner's, who rebuilds."""
    opened: list[PostgresStore] = []

    def make(workspace: str = ACME, **options: Any) -> PostgresStore:
        direct = options.get("direct", False)
        login = database.superuser() if direct else database.login("projector", workspace)
        store = PostgresStore(login, workspace, **options)
        opened.append(store)
        return store

    yield make
    for store in opened:
        store.close()


@pytest.fixture
def enter(running: Database) -> Iterator[Enter]:
    """`enter(group, workspace, setting=...)`: a connection, with that setting where one is."""
    opened: list[psycopg.Connection[tuple[Any, ...]]] = []

    def make(
        group: str = "console", workspace: str = ACME, *, setting: str | None = None
    ) -> psycopg.Connection[tuple[Any, ...]]:
        login = running.login(group, workspace)
        connection = psycopg.connect(login.conninfo(), autocommit=True)
        opened.append(connection)
        if setting is not None:
            connection.execute("SELECT set_config('app.workspace', %s, false)", (setting,))
        return connection

    yield make
    for connection in opened:
        connection.close()


def table(enter: Enter, name: str) -> list[dict[str, Any]]:
    """All rows of one table, in order."""
    columns = [sql.Identifier(column.name) for column in metadata.tables[name].columns]
    query = sql.SQL("SELECT {columns} FROM {name} ORDER BY {columns}").format(
        columns=sql.SQL(", ").join(columns), name=sql.Identifier(name)
    )
    with enter(setting=ACME) as connection, connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query).fetchall()


def everything(enter: Enter) -> dict[str, list[dict[str, Any]]]:
    """Every table, but for when it was written."""
    found = {name: table(enter, name) for name in metadata.tables}
    for row in (*found["position"], *found["set_aside"]):
        for name in ("applied_at", "at"):
            row.pop(name, None)
    return found


def log_of(server: PostgresServer) -> str:
    """What the server wrote."""
    return Path(server.log).read_text(errors="replace")
