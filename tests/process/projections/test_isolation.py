"""Whoever has the application's own login, and any SQL, comes no further than its own workspace.

Each attack runs over a real PostgreSQL as `console` or `projector` of one workspace, against
rows of another, and must find nothing or be refused by the server.
"""

from typing import Any

import psycopg
import pytest
from psycopg import errors, sql

from projections.postgres.login import GROUPS, LEDGER_DATABASE, OWNER, Login, user_of
from projections.postgres.provision import LIVE
from projections.postgres.server import SUPERUSER
from projections.postgres.standing import metadata
from projections.postgres.writer import PostgresStore
from tests.ledgers import small_ledger
from tests.process.projections.conftest import ACME, RIVAL, Database, Enter, empty, log_of
from tests.projected import entries_of

TABLES = tuple(metadata.tables)
LOGINS = tuple(GROUPS)
REFUSED = (errors.InsufficientPrivilege, errors.ReadOnlySqlTransaction)

Connection = psycopg.Connection[tuple[Any, ...]]


@pytest.fixture(autouse=True, scope="module")
def both_have_rows(running: Database) -> None:
    """Each workspace has a whole ledger in the same tables. No test changes them."""
    with psycopg.connect(running.superuser().conninfo(), autocommit=True) as connection:
        empty(connection)
    for workspace in (ACME, RIVAL):
        store = PostgresStore(running.login("projector", workspace), workspace)
        store.apply(entries_of(small_ledger(workspace)))
        store.close()


def workspaces(connection: Connection, table: str) -> set[str]:
    """Whose rows a connection sees."""
    query = sql.SQL("SELECT DISTINCT workspace_id FROM {}").format(sql.Identifier(LIVE, table))
    return {str(row[0]) for row in connection.execute(query)}


def claim(connection: Connection, workspace: str) -> None:
    connection.execute("SELECT set_config('app.workspace', %s, false)", (workspace,))


@pytest.mark.parametrize("group", LOGINS)
def test_with_its_own_setting_a_login_sees_its_own_rows_and_no_others(
    enter: Enter, group: str
) -> None:
    connection = enter(group, ACME, setting=ACME)
    seen = [workspaces(connection, table) for table in TABLES]
    assert all(found <= {ACME} for found in seen)
    assert sum(found == {ACME} for found in seen) >= 12


@pytest.mark.parametrize("setting", [None, "", RIVAL, "acme' OR '1'='1", "ACME", "acme ", "%"])
@pytest.mark.parametrize("group", LOGINS)
def test_without_a_setting_or_with_a_forged_one_a_login_sees_nothing_at_all(
    enter: Enter, group: str, setting: str | None
) -> None:
    connection = enter(group, ACME, setting=setting)
    assert [workspaces(connection, table) for table in TABLES] == [set()] * len(TABLES)


def test_a_setting_left_over_from_a_pooled_connection_shows_the_next_user_nothing(
    enter: Enter,
) -> None:
    pooled = enter("console", ACME)
    with pooled.transaction():
        pooled.execute("SELECT set_config('app.workspace', %s, true)", (ACME,))
        assert workspaces(pooled, "events") == {ACME}
    assert workspaces(pooled, "events") == set()
    claim(pooled, RIVAL)
    # Whatever the last user left, this login's connection never leads to the other workspace.
    assert workspaces(pooled, "events") == set()
    pooled.execute("RESET ALL")
    assert workspaces(pooled, "events") == set()


@pytest.mark.parametrize(
    "table", [t for t in TABLES if t not in ("position", "set_aside", "rejected_entries")]
)
def test_a_projector_writes_no_row_into_another_workspace(enter: Enter, table: str) -> None:
    for setting in (ACME, RIVAL):
        attacker = enter("projector", ACME, setting=setting)
        names = [column.name for column in metadata.tables[table].columns]
        columns = sql.SQL(", ").join(map(sql.Identifier, names))
        others = sql.SQL(", ").join(
            sql.Literal(RIVAL) if name == "workspace_id" else sql.Identifier(name) for name in names
        )
        target = sql.Identifier(LIVE, table)
        query = sql.SQL("INSERT INTO {0} ({1}) SELECT {2} FROM {0}")
        moved = sql.SQL("UPDATE {} SET workspace_id = {}").format(target, sql.Literal(RIVAL))
        victim = enter("console", RIVAL, setting=RIVAL)
        before = _count(victim, table)
        for attack in (query.format(target, columns, others), moved):
            try:
                # Under the forged setting it has no row to start from: nothing is done.
                assert attacker.execute(attack).rowcount == 0
            except errors.InsufficientPrivilege as refused:
                assert "row-level security" in str(refused)
        assert _count(victim, table) == before


def _count(connection: Connection, table: str) -> int:
    query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(LIVE, table))
    [row] = connection.execute(query).fetchall()
    return int(row[0])


@pytest.mark.parametrize(
    "attack",
    [
        "INSERT INTO live.position VALUES ('rival', 0, 0, 0)",
        "INSERT INTO live.position VALUES ('rival', 0, 0, 0)"
        " ON CONFLICT (workspace_id) DO UPDATE SET index = 0",
        "MERGE INTO live.position p USING (SELECT 'rival' w) s ON p.workspace_id = s.w"
        " WHEN NOT MATCHED THEN INSERT VALUES ('rival', 0, 0, 0)",
        "COPY live.position FROM STDIN",
        "COPY live.position FROM PROGRAM 'id'",
        "COPY (SELECT 1) TO '/tmp/anyteam-isolation'",
        "DELETE FROM live.events",
        "TRUNCATE live.events",
        "ALTER TABLE live.events DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE live.events NO FORCE ROW LEVEL SECURITY",
        "ALTER TABLE live.events OWNER TO CURRENT_USER",
        "DROP POLICY workspace ON live.events",
        "CREATE POLICY mine ON live.events USING (true)",
        "DROP TABLE live.events",
        "CREATE TABLE live.mine (a int)",
        "CREATE TABLE public.mine (a int)",
        "CREATE SCHEMA mine",
        "CREATE FUNCTION live.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE VIEW live.v AS SELECT * FROM live.events",
        "DO LANGUAGE plpython3u $$ pass $$",
        f"SET ROLE {OWNER}",
        f"SET ROLE {SUPERUSER}",
        f"SET ROLE {user_of('console', RIVAL)}",
        f"SET ROLE {user_of('projector', RIVAL)}",
        f"SET SESSION AUTHORIZATION {user_of('console', RIVAL)}",
        f"SET SESSION AUTHORIZATION {SUPERUSER}",
        f"GRANT {user_of('projector', RIVAL)} TO CURRENT_USER",
        f"ALTER ROLE {user_of('console', RIVAL)} PASSWORD 'x'",
        "ALTER ROLE CURRENT_USER BYPASSRLS",
        "ALTER ROLE CURRENT_USER SUPERUSER",
        "CREATE ROLE mine",
        "UPDATE tenancy.logins SET workspace_id = 'rival'",
        "INSERT INTO tenancy.logins VALUES (session_user, 'rival')",
        "SELECT rolpassword FROM pg_authid",
        "SELECT pg_read_file('PG_VERSION')",
        "SELECT pg_ls_dir('.')",
        "SELECT lo_import('PG_VERSION')",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE usename = 'anyteam_provisioning'",
        "SELECT pg_reload_conf()",
        "ALTER SYSTEM SET listen_addresses = '*'",
        "SET session_replication_role = replica",
        "CREATE EXTENSION dblink",
        "ALTER DATABASE anyteam SET app.workspace = 'rival'",
        "COMMENT ON TABLE live.events IS 'mine'",
    ],
)
@pytest.mark.parametrize("group", LOGINS)
def test_the_server_refuses_what_would_lead_out(enter: Enter, group: str, attack: str) -> None:
    connection = enter(group, ACME, setting=ACME)
    connection.execute("SET default_transaction_read_only = off")
    try:
        if attack.endswith("FROM STDIN"):
            with connection.cursor().copy(attack.encode()) as copy:
                copy.write_row(("rival", 0, 0, 0))
            done: list[tuple[Any, ...]] = [("copied",)]
        else:
            cursor = connection.execute(attack.encode())
            done = cursor.fetchall() if cursor.description else [(cursor.statusmessage,)]
    except psycopg.Error as error:
        assert isinstance(
            error,
            (
                *REFUSED,
                errors.FeatureNotSupported,
                errors.UndefinedObject,
                errors.InvalidTableDefinition,
                errors.UndefinedFile,
            ),
        ), error
    else:
        # Nothing to terminate is visible: the attack names nobody.
        assert done == []
    for setting in (ACME, RIVAL, ""):
        claim(connection, setting)
        assert workspaces(connection, "events") <= {ACME}
    assert _count(enter("console", RIVAL, setting=RIVAL), "position") == 1


@pytest.mark.parametrize("group", LOGINS)
def test_no_setting_of_the_session_switches_row_security_off(enter: Enter, group: str) -> None:
    connection = enter(group, ACME, setting=RIVAL)
    connection.execute("SET row_security = off")
    with pytest.raises(errors.InsufficientPrivilege, match="row-level security"):
        connection.execute("SELECT * FROM live.events")


def test_copy_out_functions_and_plans_show_a_login_its_own_rows_alone(enter: Enter) -> None:
    connection = enter("projector", ACME, setting=RIVAL)
    with connection.cursor().copy("COPY live.events TO STDOUT") as copied:
        assert b"".join(copied) == b""
    # A function that costs nothing is run before a costly filter, unless that is security's.
    connection.execute(
        "CREATE FUNCTION pg_temp.leak(text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS"
        " $$ BEGIN RAISE NOTICE 'leaked %', $1; RETURN true; END $$"
    )
    told: list[str] = []
    connection.add_notice_handler(lambda notice: told.append(str(notice.message_primary)))
    connection.execute("SELECT * FROM live.events WHERE pg_temp.leak(workspace_id)")
    assert told == []
    claim(connection, ACME)
    connection.execute("SELECT * FROM live.events WHERE pg_temp.leak(workspace_id)")
    assert set(told) == {"leaked acme"}
    # An error that quotes what it met would be a way to read it.
    claim(connection, RIVAL)
    assert connection.execute("SELECT digest::text::int FROM live.events").fetchall() == []


def test_the_catalogue_tells_a_login_nothing_of_other_workspaces(
    enter: Enter, running: Database
) -> None:
    with psycopg.connect(running.superuser().conninfo(), autocommit=True) as provisioning:
        provisioning.execute("ANALYZE live.events")
    connection = enter("console", ACME, setting=ACME)
    [[own]] = connection.execute("SELECT array_agg(workspace_id) FROM tenancy.logins").fetchall()
    assert own == [ACME]
    shown = connection.execute(
        "SELECT most_common_vals::text, histogram_bounds::text FROM pg_stats"
        " WHERE schemaname = 'live'"
    ).fetchall()
    assert not any(RIVAL in str(row) for row in shown)
    others = enter("console", RIVAL, setting=RIVAL)
    others.execute("SELECT 'a secret of the rival'")
    queries = connection.execute("SELECT query FROM pg_stat_activity").fetchall()
    assert not any("secret of the rival" in str(row) for row in queries)


def test_every_table_is_guarded_and_no_role_of_the_application_is_above_it(
    running: Database,
) -> None:
    with psycopg.connect(running.superuser().conninfo()) as connection:
        tables = connection.execute(
            "SELECT c.relname, c.relrowsecurity, c.relforcerowsecurity,"
            " (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid), r.rolname"
            " FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner"
            " WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relname <> 'alembic_version'"
            " AND c.relnamespace = 'live'::regnamespace"
        ).fetchall()
        roles = connection.execute(
            "SELECT rolname FROM pg_roles WHERE (rolsuper OR rolbypassrls OR rolcreaterole"
            " OR rolcreatedb OR rolreplication) AND rolname <> %s AND rolname NOT LIKE 'pg\\_%%'",
            (SUPERUSER,),
        ).fetchall()
        definers = connection.execute(
            "SELECT proname FROM pg_proc WHERE prosecdef AND pronamespace::regnamespace::text"
            " NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        [[owner]] = connection.execute(
            "SELECT rolcanlogin FROM pg_roles WHERE rolname = %s", (OWNER,)
        ).fetchall()
    assert {row[0] for row in tables} == set(TABLES)
    assert all(row[1:] == (True, True, 1, OWNER) for row in tables)
    assert (roles, definers, owner) == ([], [], False)


@pytest.mark.parametrize("group", LOGINS)
def test_nobody_enters_without_the_password_or_into_another_database(
    running: Database, group: str
) -> None:
    right = running.login(group)
    wrong = Login(right.port, LEDGER_DATABASE, right.user, "guessed")
    for login in (wrong, Login(right.port, "postgres", right.user, right.password)):
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(login.conninfo())


def test_the_servers_log_holds_no_password_and_no_text_of_a_statement(
    running: Database, enter: Enter
) -> None:
    with pytest.raises(errors.UndefinedTable):
        enter().execute("SELECT 'what a statement says' FROM live.nothing")
    log = log_of(running.server)
    assert "does not exist" in log
    assert "what a statement says" not in log
    assert running.superuser().password not in log
