"""The start of a run on a real installation: from its lease to its first action, and its memory.

The times are the signed ones of the ledger: `lease.granted` is the orchestrator's, said before the
run's keys reach a process; the first proposal is the runtime's; it is accepted where the gate says
`action.started`, after the judge's word. Runs come one at a time, the first aside, which finds no
nursery. Memory is that of runs that have proposed and wait for a person, all at once.
"""

import argparse
import asyncio
import os
import tempfile
from pathlib import Path
from typing import Final

import uvloop
from msgspec import Struct

from bench.house import quantile
from bench.living import megabytes, of_runs
from bus.consume import CaughtUp
from bus.decider import Recorded
from bus.eventloop import quiet_tls_close
from bus.folder import DataFolder
from console.commands.runs import request_run
from console.session import session
from console.supervisor import Supervisor
from schemas.actions import ActionStarted, ApprovalRequested, ProposalMade
from schemas.leases import Intent
from schemas.names import Role
from schemas.runs import LeaseGranted, RunCompleted, RunHalted, RunRefused, RunRequested
from schemas.tools import Effect
from tests.faults.installation import below, prepared

LIVE: Final = 10
_PATIENCE_S: Final = 300
_ENDS: Final = (RunCompleted, RunHalted, RunRefused)


class Begun(Struct):
    """One run's times, ns since the epoch; 0 for what has not been."""

    requested: int = 0
    leased: int = 0
    proposed: int = 0
    accepted: int = 0


def measure(options: argparse.Namespace) -> dict[str, float]:
    """`median_ms` and `p99_ms` from the lease to the first accepted proposal, `memory_mb_per_run`
    with `live` runs, and what they are made of.
    """
    quiet_tls_close()
    return uvloop.run(_measure(options.starts, options.live or LIVE, options.warm))


async def _measure(starts: int, live: int, warm: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="anyteam-bench-") as home:
        folder = prepared(Path(home) / "data")
        with folder.settings_file.open("a") as file:
            file.write(f"[warm]\nruns = {warm}\n")
        supervisor = Supervisor(folder, lambda text: None)
        try:
            await supervisor.up()
            first, *begun = await _begun(folder, starts + 1)
            standing = megabytes(of_runs(below(os.getpid())))
            await _waiting(folder, live)
            held = megabytes(of_runs(below(os.getpid())))
        finally:
            await supervisor.down()
    accepted = [(one.accepted - one.leased) / 1e6 for one in begun]
    return {
        "median_ms": quantile(accepted, 0.5),
        "p99_ms": quantile(accepted, 0.99),
        "proposal_median_ms": quantile([(b.proposed - b.leased) / 1e6 for b in begun], 0.5),
        "request_median_ms": quantile([(b.accepted - b.requested) / 1e6 for b in begun], 0.5),
        "first_ms": (first.accepted - first.leased) / 1e6,
        "memory_mb_per_run": held / live,
        "memory_mb_standing": standing,
        "live": live,
        "starts": starts,
        "warm": warm,
    }


async def _begun(folder: DataFolder, runs: int) -> list[Begun]:
    """Runs one after another, each to its end."""
    found: list[Begun] = []
    wish = Intent(summary="keep notes", effects=(Effect.MUTATION,))
    async with session(folder.root, Role.REP) as rep, asyncio.timeout(_PATIENCE_S):
        entries = rep.again().follow()
        for _ in range(runs):
            name = await request_run(rep, "writer", wish, ("files.write",), 120, 30, None)
            one = Begun()
            async for item in entries:
                if isinstance(item, CaughtUp) or item.event.run != name:
                    continue
                _note(one, item)
                if isinstance(item.event.body, _ENDS):
                    break
            assert one.accepted, "the run ended without an action"
            found.append(one)
    return found


def _note(one: Begun, item: Recorded) -> None:
    body, at = item.event.body, item.event.at
    if isinstance(body, RunRequested):
        one.requested = at
    elif isinstance(body, LeaseGranted):
        one.leased = at
    elif isinstance(body, ProposalMade):
        one.proposed = one.proposed or at
    elif isinstance(body, ActionStarted):
        one.accepted = one.accepted or at


async def _waiting(folder: DataFolder, live: int) -> None:
    """Return once `live` runs have asked a person, and wait."""
    async with session(folder.root, Role.REP) as rep, asyncio.timeout(_PATIENCE_S):
        names = set()
        for _ in range(live):
            wish = Intent(summary="keep notes")
            names.add(await request_run(rep, "writer", wish, ("files.write",), 900, 30, None))
        async for item in rep.again().follow():
            if isinstance(item, CaughtUp):
                continue
            if isinstance(item.event.body, ApprovalRequested):
                names.discard(item.event.run or "")
            if not names:
                return
    raise RuntimeError("the ledger ended before the runs waited")
