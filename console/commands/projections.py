"""`anyteam projections status|provision|rebuild|switch`: what the ledger is projected into."""

import asyncio
import os
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bus.component import connect_as
from bus.connection import disconnect
from bus.consume import end_of_ledger
from bus.folder import DataFolder
from console.commands.credentials import asked
from console.output import JsonFlag, emit, progress
from console.session import DEFAULT_DATA, DataOption
from console.stores import need_packages
from schemas.names import Role
from schemas.sections import BadSettings
from schemas.settings import Settings

if TYPE_CHECKING:
    from projections.postgres.login import Login
    from projections.postgres.writer import PostgresStore

NoSwitch = Annotated[bool, typer.Option("--no-switch", help="Leave the one in use in use.")]
UserOption = Annotated[
    str | None,
    typer.Option("--user", help="Who administers a server of your own; the password is asked for."),
]
_TRIES = 10

group = typer.Typer(no_args_is_help=True, help="The stores that the ledger is projected into.")


def register(app: typer.Typer) -> None:
    """Add this noun's commands."""
    app.add_typer(group, name="projections")


@group.command()
def status(data: DataOption = DEFAULT_DATA, json: JsonFlag = False) -> None:
    """How far each projection has come, how far behind it is, and what was set aside."""
    asyncio.run(_status(data, json))


@group.command()
def provision(
    user: Annotated[str, typer.Option("--user", help="Who administers the server.")],
    data: DataOption = DEFAULT_DATA,
    json: JsonFlag = False,
) -> None:
    """Make database, roles and tables on a server of your own, and a login each for projector and
    console. The administrator's password is asked for, or read from stdin, and not kept.
    """
    from projections.postgres.own import administrator, provision_own

    folder = DataFolder(data)
    settings = folder.settings()
    need_packages(settings, wanted=True)
    if settings.projections is None or settings.projections.server is None:
        raise BadSettings(
            "projections.server is not set: `anyteam up` provisions the database that it starts",
            fix="write [projections.server] with host = ...",
        )
    server = settings.projections.server
    admin = administrator(folder, server, user, asked(f"password of {user} at {server.host}"))
    provision_own(folder, settings.workspace, admin)
    at = f"{server.host}:{server.port}"
    emit({"provisioned": at}, json, f"{at} is provisioned for {settings.workspace}")


@group.command()
def rebuild(
    no_switch: NoSwitch = False,
    user: UserOption = None,
    data: DataOption = DEFAULT_DATA,
    json: JsonFlag = False,
) -> None:
    """Project the whole ledger anew beside what is in use, then let it take over."""
    asyncio.run(_rebuild(data, json, user, anew=True, take_over=not no_switch))


@group.command()
def switch(
    user: UserOption = None, data: DataOption = DEFAULT_DATA, json: JsonFlag = False
) -> None:
    """Let what `rebuild --no-switch` has made take over, once it has caught up."""
    asyncio.run(_rebuild(data, json, user, anew=False, take_over=True))


async def _status(data: Path, json: bool) -> None:
    from projections.postgres.login import read_login
    from projections.postgres.status import standing

    folder = DataFolder(data)
    settings = folder.settings()
    need_packages(settings, wanted=True)
    end = await _end(folder)
    login = read_login(folder, "console")
    now = await asyncio.to_thread(standing, login, settings.workspace)
    lag = max(end - now.index, 0)
    value = {
        "postgres": {
            "index": now.index,
            "ledger": end,
            "lag": lag,
            "lag_s": round((time.time_ns() - now.applied_at) / 1e9, 3) if lag else 0.0,
            "rejected": now.rejected,
            "set_aside": now.set_aside,
        }
    }
    lines = [f"postgres: entry {now.index} of {end}, {lag} behind"]
    for aside in now.set_aside:
        lines.append(f"[red]set aside:[/] entry {aside.index} {aside.type}: {aside.reason}")
    emit(value, json, "\n".join(lines))
    if now.set_aside:
        raise typer.Exit(1)


async def _rebuild(
    data: Path, json: bool, user: str | None, *, anew: bool, take_over: bool
) -> None:
    from projections.errors import Behind
    from projections.postgres.generations import prepare
    from projections.postgres.generations import switch as take
    from projections.postgres.provision import NEXT
    from projections.postgres.writer import PostgresStore

    folder = DataFolder(data)
    settings = folder.settings()
    need_packages(settings, wanted=True)
    admin, filler, direct = _who_rebuilds(folder, settings, user)
    since = time.monotonic()
    if anew:
        progress("making room beside what is in use")
        await asyncio.to_thread(prepare, admin)
    filling = partial(PostgresStore, schema=NEXT, direct=direct)
    store = await asyncio.to_thread(filling, filler, settings.workspace)
    try:
        for left in reversed(range(_TRIES)):
            end = await _end(folder)
            progress(f"projecting up to entry {end}")
            await _catch_up(folder, settings.workspace, store, end)
            if not take_over:
                break
            try:
                await asyncio.to_thread(take, admin)
                break
            except Behind:
                # The live one went on meanwhile: so do we, until both stand together.
                if not left:
                    raise
    finally:
        store.close()
    took = time.monotonic() - since
    value = {"entries": end, "seconds": round(took, 3), "live": take_over}
    then = "and is in use" if take_over else "and waits for `anyteam projections switch`"
    emit(value, json, f"{end} entries projected anew in {took:.1f} s {then}")


def _who_rebuilds(
    folder: DataFolder, settings: Settings, user: str | None
) -> tuple["Login", "Login", bool]:
    """Who provisions, who fills the tables, and whether row security does not hold that one."""
    from projections.postgres.embedded import superuser, superuser_file
    from projections.postgres.login import ensure_password, read_login
    from projections.postgres.own import administrator

    own = settings.projections.server if settings.projections is not None else None
    projector = read_login(folder, "projector")
    if own is None:
        admin = superuser(projector.port, ensure_password(superuser_file(folder)))
        return admin, admin, True
    if user is None:
        raise typer.BadParameter("name who administers the server of your own", param_hint="--user")
    password = asked(f"password of {user} at {own.host}")
    # An administrator that is no superuser is held by row security as the projector is.
    return administrator(folder, own, user, password), projector, False


async def _catch_up(folder: DataFolder, workspace: str, store: "PostgresStore", end: int) -> None:
    """Project up to entry `end`, and a little further where more comes meanwhile."""
    from projections.ahead import rebuild as fill
    from projections.reading import messages

    if end == 0:
        return
    client = await connect_as(folder, Role.PROJECTOR)
    try:
        found = messages(client, consumer=Role.PROJECTOR.value, until=end)
        cores = os.cpu_count() or 1
        await fill(workspace, folder.root_public(), found, store, cores=cores)
    finally:
        await disconnect(client)


async def _end(folder: DataFolder) -> int:
    """The ledger's last index. Raises `StreamUnavailable` where the installation is not up."""
    client = await connect_as(folder, Role.PROJECTOR)
    try:
        return await end_of_ledger(client)
    finally:
        await disconnect(client)
