"""Provisioning the database: roles, logins, schemas and migrations. The one place that may.

It enters as the superuser, whose password no component has. `anyteam_owner` owns the tables and
cannot log in; the groups `projector` and `console` are what may be done, and each workspace has
one login in each. None of them is superuser, owns anything, or bypasses row security.
Every step is idempotent.
"""

from pathlib import Path
from typing import Final

import psycopg
import sqlalchemy
from alembic import command
from alembic.config import Config
from psycopg import sql
from psycopg.pq import TransactionStatus

from projections.errors import StoreRefused
from projections.postgres.login import DATABASE, GROUPS, LEDGER_DATABASE, OWNER, Login, user_of
from projections.postgres.server import SUPERUSER

LIVE: Final = "live"
NEXT: Final = "next"
_MIGRATIONS: Final = Path(__file__).parents[1] / "migrations"
_LIMITS: Final = "NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"
_TENANCY: Final = """
CREATE SCHEMA IF NOT EXISTS tenancy;
CREATE TABLE IF NOT EXISTS tenancy.logins (login name PRIMARY KEY, workspace_id text NOT NULL);
ALTER TABLE tenancy.logins ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenancy.logins FORCE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS own ON tenancy.logins;
CREATE POLICY own ON tenancy.logins FOR SELECT USING (login = session_user);
GRANT USAGE ON SCHEMA tenancy TO projector, console, anyteam_owner;
GRANT SELECT ON tenancy.logins TO projector, console, anyteam_owner;
"""


def provision(port: int, password: str, workspace: str, passwords: dict[str, str]) -> None:
    """Database, roles, the workspace's logins with these passwords by group, and `live`.

    Raises `StoreRefused`.
    """
    try:
        with _enter(port, DATABASE, password) as connection:
            _ensure_roles(connection, workspace, passwords)
            _ensure_database(connection)
        with _enter(port, LEDGER_DATABASE, password) as connection:
            connection.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
            connection.execute(_TENANCY)
            for group in GROUPS:
                connection.execute(
                    "INSERT INTO tenancy.logins VALUES (%s, %s) ON CONFLICT (login)"
                    " DO UPDATE SET workspace_id = EXCLUDED.workspace_id",
                    (user_of(group, workspace), workspace),
                )
        migrate(port, password, LIVE)
    except psycopg.Error as error:
        raise StoreRefused(f"PostgreSQL refuses to be provisioned: {_words(error)}") from error


def migrate(port: int, password: str, schema: str) -> None:
    """Bring one schema to the newest revision, as its owner. Raises `StoreRefused`."""
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg://", creator=lambda: _enter(port, LEDGER_DATABASE, password, False)
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


def _enter(
    port: int, database: str, password: str, autocommit: bool = True
) -> psycopg.Connection[tuple[object, ...]]:
    login = Login(port, database, SUPERUSER, password)
    connection = psycopg.connect(login.conninfo(), autocommit=autocommit)
    assert connection.info.transaction_status is TransactionStatus.IDLE
    return connection


def _ensure_roles(
    connection: psycopg.Connection[tuple[object, ...]], workspace: str, passwords: dict[str, str]
) -> None:
    for standing in (OWNER, *GROUPS):
        if not _there(connection, "SELECT 1 FROM pg_roles WHERE rolname = %s", standing):
            connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(standing)))
        limits = sql.SQL("ALTER ROLE {} NOLOGIN " + _LIMITS)
        connection.execute(limits.format(sql.Identifier(standing)))
    for group, secret in passwords.items():
        name = user_of(group, workspace)
        role = sql.Identifier(name)
        if not _there(connection, "SELECT 1 FROM pg_roles WHERE rolname = %s", name):
            connection.execute(sql.SQL("CREATE ROLE {}").format(role))
        # The verifier and not the password: whatever the server logs, it is not in it.
        verifier = connection.pgconn.encrypt_password(
            secret.encode(), name.encode(), b"scram-sha-256"
        )
        limits = sql.SQL("ALTER ROLE {} LOGIN " + _LIMITS + " CONNECTION LIMIT 20 PASSWORD {}")
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


def _ensure_database(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    name = sql.Identifier(LEDGER_DATABASE)
    if not _there(connection, "SELECT 1 FROM pg_database WHERE datname = %s", LEDGER_DATABASE):
        make = sql.SQL("CREATE DATABASE {} OWNER {}")
        connection.execute(make.format(name, sql.Identifier(OWNER)))
    for database in (LEDGER_DATABASE, DATABASE, "template1"):
        shut = sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC")
        connection.execute(shut.format(sql.Identifier(database)))
    connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO projector, console").format(name))
    # For the tables that a batch is staged in; they live and die with the projector's session.
    connection.execute(sql.SQL("GRANT TEMPORARY ON DATABASE {} TO projector").format(name))


def _there(connection: psycopg.Connection[tuple[object, ...]], query: str, name: str) -> bool:
    return connection.execute(query.encode(), (name,)).fetchone() is not None


def _words(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
