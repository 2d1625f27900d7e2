"""`anyteam demo`: the whole story in one run, on real servers and processes.

Three runs (a clean one, one whose brain obeys a poisoned e-mail, one halted mid-way), then
the export, its verification, five tamperings each found, and the replay of every decision.
"""

import asyncio
import contextlib
import json as jsonlib
import os
import shutil
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.rule import Rule

from bus.consume import CaughtUp, follow
from bus.decider import Recorded
from bus.folder import DataFolder
from console.at_servers import log_of, shown
from console.commands.credentials import store
from console.commands.replays import replayed
from console.commands.runs import request_run
from console.commands.verification import in_words
from console.errors import ComponentDied, NoSuch
from console.output import err, out, progress
from console.session import session
from console.supervisor import Supervisor
from console.taking import take_whole
from console.tampering import TAMPERINGS
from console.timeline import LEGEND, line
from crypto.keyfile import read_key, write_secret
from ledger.checkpoint import read_checkpoint
from ledger.export import ExportReader
from ledger.verify import verify
from schemas.actions import ActionStarted, ReceiptIssued
from schemas.leases import Intent
from schemas.names import Role
from schemas.runs import RunCompleted, RunHalted, RunRefused
from schemas.tools import Effect

DEMO = Path(".anyteam/demo")
MARKER = "this-is-the-demo"
STORY = Path(__file__).resolve().parents[2] / "examples" / "boeing"

SETTINGS = """\
workspace = "acme"
reps = ["ann"]
admins = ["ada"]

[policy]
organisation = ["acme.example"]
tools = ["mail.list", "mail.search", "mail.read", "mail.send", "crm.find_account",
         "crm.get_account", "crm.list_deals", "crm.update_deal", "crm.export_pipeline",
         "calendar.list", "calendar.read", "calendar.free_busy", "calendar.create",
         "calendar.update", "calendar.cancel", "files.list", "files.read", "files.write"]

[connectors.files]
root = "files"
[connectors.mail]
sender = "ann@acme.example"
smtp = {{ port = {smtp}, tls = "none" }}
imap = {{ port = {imap}, tls = "none" }}
[connectors.calendar]
url = "http://127.0.0.1:{calendar}/ann/work/"
user = "ann"
organizer = "ann@acme.example"
[connectors.crm]
url = "http://127.0.0.1:{crm}"

[agents.follow-up]
planner = "scripted"
plan = "plans/follow-up.json"
[agents.reader]
planner = "scripted"
plan = "plans/talked-over.json"
[agents.reporter]
planner = "scripted"
plan = "plans/reports.json"
"""


def register(app: typer.Typer) -> None:
    """Add this noun's commands."""
    app.command()(demo)


def demo(
    data: Annotated[Path, typer.Option("--data", help="The demo's own data folder.")] = DEMO,
) -> None:
    """Play the whole story: three runs, the export, five tamperings, the replay."""
    started = time.monotonic()
    asyncio.run(_demo(data))
    out.print(
        f"\n[bold green]done[/] in {time.monotonic() - started:.0f} s; everything is stopped."
        f" The export is in {data / 'export'}, its root key beside it. Next:\n"
        f"  anyteam verify {data / 'export'} --root {data / 'root.pub'}"
    )


async def _demo(data: Path) -> None:
    make_room(data)
    folder = DataFolder(data)
    async with services(data) as ports:
        folder.settings_file.write_text(SETTINGS.format(**ports))
        store(folder, "crm", (data / "crm" / "token").read_text().strip())
        store(folder, "mail", (data / "mail" / "password").read_text().strip())
        store(folder, "calendar", (data / "calendar" / "password").read_text().strip())
        supervisor = Supervisor(folder, progress)
        try:
            await supervisor.up()
            await _clean(folder)
            await _poisoned(folder)
            await _halted(folder)
            await _evidence(folder)
        finally:
            progress("stopping everything")
            await supervisor.down()


def make_room(data: Path) -> None:
    """An empty demo folder. Removes only what an earlier demo made."""
    if not STORY.is_dir():
        raise NoSuch("the demo's story is not here", fix="run it from a checkout: make demo")
    if data.exists():
        if not (data / MARKER).exists():
            raise NoSuch(f"{data} is not a demo's folder", fix="choose another --data")
        shutil.rmtree(data)
    data.mkdir(mode=0o700, parents=True)
    (data / MARKER).touch()
    shutil.copytree(STORY / "plans", data / "plans")
    for name in ("files", "crm", "mail", "calendar", "run"):
        (data / name).mkdir(mode=0o700)
    secrets = ("crm/token", "mail/password", "calendar/password")
    for secret in (data / name for name in secrets):
        write_secret(secret, os.urandom(24).hex().encode() + b"\n")


@contextlib.asynccontextmanager
async def services(data: Path) -> AsyncIterator[dict[str, int]]:
    """The world outside: a CRM, a mail server and a calendar, each a process of its own."""
    progress("starting the world outside: a CRM, a mail server and a calendar")
    base = data.resolve()
    commands = {
        "crm": [
            "examples.crm_service",
            *("--data", str(base / "crm" / "crm.json")),
            *("--token-file", str(base / "crm" / "token")),
            *("--log", str(base / "crm" / "seen.log")),
            *("--latency-ms", "100"),
        ],
        "smtp": [
            "examples.mail_service",
            *("--mail", str(base / "mail" / "boxes")),
            *("--inbox", str(STORY / "inbox")),
            *("--imap-port-file", str(base / "run" / "imap.port")),
            *("--password-file", str(base / "mail" / "password")),
            *("--log", str(base / "mail" / "seen.log")),
        ],
        "calendar": [
            "examples.calendar_service",
            *("--data", str(base / "calendar" / "radicale")),
            *("--seed", str(STORY / "calendar")),
            *("--password-file", str(base / "calendar" / "password")),
            *("--log", str(base / "calendar" / "seen.log")),
        ],
    }
    processes = []
    try:
        for name, command in commands.items():
            port_file = base / "run" / f"{name}.port"
            processes.append(await _start_service(name, command, port_file, base))
        ports = {
            name: await _port(name, base / "run" / f"{name}.port", process)
            for name, process in zip(commands, processes, strict=True)
        }
        # Written before the port file of SMTP, which was waited for.
        ports["imap"] = int((base / "run" / "imap.port").read_text())
        yield ports
    finally:
        for process in processes:
            if process.stdin is not None:
                process.stdin.close()
        for process in processes:
            await process.wait()


async def _start_service(
    name: str, command: list[str], port_file: Path, base: Path
) -> asyncio.subprocess.Process:
    module, *options = command
    with (base / "run" / f"{name}.log").open("ab") as log:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            module,
            *options,
            "--port-file",
            str(port_file),
            "--lifeline",
            cwd=STORY.parents[1],
            stdin=asyncio.subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


async def _port(name: str, file: Path, process: asyncio.subprocess.Process) -> int:
    deadline = time.monotonic() + 20
    while not file.exists():
        if process.returncode is not None or time.monotonic() > deadline:
            raise ComponentDied(
                f"the demo's {name} service did not come up",
                fix=f"see {file.with_suffix('.log')}",
            )
        await asyncio.sleep(0.02)
    return int(file.read_text())


async def _play(
    folder: DataFolder,
    agent: str,
    intent: Intent,
    tools: tuple[str, ...],
    *,
    halt_after: int | None = None,
) -> list[Recorded]:
    """One run on the timeline, to its end and its last receipt; its entries. With `halt_after` it
    is halted once it has that many receipts.
    """
    entries: list[Recorded] = []
    async with session(folder.root, Role.REP) as opened:
        name = await request_run(opened, agent, intent, tools, 120, 60, None)
        started = receipts = 0
        ended = False
        reader = opened.again()
        async for item in reader.follow():
            if isinstance(item, CaughtUp) or (item.event.run not in (name, None)):
                continue
            if item.event.run is None and item.event.type != "halt.engaged":
                continue
            out.print(line(item))
            entries.append(item)
            body = item.event.body
            started += isinstance(body, ActionStarted)
            receipts += isinstance(body, ReceiptIssued)
            if halt_after is not None and receipts == halt_after:
                halt_after = None
                await _halt_from_outside(folder, name)
            ended = ended or isinstance(body, RunCompleted | RunHalted | RunRefused)
            # What was under way as the halt came has an outcome and a receipt a moment later.
            if ended and receipts == started:
                break
    return entries


async def _halt_from_outside(folder: DataFolder, run: str) -> None:
    """Another terminal: `anyteam halt run RUN`."""
    out.print(f"      [bold]$ anyteam halt run {escape(run)}[/]")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "console.main", "halt", "run", run),
        *("--reason", "that is enough", "--data", str(folder.root)),
        stdout=asyncio.subprocess.DEVNULL,
    )
    if await process.wait() != 0:
        raise ComponentDied("the halt was not recorded", fix="see above")


async def _clean(folder: DataFolder) -> None:
    out.print(LEGEND)
    _title("1 · a rep's agent does its work")
    intent = Intent(
        summary="send Boeing the summary it asked for, note the next step, and book a call with"
        " Jane about it for 2026-11-26 from 15:00 to 15:30",
        effects=(Effect.MUTATION, Effect.COMMUNICATION),
        destinations=("jane.doe@boeing.example",),
    )
    tools = (
        *("mail.search", "mail.read", "crm.find_account", "crm.list_deals"),
        *("calendar.list", "files.write", "crm.update_deal", "mail.send", "calendar.create"),
    )
    entries = await _play(folder, "follow-up", intent, tools)
    out.print("\nwhat the servers on the other side show, each effect once, by its action's key:")
    for tool, found in shown(folder.root, entries):
        out.print(f"  [green]{tool:<16}[/] {escape(found)}", soft_wrap=True)


async def _poisoned(folder: DataFolder) -> None:
    _title("2 · a poisoned e-mail turns the brain, which obeys it fully")
    before = _seen(folder)
    intent = Intent(
        summary="summarise the aerospace newsletter into a draft", effects=(Effect.MUTATION,)
    )
    tools = ("mail.search", "mail.read", "files.write", "mail.send")
    await _play(folder, "reader", intent, tools)
    if len(_seen(folder)) > len(before):
        raise ComponentDied("something left the house", fix="this must never be: report it")
    out.print("\nwhat the servers on the other side saw of it: [bold green]nothing[/]")


async def _halted(folder: DataFolder) -> None:
    _title("3 · a run is halted mid-way")
    intent = Intent(
        summary="keep forty reports at Embraer's deal",
        effects=(Effect.MUTATION,),
        objects=("deal-4",),
    )
    before = len(_seen(folder))
    entries = await _play(folder, "reporter", intent, ("crm.update_deal",), halt_after=3)
    kept = len(_seen(folder)) - before
    if kept >= 40:
        raise ComponentDied("the halt came too late", fix="report it")
    confirmed = len(list(shown(folder.root, entries)))
    out.print(
        f"\n{kept} of 40 reports reached the CRM, {confirmed} of them confirmed by receipt; no more"
        " will be begun"
    )


async def _evidence(folder: DataFolder) -> None:
    _title("4 · the whole story, verified offline")
    where = folder.root / "export"
    await _until_sealed(folder)
    manifest = await take_whole(folder.root, where)
    out.print(f"exported {manifest.size} entries and {manifest.seals} seals")
    root = folder.root_public()
    mac_key = read_key(folder.identity(Role.SIDECAR) / "receipts.mac")
    report = verify(ExportReader(where), root, receipt_key=mac_key)
    out.print(in_words(report))
    if not report.ok:
        raise ComponentDied("the demo's own ledger does not verify", fix="report it")
    known = _last_seal(where)
    for name, tamper in TAMPERINGS.items():
        copy = folder.root / "run" / "tampered"
        shutil.copytree(where, copy)
        tamper(copy)
        found = verify(ExportReader(copy), root, receipt_key=mac_key, checkpoint=known)
        if found.ok:
            raise ComponentDied(f"tampering was not found: {name}", fix="report it")
        first = found.findings[0]
        out.print(
            f"[green]found[/] {name}: entry {first.index}: {first.kind}: {escape(first.what)}"
        )
        shutil.rmtree(copy)
    again = await replayed(folder)
    out.print(
        f"replay: {sum(again.derived.values())} recorded decisions derived again,"
        f" {len(again.differences)} differ"
    )
    if not again.ok:
        raise ComponentDied("a recorded decision cannot be derived again", fix="report it")


async def _until_sealed(folder: DataFolder) -> None:
    """Wait until a seal covers all that the ledger holds now."""
    async with session(folder.root, Role.REP) as opened:
        size = opened.reader.index
        seals = follow(
            opened.client, stream="SEALS", filter_subject=None, consumer="demo", throwaway=True
        )
        async for seal in seals:
            if not isinstance(seal, CaughtUp) and read_checkpoint(seal.body.decode()).size >= size:
                return


def _last_seal(export: Path) -> str:
    """The checkpoint an auditor would have kept from before."""
    lines = (export / "seals.jsonl").read_text().splitlines()
    return str(jsonlib.loads(lines[-1])["note"])


def _seen(folder: DataFolder) -> list[dict[str, Any]]:
    """All that the far servers logged."""
    return [entry for name in ("crm", "mail", "calendar") for entry in log_of(folder.root, name)]


def _title(text: str) -> None:
    out.print()
    out.print(Rule(f"[bold]{text}[/]", align="left"))
    err.file.flush()
