"""Starts the process that holds sound, and takes the text that it says.

It gets an empty environment, the order on standard input, and of a sound file the open
descriptor; its standard input closes with this process, which ends it.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from desktop_agent.agent.messages import Choice
from desktop_agent.capture.messages import (
    MAX_LINE_BYTES,
    Control,
    Ended,
    Failed,
    Order,
    Said,
    decode_said,
    encode,
)
from desktop_agent.errors import AudioMissing, AudioRefused, CaptureFailed
from schemas.errors import UNREADABLE

_KEPT: Final = ("XDG_RUNTIME_DIR", "PULSE_SERVER", "HOME")
"""Where a rep's sound server listens; nothing else of the environment goes along."""


class Capture:
    """One process that listens. Use it as an asynchronous context manager."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    async def said(self) -> AsyncIterator[Said]:
        """What it says, to the end. Raises `AudioRefused` where the system does not let it hear,
        `CaptureFailed` where it ends otherwise without having ended.
        """
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            try:
                message = decode_said(line)
            except UNREADABLE as error:
                raise CaptureFailed(
                    f"the listening process said what is no message: {error}"
                ) from error
            if isinstance(message, Failed) and message.refused:
                raise AudioRefused(message.what, fix=message.fix)
            if isinstance(message, Failed):
                raise CaptureFailed(message.what, fix=message.fix)
            yield message
            if isinstance(message, Ended):
                return
        code = await self._process.wait()
        raise CaptureFailed(f"the listening process ended by itself (exit code {code})")

    async def tell(self, word: Control) -> None:
        """Pause, resume or stop listening to a device."""
        assert self._process.stdin is not None
        self._process.stdin.write(word.encode() + b"\n")
        await self._process.stdin.drain()

    async def __aenter__(self) -> "Capture":
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        if self._process.returncode is None:
            self._process.terminate()
        await self._process.wait()


async def start_capture(order: Order) -> Capture:
    """Start listening as `order` says."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        "-m",
        "desktop_agent.capture",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=kept if order.descriptor is None else {},
        pass_fds=() if order.descriptor is None else (order.descriptor,),
        limit=MAX_LINE_BYTES,
        start_new_session=True,
    )
    assert process.stdin is not None
    process.stdin.write(encode(order))
    await process.stdin.drain()
    return Capture(process)


async def choices() -> tuple[Choice, ...]:
    """What can be listened to by now, asked in a process of its own: PortAudio looks once.

    Raises `AudioMissing` where the system's sound cannot be asked.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-m", "desktop_agent.command", "devices", "--json"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    if process.returncode != 0:
        first = err.decode(errors="replace").partition("\n")[0]
        raise AudioMissing(first.removeprefix("error: ") or "the system shows no sound")
    decode = msgspec.json.Decoder(Choice).decode
    return tuple(decode(line) for line in out.splitlines())


@contextmanager
def opened(path: Path) -> Iterator[int]:
    """The descriptor of a sound file. Raises `AudioMissing`."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise AudioMissing(f"{path} cannot be read: {error.strerror}") from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)
