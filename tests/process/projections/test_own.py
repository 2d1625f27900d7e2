"""A PostgreSQL of one's own: its administrator is no superuser, and others have databases there."""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
import pytest_asyncio
from alembic.config import Config
from alembic.script import ScriptDirectory
from msgspec.structs import replace
from psycopg import errors, sql

from bus.folder import DataFolder
from console.supervisor import Supervisor
from projections import migrations
from projections.errors import Behind, NoProjection, StoreFailed, StoreRefused
from projections.postgres.embedded import superuser
from projections.postgres.generations import prepare, switch
from projections.postgres.login import (
    LEDGER_DATABASE,
    OWNER,
    Login,
    login_file,
    read_login,
    user_of,
)
from projections.postgres.own import administrator, need_revision
from projections.postgres.provision import NEXT, provision
from projections.postgres.server import PostgresServer
from projections.postgres.standing import metadata
from projections.postgres.writer import PostgresStore
from schemas.sections import BadSettings
from schemas.settings import DatabaseSettings
from tests.commands import ROOT, said_by
from tests.faults.installation import DEADLINE_S, ask, is_end, prepared, until, up
from tests.ledgers import small_ledger
from tests.projected import entries_of

SECRET, DBA = "a password for tests", "the administrator's own word"
WORKSPACES = ("acme", "rival")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def port(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[int]:
    """A server with somebody else's database, and an administrator."""
    home = tmp_path_factory.mktemp("own")
    server = await PostgresServer.start(home / "data", password=SECRET, log=home / "log")
    try:
        above = replace(superuser(server.port, SECRET), database="postgres")
        with psycopg.connect(above.conninfo(), autocommit=True) as made:
            role = sql.SQL("CREATE ROLE dba LOGIN CREATEDB CREATEROLE PASSWORD {}")
            made.execute(role.format(sql.Literal(DBA)))
            made.execute("CREATE DATABASE theirs")
        yield server.port
    finally:
        await server.stop()


@pytest.fixture(scope="module")
def admin(port: int) -> Login:
    """Who may make roles and databases and no more, with both workspaces provisioned."""
    dba = Login(port, LEDGER_DATABASE, "dba", DBA)
    for workspace in WORKSPACES:
        provision(dba, workspace, dict.fromkeys(("projector", "console"), SECRET), shared=True)
    return dba


def login(admin: Login, group: str, workspace: str) -> Login:
    return replace(admin, user=user_of(group, workspace), password=SECRET)


@contextmanager
def projector(admin: Login, workspace: str, schema: str = "live") -> Iterator[PostgresStore]:
    store = PostgresStore(login(admin, "projector", workspace), workspace, schema=schema)
    yield store
    store.close()


def test_each_workspace_sees_its_own_rows_and_a_forged_setting_shows_none(admin: Login) -> None:
    for workspace in WORKSPACES:
        with projector(admin, workspace) as store:
            store.apply(entries_of(small_ledger(workspace)))
    for group in ("projector", "console"):
        with psycopg.connect(login(admin, group, "acme").conninfo(), autocommit=True) as entered:
            for setting, seen in (("acme", {"acme"}), ("rival", set()), ("", set())):
                entered.execute("SELECT set_config('app.workspace', %s, false)", (setting,))
                rows = entered.execute("SELECT workspace_id FROM live.events").fetchall()
                assert {row[0] for row in rows} == seen
            for attack in (f"SET ROLE {OWNER}", "SET ROLE dba", "DELETE FROM tenancy.logins"):
                with pytest.raises((errors.InsufficientPrivilege, errors.ReadOnlySqlTransaction)):
                    entered.execute(attack.encode())
    with psycopg.connect(admin.conninfo()) as entered:
        guarded = entered.execute(
            "SELECT relname, relrowsecurity, relforcerowsecurity FROM pg_class"
            " WHERE relnamespace = 'live'::regnamespace AND relkind = 'r'"
            " AND relname <> 'alembic_version'"
        ).fetchall()
    assert {row[0] for row in guarded} == set(metadata.tables)
    assert all(row[1:] == (True, True) for row in guarded)


def test_a_rebuild_takes_over_once_it_holds_as_much_of_every_workspace(admin: Login) -> None:
    entries = {name: entries_of(small_ledger(name)) for name in WORKSPACES}
    for workspace in WORKSPACES:
        with projector(admin, workspace) as live:
            live.apply(entries[workspace])
    prepare(admin)
    with projector(admin, "acme", NEXT) as rebuilt:
        rebuilt.apply(entries["acme"])
    # The administrator is held by row security: this is seen as the owner, in one transaction.
    with pytest.raises(Behind, match="rival is at entry 0"):
        switch(admin)
    with projector(admin, "rival", NEXT) as rebuilt:
        rebuilt.apply(entries["rival"])
    switch(admin)
    with psycopg.connect(admin.conninfo()) as entered:
        forced = entered.execute(
            "SELECT relforcerowsecurity FROM pg_class WHERE relname = 'position'"
        ).fetchall()
    assert forced == [(True,)] * 2


def test_what_others_have_on_the_server_is_left_as_it_was(admin: Login) -> None:
    for database in ("theirs", "postgres"):
        with psycopg.connect(replace(admin, database=database).conninfo()) as entered:
            [[public]] = entered.execute(
                "SELECT datacl IS NULL FROM pg_database WHERE datname = current_database()"
            ).fetchall()
            assert public, "its privileges are those it was made with"


def test_a_role_of_ours_that_may_more_than_it_should_is_not_taken(port: int, admin: Login) -> None:
    above = replace(superuser(port, SECRET), database="postgres")
    role = user_of("console", "acme")
    with psycopg.connect(above.conninfo(), autocommit=True) as entered:
        entered.execute(f"ALTER ROLE {role} CREATEDB".encode())
    try:
        with pytest.raises(StoreRefused, match=role):
            provision(admin, "acme", {"console": SECRET}, shared=True)
    finally:
        with psycopg.connect(above.conninfo(), autocommit=True) as entered:
            entered.execute(f"ALTER ROLE {role} NOCREATEDB".encode())


def test_tables_of_another_revision_are_said(admin: Login) -> None:
    entering = login(admin, "projector", "acme")
    need_revision(entering)
    with psycopg.connect(admin.conninfo()) as entered:
        entered.execute(f"SET ROLE {OWNER}".encode())
        entered.execute("UPDATE live.alembic_version SET version_num = '0000'")
    try:
        with pytest.raises(StoreFailed, match="revision 0000"):
            need_revision(entering)
    finally:
        with psycopg.connect(admin.conninfo()) as entered:
            entered.execute(f"SET ROLE {OWNER}".encode())
            newest = "UPDATE live.alembic_version SET version_num = %s"
            entered.execute(newest, (migrations.REVISION,))
    with pytest.raises(StoreFailed, match="does not answer"):
        need_revision(replace(entering, port=1))


def test_the_revision_that_is_asked_for_is_the_newest() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    assert ScriptDirectory.from_config(config).get_current_head() == migrations.REVISION


@pytest.mark.parametrize("host", ["db.example.com", "192.0.2.7"])
def test_off_loopback_there_is_tls_and_the_certificate_is_held_to_the_name(
    tmp_path: Path, host: str
) -> None:
    folder = DataFolder(tmp_path)
    entering = administrator(folder, DatabaseSettings(host=host), "dba", DBA)
    assert "sslmode='verify-full' sslrootcert='system'" in entering.conninfo()
    (tmp_path / "ca.pem").write_text("a certificate")
    own = administrator(folder, DatabaseSettings(host=host, ca="ca.pem"), "dba", DBA)
    assert own.sslrootcert == str(tmp_path / "ca.pem")
    with pytest.raises(BadSettings, match=r"projections\.server\.ca"):
        administrator(folder, DatabaseSettings(host=host, ca="none.pem"), "dba", DBA)


async def provisioned(folder: DataFolder, command: str, *words: str) -> tuple[int, str]:
    """A command that asks for the administrator's password, which comes by standard input."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "console.main", "projections", command, "--user", "dba", *words),
        *("--data", str(folder.root)),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate(f"{DBA}\n".encode())
    return process.returncode or 0, said.decode()


async def test_an_installation_projects_into_it_and_keeps_no_word_of_its_administrator(
    tmp_path: Path, port: int
) -> None:
    folder = prepared(tmp_path / "home")
    with folder.settings_file.open("a") as file:
        file.write(f'[projections.server]\nhost = "127.0.0.1"\nport = {port}\n')
        file.write('database = "acme_trust"\n')
    early = Supervisor(folder, lambda line: None)
    try:
        with pytest.raises(NoProjection, match="no login of projector for acme_trust"):
            await early.up()
    finally:
        await early.down()
    code, said = await provisioned(folder, "provision")
    assert code == 0, said
    async with up(folder):
        await until(folder, await ask(folder, "writer", "files.write"), is_end)
        code, said = await provisioned(folder, "rebuild")
        assert code == 0, said
        await until(folder, await ask(folder, "writer", "files.write"), is_end)
        async with asyncio.timeout(DEADLINE_S):
            while (await standing(folder))["lag"]:
                await asyncio.sleep(0.2)
        assert await asyncio.to_thread(ended_runs, read_login(folder, "console")) == 2
    assert not (folder.root / "postgres").exists(), "no server of ours was started"
    files = [file for file in folder.root.rglob("*") if file.is_file()]
    assert files and not [file for file in files if DBA.encode() in file.read_bytes()]
    assert login_file(folder, "console").stat().st_mode & 0o777 == 0o600


async def standing(folder: DataFolder) -> dict[str, Any]:
    (said,) = await said_by(folder, "projections", "status")
    return dict(said["postgres"])


def ended_runs(login: Login) -> int:
    with psycopg.connect(login.conninfo()) as entered:
        entered.execute("SELECT set_config('app.workspace', 'acme', true)")
        [[found]] = entered.execute(
            "SELECT count(*) FROM live.runs WHERE outcome = 'success'"
        ).fetchall()
        return int(found)
