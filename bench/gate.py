"""A gated action end to end on a real installation, beside its four bare durable hops.

Latency is from the proposal's own time to its receipt being read back from the ledger, in a
single run. Throughput is over the window in which all of several runs are at work.
"""

import argparse
import asyncio
import time

import uvloop
from msgspec import Struct

from bench.floor import hops
from bench.house import bare_bus, installation, quantile
from bus.consume import CaughtUp
from bus.eventloop import quiet_tls_close
from bus.folder import DataFolder
from console.commands.runs import fresh_reader, request_run
from console.session import session
from schemas.actions import ActionFinished, ProposalMade, ReceiptIssued
from schemas.leases import Intent
from schemas.names import Role
from schemas.runs import RunCompleted, RunOutcome

ACTIONS = 150
FLOOR_IN_FLIGHT = 64


class Done(Struct, frozen=True):
    """One action: its run, when it was proposed, when its receipt was read (s)."""

    run: str
    proposed: float
    receipted: float


def measure(options: argparse.Namespace) -> dict[str, float]:
    """Latencies in ms and actions a second, with those of the floor, and the ratios."""
    quiet_tls_close()
    return uvloop.run(_measure(options.actions or ACTIONS, options.runs))


async def _measure(actions: int, runs: int) -> dict[str, float]:
    async with bare_bus() as bus:
        floor, _ = await hops(bus, actions, 1)
    async with bare_bus() as bus:
        _, floor_per_s = await hops(bus, actions * runs, min(FLOOR_IN_FLIGHT, actions))
    async with installation(actions) as folder:
        alone = await _play(folder, 1, actions)
        together = await _play(folder, runs, actions)
    latencies = [(done.receipted - done.proposed) * 1_000 for done in alone]
    per_s = _steady_rate(together)
    p50, floor_p50 = quantile(latencies, 0.5), quantile(floor, 0.5)
    return {
        "p50_ms": p50,
        "p99_ms": quantile(latencies, 0.99),
        "per_s": per_s,
        "floor_p50_ms": floor_p50,
        "floor_per_s": floor_per_s,
        "ratio_p50": p50 / floor_p50,
        "ratio_per_s": per_s / floor_per_s,
    }


async def _play(folder: DataFolder, runs: int, actions: int) -> list[Done]:
    """Every action of `runs` runs asked for at once."""
    async with session(folder.root, Role.REP) as opened:
        names = set()
        for _ in range(runs):
            intent = Intent(summary="measure")
            tools = ("files.read",)
            names.add(await request_run(opened, "reader", intent, tools, 600, actions, None))
        proposed: dict[bytes, tuple[str, float]] = {}
        finished: dict[bytes, bytes] = {}
        found: list[Done] = []
        ended = 0
        async with asyncio.timeout(120):
            async for item in fresh_reader(opened).follow():
                if isinstance(item, CaughtUp) or item.event.run not in names:
                    continue
                body, run = item.event.body, item.event.run or ""
                if isinstance(body, ProposalMade):
                    proposed[item.digest] = (run, item.event.at / 1e9)
                elif isinstance(body, ActionFinished):
                    finished[item.digest] = body.proposal
                elif isinstance(body, ReceiptIssued):
                    who, at = proposed[finished[item.event.causes[0]]]
                    found.append(Done(who, at, time.time()))
                elif isinstance(body, RunCompleted):
                    assert body.outcome is RunOutcome.SUCCESS, body.reason
                    ended += 1
                    if ended == runs:
                        return found
    raise RuntimeError("the ledger ended before the runs did")


def _steady_rate(done: list[Done]) -> float:
    """Actions a second while every run is at work."""
    by_run: dict[str, list[float]] = {}
    for action in done:
        by_run.setdefault(action.run, []).append(action.receipted)
    begin = max(min(times) for times in by_run.values())
    end = min(max(times) for times in by_run.values())
    if end <= begin:
        # The first run was over before the last had begun: take the whole time.
        begin, end = done[0].receipted, done[-1].receipted
    return sum(begin <= action.receipted <= end for action in done) / (end - begin)
