"""`anyteam init`, `up`, `component` and `status`: an installation on this machine."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from bus.beating import NAMED_IN, beat, notify
from bus.consume import end_of_ledger
from bus.folder import DataFolder
from console.alone import become, known
from console.author import Reader
from console.custody import passphrase_for
from console.doctor.live import alive
from console.errors import AlreadyUp, NotUp
from console.inviting import console_url
from console.output import JsonFlag, emit, progress
from console.session import DEFAULT_DATA, DataOption, about_topics, session
from console.supervisor import UNLOCKED, Supervisor, command_of, environment_of
from schemas.names import Role, check_name
from schemas.runs import LeaseGranted, RunCompleted, RunHalted, RunStarted

_TEMPLATE = """\
# AnyTeam Trust. Every key is described in docs/configuration.md.
workspace = "{workspace}"
reps = ["{rep}"]
admins = ["admin"]

[policy]
tools = ["files.list", "files.read", "files.write"]

[connectors.files]
root = "files"

[console]

[agents.example]
planner = "scripted"
plan = "plans/example.json"
"""
_PLAN = """\
{"steps": [
  {"tool": "files.write", "arguments": {"path": "hello.txt", "content": "hello"},
   "purpose": "show a gated write"}
]}
"""


def register(app: typer.Typer) -> None:
    """Add this noun's commands."""
    app.command()(init)
    app.command()(up)
    app.command()(component)
    app.command()(status)


def init(
    data: DataOption = DEFAULT_DATA,
    workspace: Annotated[str, typer.Option(help="The workspace's name.")] = "main",
    rep: Annotated[str, typer.Option(help="The first rep's name.")] = "me",
    json: JsonFlag = False,
) -> None:
    """Write a first configuration into a data folder."""
    folder = DataFolder(data)
    check_name(workspace, "workspace")
    check_name(rep, "rep")
    if folder.settings_file.exists():
        raise AlreadyUp(f"{folder.settings_file} exists", fix="edit it, or use another --data")
    (data / "plans").mkdir(mode=0o700, parents=True, exist_ok=True)
    (data / "files").mkdir(mode=0o700, exist_ok=True)
    data.chmod(0o700)
    folder.settings_file.write_text(_TEMPLATE.format(workspace=workspace, rep=rep))
    (data / "plans" / "example.json").write_text(_PLAN)
    emit(
        {"settings": str(folder.settings_file)},
        json,
        f"wrote {folder.settings_file}; next: anyteam up --data {data}",
    )


def up(
    data: DataOption = DEFAULT_DATA,
    bus_only: Annotated[
        bool, typer.Option("--bus-only", help="The bus and the stores; no component.")
    ] = False,
    json: JsonFlag = False,
) -> None:
    """Start the installation and keep it up until Ctrl-C."""
    folder = DataFolder(data)
    asyncio.run(_up(folder, passphrase_for(folder, folder.settings()), bus_only, json))


def component(
    name: Annotated[str, typer.Argument(help="sidecar, orchestrator, supervisor, ...")],
    data: DataOption = DEFAULT_DATA,
) -> None:
    """Be one component, beside an `anyteam up --bus-only`; for systemd and containers."""
    folder = DataFolder(data)
    settings = folder.settings()
    module = known(settings, name)
    folder.bus_url()
    passphrase = passphrase_for(folder, settings) if name in UNLOCKED else None
    looked_at = {key: os.environ[key] for key in NAMED_IN if key in os.environ}
    environment = {**environment_of(name, settings), **looked_at}
    become(command_of(module, folder), environment, passphrase)


async def _up(folder: DataFolder, passphrase: str | None, bus_only: bool, json: bool) -> None:
    supervisor = Supervisor(folder, progress, passphrase=passphrase, bus_only=bus_only)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    stopping = asyncio.ensure_future(stop.wait())
    beating = asyncio.ensure_future(beat(os.environ))
    try:
        await supervisor.up()
        value = {"up": str(folder.root), "bus": supervisor.folder.bus_url()}
        text = "up; Ctrl-C stops it"
        if folder.console_file.exists():
            value["console"] = console_url(folder)
            text = f"up, the console at {value['console']}; Ctrl-C stops it"
        emit(value, json, text)
        notify(os.environ, "READY=1")
        ends: list[asyncio.Future[Any]] = [supervisor.failed, beating]
        done, _ = await asyncio.wait([stopping, *ends], return_when=asyncio.FIRST_COMPLETED)
        for end in done.intersection(ends):
            end.result()
    finally:
        stopping.cancel()
        beating.cancel()
        progress("stopping")
        await supervisor.down()


def status(
    quick: Annotated[
        bool, typer.Option("--quick", help="Without the live runs, however long the ledger is.")
    ] = False,
    data: DataOption = DEFAULT_DATA,
    json: JsonFlag = False,
) -> None:
    """Is it up, how long is the ledger, what runs?"""
    asyncio.run(_status(data, json, quick))


async def _status(data: Path, json: bool, quick: bool) -> None:
    folder = DataFolder(data)
    state = folder.root / "run" / "state.json"
    if not state.exists():
        raise NotUp(f"nothing is up on {data}", fix=f"anyteam up --data {data}")
    components: dict[str, int] = msgspec.json.decode(state.read_bytes())["components"]
    standing = {name: alive(pid) for name, pid in components.items()}
    # Of each run what says that it is leased, under way and over: an eighth of the ledger.
    scope = about_topics("lease", "run")
    opening = session(data, Role.REP, scope=scope, read=False, content=False, partial=True)
    async with opening as opened:
        size = await end_of_ledger(opened.client)
        live = {} if quick else await _live(opened.reader)
    value: dict[str, Any] = {"components": standing, "entries": size}
    words = ", ".join(f"{name} {'up' if up else '[red]down[/]'}" for name, up in standing.items())
    lines = [f"{words or 'the bus is up'}; {size} entries in the ledger"]
    if not quick:
        walls = {run: names for run, names in sorted(live.items()) if names is not None}
        value["live_runs"] = sorted(live)
        value["confined_by"] = {run: list(names) for run, names in walls.items()}
        lines[0] += f"; {len(live)} live runs"
        for run, names in walls.items():
            lines.append(f"{run} is confined by {', '.join(names) or '[red]nothing[/]'}")
    emit(value, json, "\n".join(lines))
    if not all(standing.values()):
        raise typer.Exit(1)


async def _live(reader: Reader) -> dict[str, tuple[str, ...] | None]:
    """The runs that hold a lease and are not over, and how each that was started is confined."""
    live: dict[str, tuple[str, ...] | None] = {}
    over: set[str] = set()
    async for recorded in reader.past():
        run, body = recorded.event.run, recorded.event.body
        if run is None or run in over:
            continue
        if isinstance(body, RunCompleted | RunHalted):
            over.add(run)
            live.pop(run, None)
        elif isinstance(body, LeaseGranted):
            live.setdefault(run, None)
        elif isinstance(body, RunStarted) and run in live:
            live[run] = body.confined_by
    return live
