"""One process of a run, from its start to its end, as its parent holds it.

It starts with an empty environment, in a session of its own and in no folder of ours, and
gets the run's secrets only after it has said how it is confined. What it writes to standard
error reaches its log through this process: it can neither reread, rewrite nor fill it.
"""

import asyncio
import logging
import os
import sys
from pathlib import Path
from typing import Final, Protocol

from agents.errors import NotConfined
from bus.boot import RunBoot, encode_line, read_confinement
from bus.confinement import NOTHING, Cell
from bus.errors import BusError
from schemas.confinement import Confinement
from schemas.settings import SandboxSettings

LOG_BYTES: Final = 16 * 1024 * 1024
"""The most that one process may write to its log."""

END_S: Final = 5.0

_CHUNK: Final = 65_536
_LOG: Final = logging.getLogger("anyteam")


class Hosted(Protocol):
    """A process as `asyncio.subprocess.Process` and `agents.nurseries.Child` are one."""

    @property
    def stdin(self) -> asyncio.StreamWriter | None: ...

    @property
    def stdout(self) -> asyncio.StreamReader | None: ...

    @property
    def stderr(self) -> asyncio.StreamReader | None: ...

    @property
    def returncode(self) -> int | None: ...

    async def wait(self) -> object: ...

    def kill(self) -> None: ...


class RunProcess:
    """A started process. Its secrets are not yet given to it.

    Without `log` what it writes to standard error waits until `keep_log`.
    """

    def __init__(self, process: Hosted, log: Path | None = None) -> None:
        self._process = process
        self._logging: asyncio.Future[None] | None = None
        self._cell: Cell | None = None
        self._walls: Confinement | None = None
        if log is not None:
            self.keep_log(log)

    @classmethod
    async def start(
        cls, command: tuple[str, ...], log: Path, inherited: int = NOTHING
    ) -> "RunProcess":
        """`command` is a module of ours and its arguments; `inherited` the one descriptor that it
        gets beside its standard ones, if any.
        """
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            "-m",
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={},
            cwd=Path("/"),
            start_new_session=True,
            pass_fds=(inherited,) if inherited != NOTHING else (),
        )
        return cls(process, log)

    @property
    def code(self) -> int | None:
        """The exit code, once it has ended."""
        return self._process.returncode

    @property
    def cell(self) -> Cell | None:
        """How it was told to confine itself; None where it was not yet."""
        return self._cell

    def keep_log(self, log: Path) -> None:
        """Keep what it writes to standard error, from its beginning on."""
        self._logging = asyncio.ensure_future(self._keep_log(log))

    async def wall_in(self, cell: Cell) -> None:
        """Have it confine itself, before it is known what for. Raises `BusError` where it does not
        say that it has.
        """
        self._cell = cell
        await self._say(encode_line(cell))
        self._walls = read_confinement(await self._line())

    async def confine(self, cell: Cell, sandbox: SandboxSettings, name: str) -> Confinement:
        """Have it confine itself where it has not; what is in force. Raises `NotConfined` if too
        little.
        """
        try:
            if self._cell is None:
                await self.wall_in(cell)
        except BusError as error:
            raise NotConfined(
                f"{name} did not say how it is confined", fix="see its log"
            ) from error
        confinement = self._walls
        if confinement is None or self._cell != cell:
            raise NotConfined(f"{name} was confined for something else", fix="report this")
        missing = ", ".join(confinement.missing(sandbox.walls))
        if missing and sandbox.required:
            raise NotConfined(
                f"{name} would run without {missing}",
                fix="give the machine what is missing, or set sandbox.required = false",
            )
        if missing:
            _LOG.warning("%s runs without these walls: %s", name, missing)
        _LOG.info("%s is confined by %s", name, ", ".join(confinement.in_force) or "nothing")
        return confinement

    async def boot(self, boot: RunBoot) -> bool:
        """Give it its secrets; whether it came up."""
        await self._say(encode_line(boot))
        return await self._line() == b"ready\n"

    async def wait(self) -> None:
        """Until it has ended."""
        await self._process.wait()

    async def end(self) -> None:
        """Close its lifeline, and kill it where it outlives that."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            async with asyncio.timeout(END_S):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        if self._logging is not None:
            await self._logging

    async def _say(self, line: bytes) -> None:
        stdin = self._process.stdin
        # It may have ended, or been ended, and will not answer then: the reader finds that out.
        if stdin is None or stdin.is_closing():
            return
        stdin.write(line)
        try:
            await stdin.drain()
        except (BrokenPipeError, ConnectionResetError):
            pass

    async def _line(self) -> bytes:
        assert self._process.stdout is not None
        return await self._process.stdout.readline()

    async def _keep_log(self, log: Path) -> None:
        assert self._process.stderr is not None
        log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        room = LOG_BYTES
        with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab", 0) as out:
            while chunk := await self._process.stderr.read(_CHUNK):
                if room > 0 >= room - len(chunk):
                    chunk = chunk[:room] + b"\n[the rest of this log was not kept]\n"
                if room > 0:
                    out.write(chunk)
                room -= len(chunk)
