"""A gated action on a real installation, or its bare hops: played, looked on at, and its figures.

One reader looks on, the same on both sides, and takes nothing apart meanwhile. Latency is from the
proposal's own time to its receipt being read back from the ledger.
"""

import asyncio
import os
import time
from statistics import median
from typing import Any, Final

from msgspec import Struct

from bench.floor import Shape, hops
from bench.house import bare_bus
from bench.living import cpu_by_part
from bus.client import Client
from bus.connection import connect, disconnect
from bus.consume import CaughtUp, follow
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

_HOPS: Final = ("proposal", "verdict", "action", "outcome", "receipt")
_READERS: Final = (Role.ORCHESTRATOR, Role.SUPERVISOR)
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


async def play(folder: DataFolder, runs: int, actions: int) -> Played:
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


async def play_bare(shape: Shape, runs: int, actions: int, in_flight: int = 1) -> Played:
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


def shape_of(played: Played) -> Shape:
    """The hops that are the floor of what was played."""
    return Shape({topic: played.sizes[topic] for topic in _HOPS}, "outcome", _READERS)


def latencies(done: list[Done]) -> list[float]:
    """Of each action, in ms."""
    return [(action.receipted - action.proposed) * 1_000 for action in done]


def steady_rate(done: list[Done]) -> float:
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
