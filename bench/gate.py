"""A gated action end to end on a real installation, beside its bare durable hops.

Latency is from the proposal's own time to its receipt being read back from the ledger, in a
single run. Throughput is over the window in which all of several runs are at work, each with one
action at a time. One reader looks on, the same on both sides, and takes nothing apart meanwhile.
CPU is that of every process but the reader's own, over the runs at once, their starts included.
"""

import argparse
import asyncio
import os
import time
from statistics import median
from typing import Any, Final

import uvloop
from msgspec import Struct

from bench.floor import BARE, Shape, hops
from bench.house import bare_bus, installation, quantile
from bench.living import cpu_by_part
from bus.client import Client
from bus.connection import connect, disconnect
from bus.consume import CaughtUp, follow
from bus.eventloop import quiet_tls_close
from bus.folder import DataFolder
from bus.tls import client_context
from console.commands.runs import request_run
from console.session import session
from schemas.actions import ActionFinished, ProposalMade, ReceiptIssued
from schemas.envelope import decode_envelope
from schemas.events import decode_event, event_digest
from schemas.leases import Intent
from schemas.names import Role
from schemas.runs import RunCompleted, RunOutcome
from tests.faults.installation import below

ACTIONS: Final = 150
BARE_IN_FLIGHT: Final = 64
HOPS: Final = ("proposal", "verdict", "action", "outcome", "receipt")
READERS: Final = (Role.ORCHESTRATOR, Role.SUPERVISOR)
"""Who reads the whole ledger of an installation without stores, beside the sidecar."""

_PATIENCE_S: Final = 300


class Done(Struct, frozen=True):
    """One action: its run, when it was proposed, when its receipt was read (s)."""

    run: str
    proposed: float
    receipted: float


class Seen(Struct, frozen=True):
    """One entry as the reader was given it, and when (s)."""

    subject: str
    body: bytes
    at: float


class Played(Struct, frozen=True):
    """What was done, how long each topic's messages were, and CPU of each part, in ms an action."""

    done: list[Done]
    sizes: dict[str, int]
    cpu: dict[str, float]


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Latencies in ms and actions a second, with those of the floor, and the ratios."""
    quiet_tls_close()
    return uvloop.run(_measure(options.actions or ACTIONS, options.runs))


async def _measure(actions: int, runs: int) -> dict[str, Any]:
    async with installation(actions, max_actions=actions) as folder:
        alone = await _play(folder, 1, actions)
        together = await _play(folder, runs, actions)
    shape = Shape({topic: alone.sizes[topic] for topic in HOPS}, "outcome", READERS)
    floor = _latencies((await _bare(shape, 1, actions)).done)
    floor_together = await _bare(shape, runs, actions)
    bare = _latencies((await _bare(BARE, 1, actions)).done)
    bare_together = await _bare(BARE, 1, actions * runs, min(BARE_IN_FLIGHT, actions))
    latencies = _latencies(alone.done)
    per_s, floor_per_s = _steady_rate(together.done), _steady_rate(floor_together.done)
    p50, floor_p50 = quantile(latencies, 0.5), quantile(floor, 0.5)
    cpu, floor_cpu = sum(together.cpu.values()), sum(floor_together.cpu.values())
    return {
        "p50_ms": p50,
        "p99_ms": quantile(latencies, 0.99),
        "per_s": per_s,
        "floor_p50_ms": floor_p50,
        "floor_per_s": floor_per_s,
        "ratio_p50": p50 / floor_p50,
        "ratio_per_s": per_s / floor_per_s,
        "cpu_ms_per_action": cpu,
        "floor_cpu_ms_per_action": floor_cpu,
        "ratio_cpu": cpu / floor_cpu,
        "cpu_ms_per_action_by_part": _rounded(together.cpu),
        "floor_cpu_ms_per_action_by_part": _rounded(floor_together.cpu),
        "bare_p50_ms": quantile(bare, 0.5),
        "bare_per_s": _steady_rate(bare_together.done),
    }


async def _play(folder: DataFolder, runs: int, actions: int) -> Played:
    """Every action of `runs` runs asked for at once."""
    async with session(folder.root, Role.REP) as opened:
        before = cpu_by_part(below(os.getpid()))
        names = set()
        for _ in range(runs):
            intent = Intent(summary="measure")
            tools = ("files.read",)
            names.add(await request_run(opened, "reader", intent, tools, 600, actions, None))
        seen = await _watch(opened.client, ".run", names, _is_over)
        used = _used(before, cpu_by_part(below(os.getpid())), runs * actions)
    return Played(_acted(seen, names), _sizes(seen), used)


async def _bare(shape: Shape, runs: int, actions: int, in_flight: int = 1) -> Played:
    """The hops of as many actions, with nothing in them."""
    last = f".{list(shape.sizes)[-1]}"
    async with bare_bus() as bus:
        user = bus.user(Role.REP, "reader")
        client = await connect(bus.server.url, user, client_context(bus.tls), name="reader")
        try:
            before: dict[str, float] = {}
            async with hops(bus, shape, runs=runs, actions=actions, in_flight=in_flight):
                before = cpu_by_part(below(os.getpid()))
                left = {f"run-{number}": actions for number in range(runs)}

                def is_over(entry: Seen) -> bool:
                    left[_run_of(entry)] -= 1
                    return left[_run_of(entry)] == 0

                seen = await _watch(client, last, set(left), is_over)
                used = _used(before, cpu_by_part(below(os.getpid())), runs * actions)
        finally:
            await disconnect(client)
    receipts = [entry for entry in seen if entry.subject.endswith(last)]
    done = [
        Done(_run_of(entry), int.from_bytes(entry.body[:8], "big") / 1e9, entry.at)
        for entry in receipts
    ]
    return Played(done, dict(shape.sizes), used)


async def _watch(client: Client, topic: str, runs: set[str], is_over: Any) -> list[Seen]:
    """All entries until each of `runs` is over; `is_over` is asked of those on `topic`."""
    seen: list[Seen] = []
    left = set(runs)
    found = follow(client, stream="LEDGER", filter_subject=None, consumer="rep", throwaway=True)
    try:
        async with asyncio.timeout(_PATIENCE_S):
            async for item in found:
                if isinstance(item, CaughtUp):
                    continue
                entry = Seen(item.subject, item.body, time.time())
                seen.append(entry)
                if item.subject.endswith(topic) and _run_of(entry) in left and is_over(entry):
                    left.discard(_run_of(entry))
                    if not left:
                        return seen
    finally:
        await found.aclose()
    raise RuntimeError("the ledger ended before the runs did")


def _is_over(entry: Seen) -> bool:
    body = decode_event(decode_envelope(entry.body).payload).body
    if not isinstance(body, RunCompleted):
        return False
    assert body.outcome is RunOutcome.SUCCESS, body.reason
    return True


def _acted(seen: list[Seen], runs: set[str]) -> list[Done]:
    """Each action of `runs`, from the entries."""
    proposed: dict[bytes, float] = {}
    finished: dict[bytes, bytes] = {}
    found: list[Done] = []
    for entry in seen:
        if _run_of(entry) not in runs:
            continue
        payload = decode_envelope(entry.body).payload
        event = decode_event(payload)
        if isinstance(event.body, ProposalMade):
            proposed[event_digest(payload)] = event.at / 1e9
        elif isinstance(event.body, ActionFinished):
            finished[event_digest(payload)] = event.body.proposal
        elif isinstance(event.body, ReceiptIssued):
            at = proposed[finished[event.causes[0]]]
            found.append(Done(event.run or "", at, entry.at))
    return found


def _sizes(seen: list[Seen]) -> dict[str, int]:
    """How long the messages of each topic are, at the median."""
    by_topic: dict[str, list[int]] = {}
    for entry in seen:
        by_topic.setdefault(entry.subject.rpartition(".")[2], []).append(len(entry.body))
    return {topic: int(median(sizes)) for topic, sizes in by_topic.items()}


def _run_of(entry: Seen) -> str:
    words = entry.subject.split(".")
    return words[3] if words[2] == "run" else ""


def _used(before: dict[str, float], after: dict[str, float], actions: int) -> dict[str, float]:
    return {part: (s - before.get(part, 0.0)) * 1_000 / actions for part, s in after.items()}


def _rounded(cpu: dict[str, float]) -> dict[str, float]:
    return {part: round(used, 2) for part, used in sorted(cpu.items())}


def _latencies(done: list[Done]) -> list[float]:
    return [(action.receipted - action.proposed) * 1_000 for action in done]


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
