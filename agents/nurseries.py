"""Nurseries as the orchestrator holds them: children borne by a process that has loaded a program.

A `Child` is what `asyncio.subprocess.Process` is for one that we start ourselves. The handle that
comes with it (pidfd) means this process and no later one of the same number, so that ending it
needs neither luck nor the nursery. The other end is `bus.nursery`.
"""

import asyncio
import logging
import os
import signal
import socket
import sys
from collections import deque
from pathlib import Path
from typing import Final

import msgspec

from agents.errors import NurseryGone
from bus.confinement import NOTHING
from bus.nursery import MESSAGE_BYTES, Bear, Born, Died

UNKNOWN: Final = 255
"""The exit code of a child whose nursery ended before it."""

_LOG: Final = logging.getLogger("anyteam")
_NEWS: Final = msgspec.json.Decoder(Born | Died)


class Child:
    """A process that a nursery has borne."""

    def __init__(
        self,
        handle: int,
        stdin: asyncio.StreamWriter,
        stdout: asyncio.StreamReader,
        stderr: asyncio.StreamReader,
    ) -> None:
        self.stdin = stdin
        self.stdout = stdout
        self.stderr = stderr
        self._handle = handle
        self._code: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    @property
    def returncode(self) -> int | None:
        """The exit code, once it has ended."""
        return self._code.result() if self._code.done() else None

    async def wait(self) -> int:
        """Until it has ended; the exit code."""
        return await asyncio.shield(self._code)

    def kill(self) -> None:
        """End it, if it has not ended."""
        if not self._code.done():
            signal.pidfd_send_signal(self._handle, signal.SIGKILL)

    def ended(self, code: int) -> None:
        """It has ended."""
        if not self._code.done():
            self._code.set_result(code)
            os.close(self._handle)

    def orphaned(self) -> None:
        """Its nursery is gone: nobody will say how it ends, and its handle says when."""
        if self._code.done():
            return
        loop = asyncio.get_running_loop()

        def gone() -> None:
            loop.remove_reader(self._handle)
            self.ended(UNKNOWN)

        loop.add_reader(self._handle, gone)


class Nursery:
    """One running nursery."""

    def __init__(self, process: asyncio.subprocess.Process, line: socket.socket) -> None:
        self.gone = False
        self._process = process
        self._line = line
        self._awaited: deque[asyncio.Future[tuple[int, int]]] = deque()
        self._children: dict[int, Child] = {}
        # One that died before whoever asked for it was told that it is there.
        self._early: dict[int, int] = {}
        asyncio.get_running_loop().add_reader(line, self._hear)

    @classmethod
    async def start(cls, command: tuple[str, ...], log: Path) -> "Nursery":
        """One that loads `command`, a module of ours and its arguments."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (
            theirs,
            os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as out,
        ):
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-m", "bus.nursery", *command),
                stdin=theirs.fileno(),
                stdout=asyncio.subprocess.DEVNULL,
                stderr=out,
                env={},
                cwd=Path("/"),
                start_new_session=True,
            )
        ours.setblocking(False)
        return cls(process, ours)

    async def bear(self, listener: int = NOTHING) -> Child:
        """A new child, that inherits the descriptor `listener` if any. Raises `NurseryGone`."""
        stdin, stdout, stderr = os.pipe(), os.pipe(), os.pipe()
        theirs = [stdin[0], stdout[1], stderr[1]]
        mine = [stdin[1], stdout[0], stderr[0]]
        born: asyncio.Future[tuple[int, int]] = asyncio.get_running_loop().create_future()
        try:
            self._ask(Bear(listener), [*theirs, *([listener] if listener != NOTHING else [])], born)
            pid, handle = await born
        except BaseException:
            for one in mine:
                os.close(one)
            raise
        finally:
            for one in theirs:
                os.close(one)
        child = Child(
            handle, await _writer(mine[0]), await _reader(mine[1]), await _reader(mine[2])
        )
        if pid in self._early:
            child.ended(self._early.pop(pid))
        elif self.gone:
            child.orphaned()
        else:
            self._children[pid] = child
        return child

    async def close(self) -> None:
        """End the nursery, whose children end by their own lifelines."""
        self._end()
        await self._process.wait()

    def _ask(self, wish: Bear, given: list[int], born: "asyncio.Future[tuple[int, int]]") -> None:
        if self.gone:
            raise NurseryGone("the nursery has ended", fix="see its log")
        try:
            socket.send_fds(self._line, [msgspec.json.encode(wish)], given)
        except OSError as error:
            raise NurseryGone(f"the nursery does not listen: {error}", fix="see its log") from error
        self._awaited.append(born)

    def _hear(self) -> None:
        try:
            said, given, _, _ = socket.recv_fds(self._line, MESSAGE_BYTES, 1)
        except BlockingIOError:
            return
        except ConnectionResetError:
            said, given = b"", []
        if not said:
            _LOG.warning("a nursery has ended; runs start without it until the next is up")
            self._end()
            return
        news = _NEWS.decode(said)
        if isinstance(news, Died):
            child = self._children.pop(news.pid, None)
            if child is not None:
                child.ended(news.code)
            else:
                self._early[news.pid] = news.code
            return
        born = self._awaited.popleft()
        if born.cancelled():
            # Nobody holds its lifeline, so it ends by itself.
            os.close(given[0])
        else:
            born.set_result((news.pid, given[0]))

    def _end(self) -> None:
        if self.gone:
            return
        self.gone = True
        asyncio.get_running_loop().remove_reader(self._line)
        self._line.close()
        for born in self._awaited:
            if not born.done():
                born.set_exception(NurseryGone("the nursery has ended", fix="see its log"))
        for child in self._children.values():
            child.orphaned()
        self._children.clear()


async def _writer(descriptor: int) -> asyncio.StreamWriter:
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.connect_write_pipe(
        asyncio.streams.FlowControlMixin, os.fdopen(descriptor, "wb", 0)
    )
    return asyncio.StreamWriter(transport, protocol, None, loop)


async def _reader(descriptor: int) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(descriptor, "rb", 0)
    )
    return reader
