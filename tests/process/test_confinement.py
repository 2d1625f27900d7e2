"""Real processes within their walls, and runs whose machine lacks one."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import uvloop

from agents.cell import LOG_BYTES, RunProcess
from agents.errors import NotConfined
from bus.boot import RunBoot
from bus.confinement import Cell
from bus.confinement.files import code_paths, unreadable_to_others
from bus.folder import DataFolder
from bus.tls import RunsAuthority
from crypto.signing import Signer
from schemas.confinement import NAMED, Confinement, Wall
from schemas.names import Role
from schemas.runs import LeaseRenewed, RunCompleted, RunOutcome, RunStarted
from schemas.settings import SandboxSettings
from tests.faults.installation import ROOT, ask, is_a, is_end, prepared, until, up
from tests.process.conftest import start_bus

PRELUDE = """\
import os, sys, msgspec, bus.confined
from bus.confinement import Cell, confine, cut_off
from bus.confinement.limits import become_nobody
cell = Cell(port=4222, hidden="/nonexistent", memory_mb=1024, cpu_s=600)
def told(value):
    sys.stdout.buffer.write(msgspec.json.encode(value) + b"\\n")
    sys.stdout.buffer.flush()
"""


def within(code: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-I", "-c", PRELUDE + code], capture_output=True, check=False, timeout=60
    )


def confinement(process: subprocess.CompletedProcess[bytes]) -> Confinement:
    assert process.stdout, process.stderr.decode()
    return msgspec.json.decode(process.stdout.splitlines()[0], type=Confinement)


@pytest.mark.skipif(
    os.geteuid() == 0 and unreadable_to_others(code_paths(sys.modules)) is not None,
    reason="no other user can read this interpreter",
)
def test_an_ordinary_user_has_every_wall_but_a_user_of_its_own() -> None:
    ordinary = "os.setgroups([]); os.setresgid(65534, 65534, 65534)\n"
    ordinary += "os.setresuid(65534, 65534, 65534)\n"
    process = within((ordinary if os.geteuid() == 0 else "") + "told(confine(cell))")
    said = confinement(process)
    assert said.absent.get(Wall.USER, "").startswith("only root")
    absent_for_another_reason = set(said.absent) - {Wall.USER}
    if absent_for_another_reason:
        pytest.skip(f"this kernel allows no {absent_for_another_reason}")
    assert set(said.in_force) == set(NAMED)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives another user")
def test_root_gives_each_process_a_user_that_no_other_has() -> None:
    code = (
        "told([os.getpid(), become_nobody(None), os.getresuid(), os.getresgid(), os.getgroups()])"
    )
    pid, problem, users, groups, others = msgspec.json.decode(within(code).stdout)
    if problem:
        pytest.skip(problem)
    assert users == groups == [1_950_000_000 + pid] * 3
    assert others == []


def test_what_the_kernel_says_of_a_confined_process_agrees_with_what_it_says_itself() -> None:
    code = "told(confine(cell))\nsys.stdin.read()"
    process = subprocess.Popen(
        [sys.executable, "-I", "-c", PRELUDE + code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        said = msgspec.json.decode(process.stdout.readline(), type=Confinement)
        status = Path(f"/proc/{process.pid}/status").read_text()
        kept = dict(line.split(":\t", 1) for line in status.splitlines())
    finally:
        process.stdin.close()
        process.stdout.close()
        process.wait()
    assert kept["NoNewPrivs"] == "1"
    assert {kept[name] for name in ("CapEff", "CapPrm", "CapInh", "CapAmb")} == {"0" * 16}
    assert kept["Seccomp"] == ("2" if Wall.SYSCALLS in said.in_force else "0")


def test_a_call_of_a_foreign_architecture_ends_the_process() -> None:
    if os.uname().machine != "x86_64":
        pytest.skip("x32 is x86's")
    code = "import ctypes\ntold(confine(cell))\nctypes.CDLL(None).syscall(0x40000000 + 39)\ntold(1)"
    process = within(code)
    if Wall.SYSCALLS not in confinement(process).in_force:
        pytest.skip("seccomp is not to be had here")
    assert process.returncode == -signal.SIGSYS


def test_a_process_with_a_second_thread_does_not_claim_to_be_confined() -> None:
    code = "import threading\nheld = threading.Event()\n"
    code += "threading.Thread(target=held.wait, daemon=True).start()\ntold(confine(cell))"
    process = within(code)
    assert process.returncode != 0
    assert b"another thread" in process.stderr


def test_code_that_was_not_imported_before_can_still_be_imported() -> None:
    process = within("assert 'colorsys' not in sys.modules\ntold(confine(cell))\nimport colorsys")
    assert process.returncode == 0, process.stderr.decode()


async def test_a_process_cannot_fill_the_disk_with_its_log(tmp_path: Path) -> None:
    log = tmp_path / "run.log"
    process = await RunProcess.start(("tests.process.loud",), log)
    await process.wait()
    await process.end()
    assert process.code == 0
    assert LOG_BYTES < log.stat().st_size < LOG_BYTES + 200
    assert log.stat().st_mode & 0o777 == 0o600


async def test_a_process_that_loses_the_bus_ends(tmp_path: Path) -> None:
    bus = await start_bus(tmp_path / "home")
    now = datetime.now(UTC)
    role, run = Role.JUDGE, "run-a"
    ends = now + timedelta(minutes=5)
    user = bus.acme.mint(role, run, now=int(now.timestamp()), expires=int(ends.timestamp()))
    boot = RunBoot(
        url=bus.server.url,
        tls=RunsAuthority(bus.tls).mint(ends),
        workspace="acme",
        run=run,
        role=role,
        instance="judge-1",
        root=Signer.from_seed(bytes(32)).public,
        event_seed=bytes(32),
        exchange_seed=bytes(32),
        user_jwt=user.jwt,
        user_seed=user.seed,
        user_public=user.public,
        admin=(),
    )
    log = tmp_path / "run.log"
    process = await RunProcess.start(("judge",), log)
    try:
        cell = Cell(port=bus.server.port, hidden=str(bus.home), memory_mb=1024, cpu_s=600)
        await process.confine(cell, SandboxSettings(), "judge-1")
        up = await process.boot(boot)
        await bus.server.stop()
        async with asyncio.timeout(20):
            await process.wait()
    finally:
        await process.end()
    assert up, log.read_text()
    assert process.code not in (0, None)
    assert "opens no second connection" in log.read_text()


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_a_process_that_was_ended_meanwhile_is_told_nothing_more(
    tmp_path: Path, run: Callable[[Any], None]
) -> None:
    # The loops differ in what a write to a closed pipe is.
    async def ended() -> None:
        process = await RunProcess.start(("judge",), tmp_path / "run.log")
        await process.end()
        cell = Cell(port=4222, hidden="/nonexistent", memory_mb=1024, cpu_s=600)
        with pytest.raises(NotConfined, match="did not say"):
            await process.confine(cell, SandboxSettings(), "judge-1")

    run(ended())


def with_walls(folder: DataFolder, text: str) -> None:
    with folder.settings_file.open("a") as file:
        file.write(text)


async def test_a_wall_that_is_required_and_missing_keeps_the_run_from_starting(
    tmp_path: Path,
) -> None:
    folder = prepared(tmp_path / "home")
    with_walls(folder, '[sandbox]\nrequired = true\nwalls = ["files", "user"]\n')
    async with up(folder):
        run = await ask(folder, "writer", "files.write")
        entries = await until(folder, run, is_end)
    bodies = [entry.event.body for entry in entries]
    if any(isinstance(body, RunStarted) for body in bodies):
        pytest.skip("this machine gives every process a user of its own")
    end = bodies[-1]
    assert isinstance(end, RunCompleted)
    assert end.outcome is RunOutcome.CRASHED
    assert "without user (" in end.reason
    assert "sandbox.required" in end.reason
    assert not any(isinstance(body, LeaseRenewed) for body in bodies), "another try cannot help"


async def test_a_wall_that_is_missing_is_a_warning_and_the_ledger_says_which_stand(
    tmp_path: Path,
) -> None:
    folder = prepared(tmp_path / "home")
    with_walls(folder, '[sandbox]\nwalls = ["user"]\n')
    async with up(folder):
        run = await ask(folder, "writer", "files.write")
        entries = await until(folder, run, is_end)
    started = next(e.event.body for e in entries if isinstance(e.event.body, RunStarted))
    if Wall.USER in started.confined_by:
        pytest.skip("this machine gives every process a user of its own")
    assert Wall.DESCRIPTORS in started.confined_by
    log = folder.log("orchestrator").read_text()
    for role in ("runtime", "judge"):
        assert f"WARNING run-{run}-{role}-1 runs without these walls: user (" in log


async def test_the_status_shows_the_walls_of_a_live_run(tmp_path: Path) -> None:
    folder = prepared(tmp_path / "home")
    async with up(folder):
        run = await ask(folder, "writer", "files.write", effects=())
        entries = await until(folder, run, is_a(RunStarted))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "console.main", "status", "--data", str(folder.root), "--json"),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
        )
        said, _ = await process.communicate()
    started = entries[-1].event.body
    assert isinstance(started, RunStarted)
    assert msgspec.json.decode(said)["confined_by"] == {run: list(started.confined_by)}
