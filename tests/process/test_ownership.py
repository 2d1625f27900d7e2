"""One process owns the work; another takes over when it dies, or is silent and killed for it."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

OWNER = """
import asyncio, logging, sys
from pathlib import Path
from bus.ownership import as_owner
logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(message)s")
async def work():
    print("mine", flush=True)
    await asyncio.get_running_loop().create_future()
asyncio.run(as_owner(Path(sys.argv[1]), work, silent_s=float(sys.argv[2])))
"""
DEADLINE_S = 60.0


@contextlib.asynccontextmanager
async def instance(lock: Path, silent_s: float) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", OWNER, str(lock), str(silent_s)), stdout=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(DEADLINE_S):
            yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def said(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    return (await process.stdout.readline()).decode().strip()


async def test_a_standby_takes_over_when_the_owner_is_killed(tmp_path: Path) -> None:
    lock = tmp_path / "sidecar.lock"
    async with instance(lock, 3_600) as first:
        assert await said(first) == "mine"
        async with instance(lock, 3_600) as second:
            assert await said(second) == f"stands by: process {first.pid} owns sidecar.lock"
            first.kill()
            assert await said(second) == "mine"


async def test_an_owner_that_is_stopped_is_killed_and_cannot_come_back(tmp_path: Path) -> None:
    lock = tmp_path / "sidecar.lock"
    async with instance(lock, 3_600) as first:
        assert await said(first) == "mine"
        os.kill(first.pid, signal.SIGSTOP)
        async with instance(lock, 0.5) as second:
            assert (await said(second)).startswith("stands by")
            assert "is silent" in await said(second)
            assert await said(second) == "mine"
            assert await first.wait() == -signal.SIGKILL
