"""kill -9 of a component at a chosen moment of a run, on a real installation.

Each run updates a deal at a real CRM service a few times. The CRM's own log says what was
done; the ledger says what we believe was done. The two must agree, whatever died when.
"""

import asyncio
import contextlib
import json
import os
import random
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

from msgspec import Struct

from bus.consume import CaughtUp
from bus.folder import DataFolder
from console.commands.credentials import store
from console.commands.ledger import export
from console.commands.runs import fresh_reader, request_run
from console.session import session
from console.supervisor import Supervisor
from ledger.export import ExportReader
from ledger.verify import verify
from schemas.actions import ActionFinished, ActionOutcome, ActionStarted, ReceiptIssued
from schemas.leases import Intent
from schemas.names import Role
from schemas.runs import RunCompleted, RunHalted
from schemas.tools import Effect

STEPS = 5
COMPONENTS = ("orchestrator", "sidecar", "runtime", "judge")
RUN_ENTRIES = 28
"""About how many entries such a run has: the moments to choose from."""

_MODULES = {"runtime": b"agents\0runtime", "judge": b"judge"}
_SETTINGS = """\
workspace = "acme"
reps = ["ann"]
admins = ["ada"]
[policy]
tools = ["crm.update_deal"]
[connectors.crm]
url = "http://127.0.0.1:{port}"
[agents.keeper]
planner = "scripted"
plan = "plan.json"
"""


class Tally(Struct, kw_only=True):
    """What came of the kills; all of the last four must be zero but `unknown`."""

    kills: int = 0
    runs: int = 0
    duplicates: int = 0
    lost: int = 0
    unknown: int = 0
    unknown_true: int = 0
    unfinished: int = 0
    findings: int = 0


class Ran(Struct, frozen=True):
    """One run: its ending, its actions (event id -> outcome), and whether all have receipts."""

    ended: bool
    actions: dict[str, ActionOutcome]
    receipts: int


@contextlib.asynccontextmanager
async def far_side(home: Path) -> AsyncIterator[int]:
    """A CRM service of its own process; its port."""
    home.mkdir(parents=True, exist_ok=True)
    (home / "token").write_text("a-token-for-tests")
    port_file = home / "port"
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "examples.crm_service", "--data", str(home / "crm.json")),
        *("--token-file", str(home / "token"), "--log", str(home / "seen.log")),
        *("--port-file", str(port_file), "--lifeline"),
        cwd=Path(__file__).parents[2],
        stdin=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(20):
            while not port_file.exists():
                await asyncio.sleep(0.02)
        yield int(port_file.read_text())
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


async def kill_at_random_moments(
    home: Path, components: tuple[str, ...], kills: int, seed: int
) -> Tally:
    """One run a kill, each at a random moment of it; then the whole ledger is verified."""
    dice = random.Random(seed)
    tally = Tally()
    async with far_side(home / "crm") as port:
        folder = DataFolder(home / "data")
        folder.root.mkdir(parents=True)
        folder.settings_file.write_text(_SETTINGS.format(port=port))
        store(folder, "crm", "a-token-for-tests")
        supervisor = Supervisor(folder, lambda text: None)
        try:
            await supervisor.up()
            for number in range(kills):
                victim = components[number % len(components)]
                moment = dice.randrange(1, RUN_ENTRIES)
                ran = await _run(folder, supervisor, number, victim, moment, dice.random() / 200)
                tally.kills += 1
                _count(tally, ran, home / "crm" / "seen.log")
            await export(folder, home / "export")
        finally:
            await supervisor.down()
        report = verify(ExportReader(home / "export"), folder.root_public())
        tally.findings = len(report.findings)
    return tally


async def _run(
    folder: DataFolder,
    supervisor: Supervisor,
    number: int,
    victim: str,
    moment: int,
    delay: float,
) -> Ran:
    """One run, with `victim` killed once the run has `moment` entries, and `delay` s more."""
    steps = [
        {
            "tool": "crm.update_deal",
            "arguments": {"id": "deal-1", "fields": {"note": f"{number}.{step}"}},
            "purpose": "keep a note",
        }
        for step in range(STEPS)
    ]
    (folder.root / "plan.json").write_text(json.dumps({"steps": steps}))
    actions: dict[bytes, str] = {}
    outcomes: dict[str, ActionOutcome] = {}
    receipts = seen = 0
    async with session(folder.root, Role.REP) as opened:
        intent = Intent(summary="keep notes", effects=(Effect.MUTATION,))
        tools = ("crm.update_deal",)
        name = await request_run(opened, "keeper", intent, tools, 60, 30, None)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(50):
                async for item in fresh_reader(opened).follow():
                    if isinstance(item, CaughtUp) or item.event.run != name:
                        continue
                    seen += 1
                    if seen == moment:
                        await asyncio.sleep(delay)
                        _kill(supervisor, victim)
                    body = item.event.body
                    if isinstance(body, ActionStarted):
                        actions[item.digest] = item.event.id
                    elif isinstance(body, ActionFinished):
                        outcomes[actions[body.action]] = body.outcome
                    elif isinstance(body, ReceiptIssued):
                        receipts += 1
                    elif isinstance(body, RunCompleted | RunHalted):
                        whole = len(outcomes) == len(actions) == receipts
                        return Ran(whole, outcomes, receipts)
    return Ran(False, outcomes, receipts)


def _kill(supervisor: Supervisor, victim: str) -> None:
    if victim in _MODULES:
        pids = _children_running(supervisor.pid_of("orchestrator"), _MODULES[victim])
    else:
        pids = [supervisor.pid_of(victim)]
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _children_running(parent: int, module: bytes) -> list[int]:
    """The orchestrator's children that run a module, from /proc."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(stat.read_text().rpartition(")")[2].split()[1]) == parent:
                if b"-m\0" + module + b"\0" in (stat.parent / "cmdline").read_bytes():
                    found.append(int(stat.parent.name))
    return found


def _count(tally: Tally, ran: Ran, log: Path) -> None:
    tally.runs += 1
    tally.unfinished += not ran.ended
    lines = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    applied = Counter(line["key"] for line in lines if line["effect"] == "applied")
    for key, outcome in ran.actions.items():
        tally.duplicates += applied[key] > 1
        if outcome is ActionOutcome.UNKNOWN:
            tally.unknown += 1
            tally.unknown_true += 1
        elif (outcome is ActionOutcome.CONFIRMED) != (applied[key] == 1):
            tally.lost += 1
