"""Rebuilding the PostgreSQL projection from nothing, beside a bare COPY of the very same rows.

Ours is all of it: each entry verified once, decoded, folded into rows, written together with the
position. The floor copies what came of it, already in COPY's own text, into
tables with the same keys and indexes and no row security. Reading the stream is in neither.
"""

import argparse
import asyncio
import contextlib
import os
import resource
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psycopg
from msgspec import Struct
from psycopg import sql

from ledger.export import ExportedEntry
from projections.ahead import rebuild
from projections.postgres.embedded import superuser
from projections.postgres.generations import prepare
from projections.postgres.provision import NEXT, provision
from projections.postgres.server import PostgresServer
from projections.postgres.standing import metadata
from projections.postgres.writer import PostgresStore
from schemas.actions import LayerOutcome, LayerResult
from tests.stories import SignedLedger, Story

WORKSPACE = "bench"
ROUNDS, SMALL = 3, 20_000
_SECRET = "only for this run"  # noqa: S105 - of a server that lives as long as this measurement
_LAYERS = tuple(
    LayerOutcome(layer=n, name=f"layer-{n}", result=LayerResult.PASS, evidence="as it should be")
    for n in range(1, 15)
)


def measure(options: argparse.Namespace) -> dict[str, float]:
    """`per_s`, `floor_per_s`, `ratio`: rows a second; `events_per_s`: entries a second.

    A small ledger is rebuilt several times, the floor after each; what is given is the round whose
    ratio is the median. `ratio_cpu` compares processor time, of all processes, instead of the
    clock: on one core, or beside other work, the ratio comes near it.
    """
    return asyncio.run(_measure(options.events))


async def _measure(events: int) -> dict[str, float]:
    ledger = _ledger(events)
    with tempfile.TemporaryDirectory(prefix="anyteam-bench-") as home:
        folder = Path(home)
        server = await PostgresServer.start(
            folder / "data", password=_SECRET, log=folder / "postgres.log"
        )
        try:
            passwords = {"projector": _SECRET}
            admin = superuser(server.port, _SECRET)
            await asyncio.to_thread(provision, admin, WORKSPACE, passwords)
            rounds = []
            for _ in range(ROUNDS if events <= SMALL else 1):
                await asyncio.to_thread(prepare, admin)
                ours = await _rebuild(ledger, server, folder / "data")
                rows, floor = await asyncio.to_thread(_floor, server, folder / "data")
                rounds.append((ours, rows, floor))
        finally:
            await server.stop()
    ours, rows, floor = sorted(rounds, key=lambda one: one[2].seconds / one[0].seconds)[
        len(rounds) // 2
    ]
    return {
        "per_s": rows / ours.seconds,
        "floor_per_s": rows / floor.seconds,
        "ratio": floor.seconds / ours.seconds,
        "ratio_cpu": floor.cpu_s / ours.cpu_s,
        "events_per_s": len(ledger.entries) / ours.seconds,
        "rows": rows,
        "rounds": len(rounds),
    }


class _Took(Struct, frozen=True):
    """What something took: seconds of the clock, and processor time of every process in it."""

    seconds: float
    cpu_s: float


class _Watch:
    """Takes the time from now on, of this process, its helpers and the server on `data`."""

    def __init__(self, data: Path) -> None:
        self._data = data.resolve()
        self._cpu = self._now()
        self._started = time.perf_counter()

    def took(self) -> _Took:
        return _Took(time.perf_counter() - self._started, self._now() - self._cpu)

    def _now(self) -> float:
        helpers = resource.getrusage(resource.RUSAGE_CHILDREN)
        return time.process_time() + helpers.ru_utime + helpers.ru_stime + self._served()

    def _served(self) -> float:
        """Of the server's processes that are there now."""
        served = 0
        for process in Path("/proc").glob("[0-9]*"):
            # It may be gone by now, or be none of ours to look into.
            with contextlib.suppress(OSError):
                if (process / "cwd").resolve() == self._data:
                    served += int((process / "schedstat").read_text().split()[0])
        return served / 1e9


async def _rebuild(ledger: SignedLedger, server: PostgresServer, data: Path) -> _Took:
    """From an empty schema to the last entry."""
    watch = _Watch(data)
    admin = superuser(server.port, _SECRET)
    store = PostgresStore(admin, WORKSPACE, schema=NEXT, direct=True)
    try:
        cores = os.cpu_count() or 1
        await rebuild(ledger.workspace, ledger.root_public, _found(ledger), store, cores=cores)
        return watch.took()
    finally:
        store.close()


async def _found(ledger: SignedLedger) -> AsyncIterator[ExportedEntry]:
    for entry in ledger.entries:
        yield entry


def _floor(server: PostgresServer, data: Path) -> tuple[int, _Took]:
    """(rows, what it took to copy them in)."""
    admin = superuser(server.port, _SECRET)
    with psycopg.connect(admin.conninfo(), autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS floor CASCADE")
        connection.execute("CREATE SCHEMA floor")
        connection.execute("SET synchronous_commit = off")
        copies: dict[str, list[bytes]] = {}
        rows = 0
        for name in metadata.tables:
            source, target = sql.Identifier(NEXT, name), sql.Identifier("floor", name)
            like = sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING ALL)")
            connection.execute(like.format(target, source))
            with connection.cursor() as cursor:
                with cursor.copy(sql.SQL("COPY {} TO STDOUT").format(source)) as out:
                    copies[name] = [bytes(block) for block in out]
                rows += cursor.rowcount
        watch = _Watch(data)
        with connection.transaction(), connection.cursor() as cursor:
            for name, blocks in copies.items():
                into = sql.SQL("COPY {} FROM STDIN").format(sql.Identifier("floor", name))
                with cursor.copy(into) as copy:
                    for block in blocks:
                        copy.write(block)
        return rows, watch.took()


def _ledger(events: int) -> SignedLedger:
    """At least `events` entries of runs of ten actions, each with its 14 layers."""
    story = Story(WORKSPACE)
    story.found()
    number = 0
    while len(story.entries) < events:
        number += 1
        run = story.begin(f"r-{number}")
        receipts: list[Any] = []
        for _ in range(10):
            proposal = run.propose()
            run.give(proposal)
            action = run.start(proposal, layers=_LAYERS)
            receipts.append(run.receipt(action, run.finish(action)))
        run.complete(*receipts)
    return story.ledger()
