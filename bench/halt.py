"""From a halt that is tapped to the last effect, on a real installation with runs at work.

Each run's runtime, judge and the sidecar are their own processes; a workspace halt stops them all.
An effect begins right after its `action.started`, where that stands before the halt: what is behind
it is never begun. Where one was confirmed, its `action.finished` is taken: none began later.
"""

import argparse
import asyncio
import time
from typing import Any, Final

import uvloop
from msgspec import Struct

from bench.house import installation, quantile
from bus.consume import CaughtUp
from bus.eventloop import quiet_tls_close
from bus.folder import DataFolder
from console.author import say
from console.commands.runs import request_run
from console.session import Session, session
from schemas.actions import ActionFinished, ActionOutcome, ActionStarted
from schemas.leases import Intent
from schemas.names import SECOND, Role
from schemas.runs import HaltEngaged, HaltReleased, HaltScope, RunCompleted, RunHalted

ROUNDS: Final = {1: 20, 10: 4, 100: 1}
"""By live runs; each run gives one figure a round."""

STEPS: Final = 600
_AT_ONCE: Final = 4
_PATIENCE_S: Final = 900


class Stopped(Struct, frozen=True):
    """One run, in ms after the tap: its last effect, and the record of its end."""

    effect_ms: float
    ended_ms: float


class Round(Struct, frozen=True):
    """All runs of one halt, and how many effects were confirmed in the second before it."""

    stopped: list[Stopped]
    done: int


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """`p50_ms`, `p99_ms` and `max_ms` to the last effect, `ended_p50_ms` and `ended_p99_ms` to the
    record of the run's end, by live runs; `per_s` effects were done in the second before.
    """
    quiet_tls_close()
    most = options.live or max(ROUNDS)
    levels = [*(live for live in ROUNDS if live < most), most]
    return {str(live): uvloop.run(_level(live, ROUNDS.get(live, 1))) for live in levels}


async def _level(live: int, rounds: int) -> dict[str, float]:
    async with installation(STEPS, max_actions=STEPS) as folder:
        told = [await _round(folder, live) for _ in range(rounds)]
    stopped = [one for each in told for one in each.stopped]
    effects, ends = [one.effect_ms for one in stopped], [one.ended_ms for one in stopped]
    return {
        "n": len(stopped),
        "p50_ms": quantile(effects, 0.5),
        "p99_ms": quantile(effects, 0.99),
        "max_ms": max(effects),
        "ended_p50_ms": quantile(ends, 0.5),
        "ended_p99_ms": quantile(ends, 0.99),
        "per_s": quantile([float(each.done) for each in told], 0.5),
    }


async def _round(folder: DataFolder, live: int) -> Round:
    """Bring `live` runs to work, halt the workspace, and see when each stopped."""
    async with session(folder.root, Role.ADMIN) as admin, session(folder.root, Role.REP) as rep:
        told = await _told(admin, rep, live)
        over = HaltReleased(scope=HaltScope.WORKSPACE, target="", reason="measured")
        await say(admin.client, admin.reader, admin.pen(Role.ADMIN, None), over, run=None)
    return told


async def _told(admin: Session, rep: Session, live: int) -> Round:
    """What the ledger tells of one halt, tapped once each run has acted.

    Few runs are asked for at once, or they would wait for each other. What the ledger holds from
    earlier rounds is read before: a run must not get ahead of whoever taps.
    """
    reader = rep.again()
    await reader.catch_up()
    names: set[str] = set()
    acted: set[str] = set()
    done: list[int] = []
    effects: dict[str, int] = {}
    ends: dict[str, int] = {}
    tapped = halt = 0

    async def another() -> None:
        wish = Intent(summary="measure")
        names.add(await request_run(rep, "reader", wish, ("files.read",), 3_600, STEPS, None))

    async with asyncio.timeout(_PATIENCE_S):
        for _ in range(min(_AT_ONCE, live)):
            await another()
        async for item in reader.follow():
            if isinstance(item, CaughtUp) or item.event.run not in names:
                continue
            body, run, at = item.event.body, item.event.run or "", item.event.at
            if isinstance(body, RunCompleted) or (isinstance(body, RunHalted) and not halt):
                raise RuntimeError(f"a run ended before the halt, after {at - tapped} ns: {body}")
            confirmed = isinstance(body, ActionFinished) and (
                body.outcome is ActionOutcome.CONFIRMED
            )
            if confirmed:
                done.append(at)
            if halt:
                begun = isinstance(body, ActionStarted) and item.index < halt
                if begun or confirmed:
                    effects[run] = max(effects.get(run, tapped), at)
                if isinstance(body, RunHalted):
                    ends[run] = at
                    if len(ends) == live:
                        break
            elif isinstance(body, ActionFinished) and run not in acted:
                acted.add(run)
                if len(names) < live:
                    await another()
                if len(acted) == live:
                    tapped = time.time_ns()
                    halt = await _halted(admin)
    stopped = [_after(tapped, effects.get(run, tapped), ends[run]) for run in sorted(names)]
    return Round(stopped, sum(tapped - SECOND < at <= tapped for at in done))


async def _halted(admin: Session) -> int:
    """Tap; the halt's index."""
    engaged = HaltEngaged(scope=HaltScope.WORKSPACE, target="", reason="measured")
    pen = admin.pen(Role.ADMIN, None)
    return await say(admin.client, admin.reader, pen, engaged, run=None)


def _after(tapped: int, effect: int, ended: int) -> Stopped:
    return Stopped((effect - tapped) / 1e6, (ended - tapped) / 1e6)
