"""One day of a company's traffic through a real installation, verified and projected at its end.

Each rep has a hundred actions, asked for as runs signed with that rep's own key; four in five read
a file, the fifth writes one. Bus, orchestrator, sidecar, supervisor, projector and PostgreSQL are
their own processes, as are each run's runtime and judge. The clock runs from the first request
until the whole ledger is exported, verified from the root key, and in the database to its end.
"""

import argparse
import asyncio
import contextlib
import itertools
import json
import os
import resource
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import psycopg
import uvloop
from msgspec import Struct

from bench.house import quantile
from bench.living import cpu_by_part, watching
from bus.component import connect_as
from bus.connection import disconnect
from bus.consume import CaughtUp, end_of_ledger, follow
from bus.eventloop import quiet_tls_close
from bus.folder import DataFolder
from console.author import new_run_id, say
from console.pens import person_pen
from console.supervisor import Supervisor
from console.taking import take_whole
from crypto.trust import Trust
from ledger.ended import EndedOnDisk
from ledger.export import ExportReader
from ledger.spread import Spread
from ledger.verify import verify
from projections.postgres.login import SETTING, read_login
from projections.postgres.status import standing
from schemas.actions import ActionOutcome, Receipt, ReceiptIssued
from schemas.envelope import decode_envelope
from schemas.events import decode_event
from schemas.leases import Intent
from schemas.names import Role
from schemas.runs import RunCompleted, RunHalted, RunOutcome, RunRefused, RunRequested
from schemas.tools import Effect
from tests.faults.installation import below

ACTIONS: Final = 100_000
ACTIONS_OF_A_REP: Final = 100
WRITES: Final = 5
"""Every so many actions one writes."""

_TOOLS: Final = ("files.read", "files.write")
_WORKSPACE: Final = "acme"
_TTL_S: Final = 900
_PATIENCE_S: Final = 900
_CORES: Final = 2

_SETTINGS: Final = """\
workspace = "{workspace}"
reps = {reps}
admins = ["ada"]
[policy]
tools = ["files.read", "files.write"]
max_actions = {steps}
[connectors.files]
root = "files"
[projections]
"""
_AGENT: Final = """\
[agents.desk-{desk}]
planner = "scripted"
plan = "desk-{desk}.json"
"""


class Worked(Struct, frozen=True):
    """The day's work: each run's seconds from its request to its end, and what failed, in words."""

    took: list[float]
    failed: list[str]


class Unread:
    """`console.author.Ledger` of one who signs first words in new runs and reads nothing: whether
    they stand, the whole ledger's verification says at the end of the day."""

    def __init__(self, workspace: str, root: bytes) -> None:
        self.trust = Trust(workspace, root)
        self.index = 0
        self.epoch = 1

    async def cross(self, epoch: int, digest: bytes) -> int | None:
        """No epoch turns on this day."""
        return None

    async def stands(self, index: int, digest: bytes) -> bool:
        """Nobody else signs with these keys."""
        return True


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """`actions`, `seconds`, `lost`, and what they are made of."""
    quiet_tls_close()
    before = _cpu_of_children()
    actions = options.actions or ACTIONS
    reps = options.reps or max(1, actions // ACTIONS_OF_A_REP)
    most_s = options.minutes * 60 if options.minutes else None
    figures = uvloop.run(_measure(actions, reps, options.per_run, options.desks, most_s))
    cpu = _cpu_of_children() - before
    return figures | {
        "cpu_s": cpu,
        "cpu_ms_per_action": cpu * 1_000 / figures["actions"],
    }


async def _measure(
    wanted: int, people: int, per_run: int, desks: int, most_s: float | None
) -> dict[str, Any]:
    reps = [f"rep-{n:04d}" for n in range(people)]
    with tempfile.TemporaryDirectory(prefix="anyteam-bench-") as home:
        folder = _prepared(Path(home) / "data", reps, per_run, desks)
        began = time.monotonic()
        async with _up(folder) as supervisor, watching(supervisor) as peaks:
            settled = time.monotonic()
            asking = itertools.islice(itertools.cycle(reps), max(1, wanted // per_run))
            who = itertools.takewhile(lambda _: _in_time(settled, most_s), asking)
            cpu_before = cpu_by_part(below(os.getpid()))
            worked = await _work(folder, who, desks)
            done = time.monotonic()
            cpu_after = cpu_by_part(below(os.getpid()))
            end = await _projected(folder)
            projected = time.monotonic()
            export = Path(home) / "export"
            await take_whole(folder.root, export)
            exported = time.monotonic()
            receipts = await asyncio.to_thread(_verified, export, folder.root_public())
            verified = time.monotonic()
            in_database = await asyncio.to_thread(_confirmed_rows, folder)
        runs = len(worked.took)
        actions = runs * per_run
        stored = sum(_bytes_below(folder.root / part) for part in ("nats", "postgres"))
        return {
            "actions": actions,
            "seconds": verified - settled,
            "lost": actions - min(receipts, in_database),
            "per_s": actions / (done - settled),
            "reps": len(reps),
            "runs": runs,
            "failed": worked.failed[:5],
            "entries": end,
            "setup_s": settled - began,
            "work_s": done - settled,
            "projector_behind_s": projected - done,
            "export_s": exported - projected,
            "verify_s": verified - exported,
            "run_p50_s": quantile(worked.took, 0.5),
            "run_p99_s": quantile(worked.took, 0.99),
            "stored_bytes_per_action": stored / actions,
            "peak_mb": peaks.megabytes,
            "cpu_ms_per_action_by_part": {
                part: round((used - cpu_before.get(part, 0.0)) * 1_000 / actions, 2)
                for part, used in sorted(cpu_after.items())
            },
        }


def _prepared(root: Path, reps: list[str], steps: int, desks: int) -> DataFolder:
    """A data folder whose agents, one a desk, keep to their own folder of files."""
    folder = DataFolder(root)
    text = _SETTINGS.format(workspace=_WORKSPACE, reps=json.dumps(reps), steps=steps)
    for desk in range(desks):
        files = root / "files" / f"desk-{desk}"
        files.mkdir(parents=True)
        for number in range(steps):
            (files / f"note-{number}.txt").write_text(f"note {number} of this desk\n")
        text += _AGENT.format(desk=desk)
        plan = {"steps": [_step(desk, number) for number in range(steps)]}
        (root / f"desk-{desk}.json").write_text(json.dumps(plan))
    folder.settings_file.write_text(text)
    return folder


def _step(desk: int, number: int) -> dict[str, Any]:
    path = f"desk-{desk}/note-{number}.txt"
    if number % WRITES < WRITES - 1:
        return {"tool": "files.read", "arguments": {"path": path}, "purpose": "look it up"}
    given = {"path": path, "content": f"note {number} of this desk\n"}
    return {"tool": "files.write", "arguments": given, "purpose": "keep the note"}


@contextlib.asynccontextmanager
async def _up(folder: DataFolder) -> AsyncIterator[Supervisor]:
    supervisor = Supervisor(folder, lambda text: None)
    try:
        await supervisor.up()
        yield supervisor
    finally:
        await supervisor.down()


def _in_time(since: float, most_s: float | None) -> bool:
    return most_s is None or time.monotonic() - since < most_s


async def _work(folder: DataFolder, who: Iterator[str], desks: int) -> Worked:
    """Every run of the day, one at a time at each desk."""
    client = await connect_as(folder, Role.REP)
    ledger = Unread(_WORKSPACE, folder.root_public())
    asked: dict[str, tuple[int, float]] = {}
    took: list[float] = []
    failed: list[str] = []

    async def another(desk: int) -> None:
        rep = next(who, None)
        if rep is None:
            return
        name = new_run_id(time.time_ns())
        asked[name] = (desk, time.monotonic())
        wish = RunRequested(
            rep=rep,
            agent=f"desk-{desk}",
            intent=Intent(summary="look up and keep the notes", effects=(Effect.MUTATION,)),
            tools=_TOOLS,
            ttl_s=_TTL_S,
            max_actions=ACTIONS_OF_A_REP,
        )
        await say(client, ledger, person_pen(folder, rep, Role.REP), wish, run=name)

    after = await end_of_ledger(client)
    found = follow(
        client,
        stream="LEDGER",
        filter_subject=None,
        consumer="day",
        throwaway=True,
        after=after,
    )
    try:
        async with asyncio.timeout(None) as patience:
            async for item in found:
                if isinstance(item, CaughtUp):
                    for desk in range(desks):
                        await another(desk)
                elif item.subject.endswith(".run"):
                    body, run = _said(item.body)
                    if run not in asked or not isinstance(
                        body, RunCompleted | RunHalted | RunRefused
                    ):
                        continue
                    desk, since = asked.pop(run)
                    took.append(time.monotonic() - since)
                    if not (isinstance(body, RunCompleted) and body.outcome is RunOutcome.SUCCESS):
                        failed.append(f"{run}: {body}")
                    patience.reschedule(asyncio.get_running_loop().time() + _PATIENCE_S)
                    await another(desk)
                    if not asked:
                        return Worked(took, failed)
    finally:
        await found.aclose()
        await disconnect(client)
    raise RuntimeError("the ledger ended before the day did")


def _said(body: bytes) -> tuple[object, str]:
    event = decode_event(decode_envelope(body).payload)
    return event.body, event.run or ""


async def _projected(folder: DataFolder) -> int:
    """Wait until the database holds all that the ledger does; how much that is."""
    client = await connect_as(folder, Role.REP)
    try:
        end = await end_of_ledger(client)
    finally:
        await disconnect(client)
    login = read_login(folder, "console")
    async with asyncio.timeout(_PATIENCE_S):
        while (await asyncio.to_thread(standing, login, _WORKSPACE)).index < end:
            await asyncio.sleep(0.2)
    return end


def _verified(export: Path, root: bytes) -> int:
    """Confirmed receipts in an export that verifies. Raises `AssertionError` where it does not."""
    reader = ExportReader(export)
    with Spread(_CORES, root) as spread, contextlib.closing(EndedOnDisk()) as ended:
        report = verify(reader, root, ahead=spread.ahead, ended=ended)
    assert report.ok, report.findings[:3]
    confirmed = 0
    for entry in reader.entries():
        if entry.subject.endswith(".receipt"):
            body, _ = _said(entry.body)
            assert isinstance(body, ReceiptIssued)
            confirmed += (
                msgspec.msgpack.decode(body.receipt, type=Receipt).outcome
                is ActionOutcome.CONFIRMED
            )
    return confirmed


def _confirmed_rows(folder: DataFolder) -> int:
    login = read_login(folder, "console")
    with psycopg.connect(login.conninfo()) as connection:
        connection.execute("SELECT set_config(%s, %s, true)", (SETTING, _WORKSPACE))
        [[count]] = connection.execute(
            "SELECT count(*) FROM receipts WHERE outcome = %s", (ActionOutcome.CONFIRMED.value,)
        ).fetchall()
    return int(count)


def _bytes_below(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
