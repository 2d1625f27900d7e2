"""Exports made from the console: `anyteam export`, run beside it, and kept until they are fetched.

The command is a process of its own: a million entries take minutes, and a halt must not wait for
them. Content stays sealed. One at a time; what is not fetched within an hour is deleted, and all of
it when the console ends.
"""

import asyncio
import contextlib
import shutil
import sys
import tarfile
import time
from pathlib import Path
from typing import Final

from msgspec import Struct

from bus.folder import DataFolder
from bus.lifeline import guarded
from console.web.errors import Outdated

KEPT_S: Final = 3_600
CHUNK: Final = 1 << 20


class Job(Struct):
    """One export. `by` is the account, `signed_by` whose key signs it, empty for nobody's; `file`
    is there once it is done, and `problem` where it was not. Times are ns since the epoch.
    """

    by: str
    signed_by: str
    begun: int
    done: int = 0
    file: Path | None = None
    bytes: int = 0
    problem: str = ""

    @property
    def state(self) -> str:
        """In one word, for a label."""
        if self.problem:
            return "failed"
        return "ready" if self.file is not None else "under way"


class Exports:
    """See the module's docstring. `room` is a folder of the console's own."""

    def __init__(self, folder: DataFolder, room: Path) -> None:
        self._folder = folder
        self._room = room
        self._work: asyncio.Task[None] | None = None
        self.job: Job | None = None
        shutil.rmtree(room, ignore_errors=True)

    def start(self, by: str, signed_by: str) -> Job:
        """Begin one. Raises `Outdated` where one is under way."""
        self._tidy()
        if self.job is not None and self.job.state == "under way":
            raise Outdated("an export is under way", fix="fetch that one when it is done")
        self._clear()
        self.job = Job(by, signed_by, time.time_ns())
        self._work = asyncio.create_task(self._make(self.job))
        return self.job

    def last(self) -> Job | None:
        """The last one, unless it was kept long enough."""
        self._tidy()
        return self.job

    def fetched(self) -> Path:
        """The file of the last one. Raises `Outdated` where there is none, or none any more."""
        job = self.last()
        if job is None or job.file is None:
            raise Outdated("no export is ready", fix="make one, and wait until it is")
        return job.file

    async def close(self) -> None:
        """End what is under way, and delete what was made."""
        if self._work is not None:
            self._work.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._work
        self._clear()

    async def _make(self, job: Job) -> None:
        name = f"ledger-{self._folder.settings().workspace}-{job.begun // 1_000_000_000}"
        out = self._room.resolve() / name
        self._room.mkdir(mode=0o700, parents=True)
        whose = ["--as", job.signed_by] if job.signed_by else ["--unsigned"]
        words = ["export", str(out), "--data", str(self._folder.root.resolve()), *whose]
        child = await asyncio.create_subprocess_exec(
            *guarded([sys.executable, "-m", "console.main", *words]),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            assert child.stderr is not None
            said = await child.stderr.read()
            code = await child.wait()
        except asyncio.CancelledError:
            # Its guardian ends it: the pipe that it holds is closed with us.
            assert child.stdin is not None
            child.stdin.close()
            await child.wait()
            raise
        if code != 0:
            job.problem = said.decode("utf-8", "replace").strip()[:500] or f"it ended with {code}"
            return
        file = out.with_name(f"{name}.tar")
        await asyncio.to_thread(_pack, out, file)
        job.bytes, job.done, job.file = file.stat().st_size, time.time_ns(), file

    def _tidy(self) -> None:
        job = self.job
        if job is not None and job.done and time.time_ns() - job.done > KEPT_S * 1_000_000_000:
            self._clear()

    def _clear(self) -> None:
        self.job = None
        shutil.rmtree(self._room, ignore_errors=True)


def _pack(folder: Path, file: Path) -> None:
    with tarfile.open(file, "x") as packed:
        packed.add(folder, folder.name)
    shutil.rmtree(folder)
