"""The projector as a process of its own: what happens on the bus is soon found in PostgreSQL."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import psycopg

from bus.folder import DataFolder
from projections.postgres.login import login_file, read_login
from tests.faults.installation import DEADLINE_S, ask, is_end, prepared, until, up


async def soon(folder: DataFolder, query: bytes, wanted: Any) -> Any:
    """What the console's login finds, once it is `wanted` or time is up."""
    found: Any = None
    login = read_login(folder, "console")
    try:
        async with asyncio.timeout(DEADLINE_S):
            while found != wanted:
                async with await psycopg.AsyncConnection.connect(login.conninfo()) as connection:
                    await connection.execute("SELECT set_config('app.workspace', 'acme', false)")
                    found = await (await connection.execute(query)).fetchall()
                await asyncio.sleep(0.05)
    except TimeoutError:
        pass
    return found


async def test_runs_are_in_the_database_and_a_killed_projector_goes_on_where_it_was(
    tmp_path: Path,
) -> None:
    folder = prepared(tmp_path / "home")
    text = folder.settings_file.read_text()
    folder.settings_file.write_text(text.replace("[policy]", "[projections]\n[policy]"))
    ends = b"SELECT outcome, count(*) OVER () FROM runs ORDER BY requested_at"
    count = b"SELECT (SELECT count(*) FROM events) - (SELECT index FROM position)"
    async with up(folder) as supervisor:
        first = await ask(folder, "writer", "files.write")
        await until(folder, first, is_end)
        assert await soon(folder, ends, [("success", 1)]) == [("success", 1)]
        os.kill(supervisor.pid_of("projector"), signal.SIGKILL)
        second = await ask(folder, "writer", "files.write")
        await until(folder, second, is_end)
        assert await soon(folder, ends, [("success", 2)] * 2) == [("success", 2)] * 2
        assert await soon(folder, count, [(0,)]) == [(0,)]
    for identity in ("projector", "console"):
        assert login_file(folder, identity).stat().st_mode & 0o777 == 0o600
