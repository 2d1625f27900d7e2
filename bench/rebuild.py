"""Rebuilding the PostgreSQL projection from nothing, beside a bare COPY of the very same rows.

Ours is all of it: each entry verified once, decoded, folded into rows, written together with the
position. The floor copies what came of it, already in COPY's own text, into
tables with the same keys and indexes and no row security. Reading the stream is in neither.
"""

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from ledger.export import ExportedEntry
from projections.ahead import rebuild
from projections.postgres.generations import prepare, provisioner
from projections.postgres.login import LEDGER_DATABASE, Login
from projections.postgres.provision import NEXT, provision
from projections.postgres.server import SUPERUSER, PostgresServer
from projections.postgres.standing import metadata
from projections.postgres.writer import PostgresStore
from schemas.actions import LayerOutcome, LayerResult
from tests.stories import SignedLedger, Story

WORKSPACE = "bench"
_SECRET = "only for this run"  # noqa: S105 - of a server that lives as long as this measurement
_LAYERS = tuple(
    LayerOutcome(layer=n, name=f"layer-{n}", result=LayerResult.PASS, evidence="as it should be")
    for n in range(1, 15)
)


def measure(options: argparse.Namespace) -> dict[str, float]:
    """`per_s`, `floor_per_s`, `ratio`: rows a second; `events_per_s`: entries a second."""
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
            await asyncio.to_thread(provision, server.port, _SECRET, WORKSPACE, passwords)
            await asyncio.to_thread(prepare, server.port, _SECRET)
            took = await _rebuild(ledger, server.port)
            rows, floor = await asyncio.to_thread(_floor, server.port)
        finally:
            await server.stop()
    ours, bare = rows / took, rows / floor
    return {
        "per_s": ours,
        "floor_per_s": bare,
        "ratio": ours / bare,
        "events_per_s": len(ledger.entries) / took,
        "rows": rows,
    }


async def _rebuild(ledger: SignedLedger, port: int) -> float:
    """Seconds from an empty schema to the last entry."""
    started = time.perf_counter()
    store = PostgresStore(provisioner(port, _SECRET), WORKSPACE, schema=NEXT, direct=True)
    try:
        cores = os.cpu_count() or 1
        await rebuild(ledger.workspace, ledger.root_public, _found(ledger), store, cores=cores)
    finally:
        store.close()
    return time.perf_counter() - started


async def _found(ledger: SignedLedger) -> AsyncIterator[ExportedEntry]:
    for entry in ledger.entries:
        yield entry


def _floor(port: int) -> tuple[int, float]:
    """(rows, seconds to copy them in)."""
    login = Login(port, LEDGER_DATABASE, SUPERUSER, _SECRET)
    with psycopg.connect(login.conninfo(), autocommit=True) as connection:
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
        started = time.perf_counter()
        with connection.transaction(), connection.cursor() as cursor:
            for name, blocks in copies.items():
                into = sql.SQL("COPY {} FROM STDIN").format(sql.Identifier("floor", name))
                with cursor.copy(into) as copy:
                    for block in blocks:
                        copy.write(block)
        return rows, time.perf_counter() - started


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
