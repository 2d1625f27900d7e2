"""A workspace of many events over its epochs: started, verified and served.

The ledger is that of a real installation: written to its nats-server under its own keys by tellers
in processes of their own, sealed each 1,000 entries, its epoch turned as `anyteam epoch turn` does.
Only while it is written the server may lose acknowledged writes with the machine (`sync_interval`
of a minute), since that is not what is measured. Then bus, sidecar, orchestrator, supervisor and
console start on it, first from its beginning, and again from their snapshots.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec
import uvloop
from msgspec import Struct

from bench.house import quantile
from bench.living import watching
from bench.telling import EVENTS_A_RUN, Batch
from bus.client import Client
from bus.component import connect_as
from bus.connection import connect, disconnect
from bus.consume import end_of_ledger
from bus.eventloop import quiet_tls_close
from bus.folder import DataFolder
from bus.identity import mint_direct_user
from bus.provision import read_key
from bus.roles import ledger_subject, seals_subject
from bus.tls import TlsFiles, client_context
from console.epochs import site_of, turn
from console.supervisor import Supervisor
from console.taking import take_whole
from console.web.entries import entries
from crypto.keyfile import load_signer
from crypto.kms import open_kms
from ledger.sealer import Sealing
from schemas.access import AccessRole
from schemas.names import SECOND, Role
from tests.people import Visitor, invited

WORKSPACE: Final = "acme"
ADDRESS: Final = "ada@acme.example"
EPOCH: Final = 500_000
TELLERS: Final = 2
RUNS_A_BATCH: Final = 100
SEAL_EVERY: Final = 1_000
SERVED: Final = 100
PATIENCE_S: Final = 600.0
_IN_FLIGHT: Final = 512
_PAST_NS: Final = 2_400 * SECOND
"""The tale lies in the last 40 minutes: keys are certified from an hour ago on."""

_SETTINGS: Final = """\
workspace = "acme"
reps = ["ann"]
admins = ["ada"]
[policy]
tools = ["files.write"]
[connectors.files]
root = "files"
[agents.writer]
planner = "scripted"
plan = "writer.json"
[console]
[bus]
sync = "{sync}"
"""


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """`events`, `started_s`, `verified_per_s`, `served_ms`, `peak_mb`, and their parts."""
    quiet_tls_close()
    return uvloop.run(_measure(options.events))


async def _measure(events: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="anyteam-bench-") as home:
        folder = _prepared(Path(home) / "data")
        began = time.monotonic()
        async with _up(folder, bus_only=True):
            await invited(folder, ADDRESS, AccessRole.ADMIN, "ada")
            epochs = await _write(folder, events)
        written_s = time.monotonic() - began
        folder.settings_file.write_text(_SETTINGS.format(sync="always"))
        first = await _started(folder)
        again = await _started(folder)
        async with _up(folder, bus_only=True):
            began = time.monotonic()
            export = Path(home) / "export"
            manifest = await take_whole(folder.root, export)
            export_s = time.monotonic() - began
        verified = await _verified(export, folder)
        return {
            "events": manifest.size,
            "epochs": epochs,
            "started_s": again.seconds,
            "started_from_nothing_s": first.seconds,
            "verified_per_s": verified["entries"] / verified["seconds"],
            "served_ms": quantile(again.proofs, 0.5),
            "served_p99_ms": quantile(again.proofs, 0.99),
            "page_ms": quantile(again.pages, 0.5),
            "peak_mb": max(first.peak_mb, again.peak_mb, verified["peak_mb"]),
            "peak_started_mb": again.peak_mb,
            "peak_from_nothing_mb": first.peak_mb,
            "peak_verifying_mb": verified["peak_mb"],
            "peak_by_part_mb": again.parts,
            "peak_by_part_from_nothing_mb": first.parts,
            "written_s": written_s,
            "export_s": export_s,
        }


class _Start(Struct, frozen=True):
    """A start: seconds until all serve, ms for each proof and page, and the most memory, in MB."""

    seconds: float
    proofs: list[float]
    pages: list[float]
    peak_mb: float
    parts: dict[str, float]


def _prepared(root: Path) -> DataFolder:
    folder = DataFolder(root)
    (root / "files").mkdir(parents=True)
    (root / "writer.json").write_text('{"steps": []}')
    folder.settings_file.write_text(_SETTINGS.format(sync="1m"))
    return folder


@contextlib.asynccontextmanager
async def _up(folder: DataFolder, *, bus_only: bool = False) -> AsyncIterator[Supervisor]:
    supervisor = Supervisor(folder, lambda text: None, bus_only=bus_only)
    try:
        await supervisor.up()
        yield supervisor
    finally:
        await supervisor.down()


async def _write(folder: DataFolder, events: int) -> int:
    """Write about so many entries and their seals; how many epochs they lie in."""
    now, context = int(time.time()), client_context(TlsFiles(folder.tls))
    ledger = read_key(folder.root / "operator" / WORKSPACE / "ledger.nk")
    subjects = (ledger_subject(WORKSPACE), seals_subject(WORKSPACE))
    writer = mint_direct_user(
        ledger, name="teller", now=now, expires=now + 86_400, publish=subjects
    )
    client = await connect(folder.bus_url(), writer, context, name="teller")
    reader = await connect_as(folder, Role.REP)
    book = _Book(folder, client, reader)
    tellers = [await _teller(folder) for _ in range(TELLERS)]
    try:
        await book.catch_up()
        step = min(SECOND // 1_000, _PAST_NS // (events + EVENTS_A_RUN * RUNS_A_BATCH))
        epochs, until = 1, EPOCH if events > EPOCH else events // 2
        while book.size < events:
            size = min(events, until)
            await _tell(book, tellers, size, step)
            await book.seal()
            if size < events:
                with open_kms(folder.settings().kms, folder.kms, None) as kms:
                    await turn(folder, site_of(folder), kms)
                await book.catch_up()
                epochs, until = epochs + 1, until + (EPOCH if events > EPOCH else events)
    finally:
        for teller in tellers:
            assert teller.stdin is not None
            teller.stdin.close()
            await teller.wait()
        await client.close()
        await disconnect(reader)
    return epochs


async def _tell(
    book: "_Book", tellers: list[asyncio.subprocess.Process], size: int, step: int
) -> None:
    """Have the tellers tell in turn, each a batch ahead of what is written, until `size`."""
    count = EVENTS_A_RUN * RUNS_A_BATCH
    batches = max(1, -(-(size - book.size) // count))
    began = time.time_ns() - _PAST_NS
    asked = 0

    def ask() -> None:
        nonlocal asked
        if asked < batches:
            after = book.base + asked * count
            batch = Batch(after, RUNS_A_BATCH, began + after * step, step)
            stdin = tellers[asked % len(tellers)].stdin
            assert stdin is not None
            stdin.write(msgspec.json.encode(batch) + b"\n")
            asked += 1

    book.base = book.size
    for _ in range(2 * len(tellers)):
        ask()
    for number in range(batches):
        stdout = tellers[number % len(tellers)].stdout
        assert stdout is not None
        length = int.from_bytes(await stdout.readexactly(4), "big")
        told = msgspec.msgpack.decode(
            await stdout.readexactly(length), type=list[tuple[str, bytes]]
        )
        ask()
        await book.write(told)


async def _teller(folder: DataFolder) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.telling", str(folder.root)),
        cwd=Path(__file__).parents[1],
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )


class _Book:
    """The ledger as it is written: in order, acknowledged, and sealed on the way."""

    def __init__(self, folder: DataFolder, client: Client, reader: Client) -> None:
        self.base = 0
        self._client, self._reader = client, reader
        self._signer = load_signer(folder.identity(Role.SIDECAR) / "sealer.key")
        self._sealing = Sealing(WORKSPACE, self._signer.public)
        self._room = asyncio.Semaphore(_IN_FLIGHT)

    @property
    def size(self) -> int:
        """How many entries there are."""
        return self._sealing.size

    async def catch_up(self) -> None:
        """Take in what others wrote."""
        last = await end_of_ledger(self._reader)
        for entry in await entries(self._reader, self.size + 1, last):
            self._sealing.fold(entry.index, entry.subject, entry.body)

    async def write(self, told: list[tuple[str, bytes]]) -> None:
        """Append these."""
        sent = []
        for subject, body in told:
            await self._room.acquire()
            index = self.size + 1
            self._sealing.fold(index, subject, body)
            sent.append(asyncio.ensure_future(self._send(index, subject, body)))
            if index % SEAL_EVERY == 0:
                await self.seal()
        await asyncio.gather(*sent)

    async def seal(self) -> None:
        """Seal all that there is."""
        if self._sealing.size > self._sealing.sealed:
            note = self._sealing.seal(self._signer, time.time_ns())
            await self._acknowledged(seals_subject(WORKSPACE), note.encode())

    async def _send(self, index: int, subject: str, body: bytes) -> None:
        try:
            answer = await self._acknowledged(subject, body)
            assert answer["seq"] == index, (index, answer)
        finally:
            self._room.release()

    async def _acknowledged(self, subject: str, body: bytes) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(
            (await self._client.request(subject, body, timeout=60)).data
        )
        assert "error" not in answer, answer
        return answer


async def _started(folder: DataFolder) -> _Start:
    """Start all of it, look at proofs and pages, and end it once each component has a snapshot."""
    supervisor = Supervisor(folder, lambda text: None)
    components = ("sidecar", "orchestrator", "supervisor", "console")
    try:
        async with watching(supervisor) as peaks:
            began = time.monotonic()
            await supervisor.up()
            seconds = time.monotonic() - began
            size = await _size(folder)
            async with Visitor(folder) as visitor:
                await visitor.sign_in(ADDRESS)
                proofs, pages = await _served(visitor, size)
            async with asyncio.timeout(PATIENCE_S):
                while not all(folder.snapshot(name).exists() for name in components):
                    await asyncio.sleep(0.2)
            parts = {name: _resident_mb(supervisor.pid_of(name)) for name in components}
        return _Start(seconds, proofs, pages, peaks.megabytes, parts)
    except Exception as error:
        error.add_note(folder.log("console").read_text()[-2_000:])
        raise
    finally:
        await supervisor.down()


async def _size(folder: DataFolder) -> int:
    client = await connect_as(folder, Role.REP)
    try:
        return await end_of_ledger(client)
    finally:
        await disconnect(client)


async def _served(visitor: Visitor, size: int) -> tuple[list[float], list[float]]:
    """Milliseconds for each of some proofs, and pages, of entries anywhere in the ledger."""
    chosen = random.Random(size)
    proofs, pages = list[float](), list[float]()
    for _ in range(SERVED):
        index = chosen.randrange(1, size)
        for path, took in ((f"/ledger/{index}/proof", proofs), (f"/ledger/{index}", pages)):
            while True:
                began = time.perf_counter()
                try:
                    answer = await visitor.get(path)
                except httpx.RemoteProtocolError:
                    # A connection that was idle is the server's to close, even as it is used.
                    continue
                if answer.status_code == 200:
                    break
                # The last entry's seal may be a second away.
                assert answer.status_code == 404, answer.text
                await asyncio.sleep(0.1)
            took.append((time.perf_counter() - began) * 1_000)
    return proofs, pages


def _resident_mb(process: int) -> float:
    """The most that a process held, in MB."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


async def _verified(export: Path, folder: DataFolder) -> dict[str, float]:
    """What one verification on every core took: see `bench.verifying`."""
    root = export.parent / "root"
    root.write_bytes(folder.root_public())
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.verifying", "ours", str(export), str(root)),
        str(os.cpu_count() or 1),
        cwd=Path(__file__).parents[1],
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate(b"go\n")
    found: dict[str, float] = json.loads(out.splitlines()[-1])
    return found
