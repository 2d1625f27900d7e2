"""Ownership of a component's work: one instance does it, any other stands by and takes over.

Who holds the lock on the component's file owns its work. The kernel takes it back with the process,
however that ends, so a standby takes over at once. An owner that is silent, stopped or hung, is
killed first: what was written ahead is then as after any crash, and whoever was paused cannot come
back and act. Source: fcntl(2), "Advisory record locking".
"""

import asyncio
import contextlib
import fcntl
import logging
import os
import signal
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Final

from bus.beating import BEAT_S

SILENT_S: Final = 20.0
"""So long an owner may say nothing: much longer than its work keeps it from its event loop."""

POLL_S: Final = 0.05

_FLOCK: Final = struct.Struct("hhqqi4x")
_LOG: Final = logging.getLogger("anyteam.bus")


async def as_owner(
    path: Path, work: Callable[[], Awaitable[None]], *, silent_s: float = SILENT_S
) -> None:
    """Do `work` once this process owns it; until then stand by. Raises what `work` raises."""
    async with owning(path, silent_s=silent_s):
        await work()


@contextlib.asynccontextmanager
async def owning(path: Path, *, silent_s: float = SILENT_S) -> AsyncIterator[None]:
    """Own what `path` stands for, for as long as this lasts; wait until that can be.

    An owner that was not heard of for `silent_s` seconds is killed, where this process sees it.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        await _take(handle, path, silent_s)
        beating = asyncio.ensure_future(_beat(handle))
        try:
            yield
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)
    finally:
        # The last thing: with any descriptor of the file the kernel gives the lock away.
        os.close(handle)


async def _take(handle: int, path: Path, silent_s: float) -> None:
    heard: tuple[int, int] | None = None
    since = time.monotonic()
    while not _locked(handle):
        owner = _owner(handle)
        now = (owner, os.fstat(handle).st_mtime_ns)
        if heard is None:
            _LOG.info("stands by: process %d owns %s", owner, path.name)
        if now != heard:
            heard, since = now, time.monotonic()
        elif owner and time.monotonic() - since > silent_s:
            _LOG.warning("process %d owns %s, and is silent: killed", owner, path.name)
            _kill(handle, owner)
            since = time.monotonic()
        await asyncio.sleep(POLL_S)
    os.utime(handle)


async def _beat(handle: int) -> None:
    while True:
        os.utime(handle)
        await asyncio.sleep(BEAT_S)


def _locked(handle: int) -> bool:
    try:
        fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def _owner(handle: int) -> int:
    """The process that holds the lock; 0 where none does, or none that can be seen from here."""
    asked = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
    kind, _, _, _, pid = _FLOCK.unpack(fcntl.fcntl(handle, fcntl.F_GETLK, asked))
    return max(pid, 0) if kind != fcntl.F_UNLCK else 0


def _kill(handle: int, owner: int) -> None:
    """End the owner for sure. Its process is held before it is asked once more who owns: so nobody
    dies whose number is that of an owner who has ended."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        process = os.pidfd_open(owner)
        try:
            if _owner(handle) == owner:
                signal.pidfd_send_signal(process, signal.SIGKILL)
        finally:
            os.close(process)
