"""A workspace of many events over its epochs: started, verified and served.

The ledger is that of a real installation: written to its nats-server under its own keys by tellers
in processes of their own, sealed each 1,000 entries, its epoch turned as `anyteam epoch turn` does.
Only while it is written the server may lose acknowledged writes with the machine (`sync_interval`
of a minute), since that is not what is measured. It is exported and verified as an auditor would.
Then bus, sidecar, orchestrator, supervisor and console start on it, first from its beginning, and
again from their snapshots.

With `--home` what was done is noted (`bench.noted`), and a second call goes on from there.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import httpx
import uvloop
from msgspec import Struct

from bench.house import quantile
from bench.living import watching
from bench.noted import Noted, Notes
from bench.written import write
from bus.component import connect_as
from bus.connection import disconnect
from bus.consume import end_of_ledger
from bus.eventloop import quiet_tls_close
from bus.folder import DataFolder
from console.supervisor import Supervisor
from console.taking import take_whole
from schemas.access import AccessRole
from schemas.names import Role
from tests.people import Visitor, invited

ADDRESS: Final = "ada@acme.example"
COMPONENTS: Final = ("sidecar", "orchestrator", "supervisor", "console")
SERVED: Final = 100
PATIENCE_S: Final = 120.0
_PEAKS: Final = ("peak_from_nothing_mb", "peak_started_mb", "peak_verifying_mb")

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
    """`events`, `started_s`, `verified_per_s`, `served_ms`, `peak_mb`, and their parts.

    In `options.home` each stage is noted, and what is done is not done again; up to
    `options.stage`, of `STAGES`. Raises `NotThese` where the folder is another benchmark's.
    """
    quiet_tls_close()
    with contextlib.ExitStack() as cleanup:
        if options.home is None:
            prefix = "anyteam-bench-"
            home = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix=prefix)))
        else:
            home = options.home.resolve()
            home.mkdir(mode=0o700, parents=True, exist_ok=True)
        notes = Notes(home, options.events)
        uvloop.run(_measure(home, notes, options.stage or STAGES[-1]))
    return figures(notes.noted)


async def _measure(home: Path, notes: Notes, last: str) -> None:
    for stage in STAGES[: STAGES.index(last) + 1]:
        if stage not in notes.noted.done:
            notes.note_done(stage, await _DOING[stage](home, notes))


def figures(noted: Noted) -> dict[str, Any]:
    """All that was measured so far; the sums over stages where there is anything to sum."""
    found: dict[str, Any] = {}
    for stage in STAGES:
        found |= noted.done.get(stage, {})
    peaks = [value for name, value in found.items() if name in _PEAKS]
    return found | ({"peak_mb": max(peaks)} if peaks else {})


async def _written(home: Path, notes: Notes) -> dict[str, Any]:
    folder = DataFolder(home / "data")
    _prepare(folder)
    async with _up(folder, bus_only=True):
        if not notes.noted.written.size:
            await invited(folder, ADDRESS, AccessRole.ADMIN, "ada")
        epochs = await write(folder, notes.noted.events, notes)
    folder.settings_file.write_text(_SETTINGS.format(sync="always"))
    size = notes.noted.written
    return {"events": size.size, "epochs": epochs, "written_s": size.seconds}


async def _from_nothing(home: Path, notes: Notes) -> dict[str, Any]:
    folder = DataFolder(home / "data")
    # Of a start that was cut off some may have a snapshot.
    for name in COMPONENTS:
        folder.snapshot(name).unlink(missing_ok=True)
    start = await _started(folder, kept=False)
    return {
        "started_from_nothing_s": start.seconds,
        "peak_from_nothing_mb": start.peak_mb,
        "peak_by_part_from_nothing_mb": start.parts,
        "cpu_by_part_from_nothing_s": start.cpu,
    }


async def _again(home: Path, notes: Notes) -> dict[str, Any]:
    start = await _started(DataFolder(home / "data"), kept=True)
    return {
        "started_s": start.seconds,
        "served_ms": quantile(start.proofs, 0.5),
        "served_p99_ms": quantile(start.proofs, 0.99),
        "page_ms": quantile(start.pages, 0.5),
        "peak_started_mb": start.peak_mb,
        "peak_by_part_mb": start.parts,
    }


async def _exported(home: Path, notes: Notes) -> dict[str, Any]:
    folder = DataFolder(home / "data")
    for draft in home.glob(".export.*"):
        shutil.rmtree(draft)
    shutil.rmtree(home / "export", ignore_errors=True)
    async with _up(folder, bus_only=True):
        began, cpu = time.monotonic(), time.process_time()
        manifest = await take_whole(folder.root, home / "export")
        seconds, cpu = time.monotonic() - began, time.process_time() - cpu
    return {"events": manifest.size, "export_s": seconds, "export_cpu_s": cpu}


async def _verifying(home: Path, notes: Notes) -> dict[str, Any]:
    verified = await _verified(home / "export", DataFolder(home / "data"))
    return {
        "verified_per_s": verified["entries"] / verified["seconds"],
        "peak_verifying_mb": verified["peak_mb"],
    }


Doing = Callable[[Path, Notes], Awaitable[dict[str, Any]]]
_DOING: Final[dict[str, Doing]] = {
    "written": _written,
    "exported": _exported,
    "verified": _verifying,
    "from-nothing": _from_nothing,
    "started": _again,
}
STAGES: Final = tuple(_DOING)


class _Start(Struct, frozen=True):
    """A start: seconds until all serve, ms for each proof and page, the most memory, in MB, and the
    seconds of CPU until then.
    """

    seconds: float
    proofs: list[float]
    pages: list[float]
    peak_mb: float
    parts: dict[str, float]
    cpu: dict[str, float]


def _prepare(folder: DataFolder) -> None:
    (folder.root / "files").mkdir(parents=True, exist_ok=True)
    (folder.root / "writer.json").write_text('{"steps": []}')
    folder.settings_file.write_text(_SETTINGS.format(sync="1m"))


@contextlib.asynccontextmanager
async def _up(folder: DataFolder, *, bus_only: bool = False) -> AsyncIterator[Supervisor]:
    supervisor = Supervisor(folder, lambda text: None, bus_only=bus_only)
    try:
        await supervisor.up()
        yield supervisor
    finally:
        await supervisor.down()


async def _started(folder: DataFolder, *, kept: bool) -> _Start:
    """Start all of it, look at proofs and pages, and end it; where nothing was `kept` before, once
    the components have snapshots of all of it.
    """
    supervisor = Supervisor(folder, lambda text: None)
    try:
        async with watching(supervisor) as peaks:
            began = time.monotonic()
            await supervisor.up()
            seconds, ready = time.monotonic() - began, time.time()
            cpu = {name: _cpu_s(supervisor.pid_of(name)) for name in COMPONENTS}
            size = await _size(folder)
            async with Visitor(folder) as visitor:
                await visitor.sign_in(ADDRESS)
                proofs, pages = await _served(visitor, size)
            if not kept:
                await _snapshots_after(folder, ready)
            parts = {name: _resident_mb(supervisor.pid_of(name)) for name in COMPONENTS}
        return _Start(seconds, proofs, pages, peaks.megabytes, parts, cpu)
    except Exception as error:
        error.add_note(folder.log("console").read_text()[-2_000:])
        raise
    finally:
        await supervisor.down()


async def _snapshots_after(folder: DataFolder, ready: float) -> None:
    """Wait for those taken after `ready` (s since 1970); in vain where one from the way there is so
    near to the end that none is due.
    """
    files = [folder.snapshot(name) for name in COMPONENTS]
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE_S):
            while not all(file.exists() and file.stat().st_mtime > ready for file in files):
                await asyncio.sleep(0.2)


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


def _cpu_s(process: int) -> float:
    """Seconds of CPU that a process had so far."""
    user, system = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


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
    try:
        out, _ = await process.communicate(b"go\n")
    finally:
        # Where this is ended in the middle, nobody reads what would come of it.
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    found: dict[str, float] = json.loads(out.splitlines()[-1])
    return found
