"""Provisioning the database: roles, logins, schemas and migrations. The one place that may.

It enters as the embedded server's superuser, or as an administrator of a server of your own, who
may make roles and databases and needs no more. No component has their password. `anyteam_owner`
owns the tables and cannot log in; the groups `projector` and `console` are what may be done, and
each workspace has one login in each. None of them is superuser, owns anything, or bypasses row
security. Every step is idempotent.
"""

from pathlib import Path
from typing import Final

import psycopg
import sqlalchemy
from alembic import command
from alembic.config import Config
from msgspec.structs import replace
from psycopg import sql
from psycopg.pq import TransactionStatus

from projections.errors import StoreRefused
from projections.postgres.login import DATABASE, GROUPS, OWNER, Login, user_of

LIVE: Final = "live"
NEXT: Final = "next"
_MIGRATIONS: Final = Path(__file__).parents[1] / "migrations"
_ABOVE: Final = (
    "SELECT 1 FROM pg_roles WHERE rolname = %s AND"
    " (rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls)"
)
_TENANCY: Final = """
CREATE SCHEMA IF NOT EXISTS tenancy;
CREATE TABLE IF NOT EXISTS tenancy.logins (login name PRIMARY KEY, workspace_id text NOT NULL);
ALTER TABLE tenancy.logins ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenancy.logins FORCE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS own ON tenancy.logins;
CREATE POLICY own ON tenancy.logins FOR SELECT USING (login = session_user);
DROP POLICY IF EXISTS provisioning ON tenancy.logins;
CREATE POLICY provisioning ON tenancy.logins TO anyteam_owner USING (true) WITH CHECK (true);
CREATE TABLE IF NOT EXISTS tenancy.generation ();
GRANT SELECT ON tenancy.generation TO projector;
GRANT USAGE ON SCHEMA tenancy TO projector, console, anyteam_owner;
GRANT SELECT ON tenancy.logins TO projector, console, anyteam_owner;
"""


def provision(
    admin: Login, workspace: str, passwords: dict[str, str], *, shared: bool = False
) -> None:
    """The database that `admin` names, roles, the workspace's logins with these passwords by group,
    and `live`.

    A `shared` server has databases of others: what they are open to is not changed. Raises
    `StoreRefused`.
    """
    try:
        with enter(admin, DATABASE) as connection:
            _ensure_roles(connection, workspace, passwords)
            others = () if shared else (DATABASE, "template1")
            _ensure_database(connection, admin.database, others)
        with enter(admin) as connection, connection.transaction():
            _own_tenancy(connection)
            become_owner(connection)
            connection.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
            connection.execute(_TENANCY)
            for group in GROUPS:
                connection.execute(
                    "INSERT INTO tenancy.logins VALUES (%s, %s) ON CONFLICT (login)"
                    " DO UPDATE SET workspace_id = EXCLUDED.workspace_id",
                    (user_of(group, workspace), workspace),
                )
        migrate(admin, LIVE)
    except psycopg.Error as error:
        raise StoreRefused(f"PostgreSQL refuses to be provisioned: {_words(error)}") from error


def migrate(admin: Login, schema: str) -> None:
    """Bring one schema to the newest revision, as its owner. Raises `StoreRefused`."""
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg://", creator=lambda: enter(admin, autocommit=False)
    )
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["schema"] = schema
    try:
        with engine.connect() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except (psycopg.Error, sqlalchemy.exc.SQLAlchemyError) as error:
        raise StoreRefused(f"schema {schema} cannot be migrated: {_words(error)}") from error
    finally:
        engine.dispose()


def enter(
    admin: Login, database: str = "", *, autocommit: bool = True
) -> psycopg.Connection[tuple[object, ...]]:
    """A connection of provisioning's, to another database than its own where one is named. Raises
    `psycopg.Error`.
    """
    login = replace(admin, database=database or admin.database)
    connection = psycopg.connect(login.conninfo(), autocommit=autocommit)
    assert connection.info.transaction_status is TransactionStatus.IDLE
    return connection


def become_owner(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """For the rest of the transaction. Who administers a server need not be its superuser."""
    connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(OWNER)))


def _ensure_roles(
    connection: psycopg.Connection[tuple[object, ...]], workspace: str, passwords: dict[str, str]
) -> None:
    for standing in (OWNER, *GROUPS):
        _ensure_role(connection, standing)
    owner = sql.Identifier(OWNER)
    connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(owner))
    for group, secret in passwords.items():
        name = user_of(group, workspace)
        role = sql.Identifier(name)
        _ensure_role(connection, name)
        # The verifier and not the password: whatever the server logs, it is not in it.
        verifier = connection.pgconn.encrypt_password(
            secret.encode(), name.encode(), b"scram-sha-256"
        )
        limits = sql.SQL("ALTER ROLE {} LOGIN CONNECTION LIMIT 20 PASSWORD {}")
        connection.execute(limits.format(role, sql.Literal(verifier.decode())))
        connection.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(group), role))
        path = sql.SQL("ALTER ROLE {} SET search_path = {}")
        connection.execute(path.format(role, sql.Identifier(LIVE)))
        if group == "projector":
            # What a crash loses of the last moments is projected again: position and rows go
            # together.
            swift = sql.SQL("ALTER ROLE {} SET synchronous_commit = off")
            connection.execute(swift.format(role))
        if group == "console":
            reads = sql.SQL("ALTER ROLE {} SET default_transaction_read_only = on")
            connection.execute(reads.format(role))


def _ensure_role(connection: psycopg.Connection[tuple[object, ...]], name: str) -> None:
    """A role that may nothing by itself, which is how PostgreSQL makes one. Raises `StoreRefused`
    where there is one of that name that may more: it is somebody else's, or was changed.
    """
    if not _there(connection, "SELECT 1 FROM pg_roles WHERE rolname = %s", name):
        connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(name)))
    if _there(connection, _ABOVE, name):
        raise StoreRefused(
            f"the role {name} is there, and may more than it should",
            fix="take SUPERUSER, CREATEDB, CREATEROLE, REPLICATION and BYPASSRLS from it",
        )


def _ensure_database(
    connection: psycopg.Connection[tuple[object, ...]], ours: str, others: tuple[str, ...]
) -> None:
    name = sql.Identifier(ours)
    if not _there(connection, "SELECT 1 FROM pg_database WHERE datname = %s", ours):
        make = sql.SQL("CREATE DATABASE {} OWNER {}")
        connection.execute(make.format(name, sql.Identifier(OWNER)))
    for database in others:
        shut = sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC")
        connection.execute(shut.format(sql.Identifier(database)))
    with connection.transaction():
        become_owner(connection)
        connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name))
        allow = sql.SQL("GRANT CONNECT ON DATABASE {} TO projector, console")
        connection.execute(allow.format(name))
        # For the tables that a batch is staged in; they live and die with the projector's session.
        allow = sql.SQL("GRANT TEMPORARY ON DATABASE {} TO projector")
        connection.execute(allow.format(name))


def _own_tenancy(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """What earlier starts made as the superuser is the owner's from here on."""
    strangers = connection.execute(
        "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = 'tenancy' AND c.relkind = 'r' AND pg_get_userbyid(c.relowner) <> %s",
        (OWNER,),
    ).fetchall()
    if not strangers:
        return
    owner = sql.Identifier(OWNER)
    connection.execute(sql.SQL("ALTER SCHEMA tenancy OWNER TO {}").format(owner))
    for schema, table in strangers:
        take = sql.SQL("ALTER TABLE {} OWNER TO {}")
        connection.execute(take.format(sql.Identifier(str(schema), str(table)), owner))


def _there(connection: psycopg.Connection[tuple[object, ...]], query: str, name: str) -> bool:
    return connection.execute(query.encode(), (name,)).fetchone() is not None


def _words(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
