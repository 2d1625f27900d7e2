"""A sign of life, each second, for whoever minds a process: its event loop turns.

systemd's watchdog is told by a datagram, as its environment asks (sd_notify(3), `WATCHDOG=1`; and
sd_watchdog_enabled(3)). Who looks at a file's age, as `anyteam up` does and a probe in a container
can, names one in `ANYTEAM_BEAT`. A process whose loop stands is silent, and is ended by them.
"""

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

BEAT_S: Final = 1.0
FILE: Final = "ANYTEAM_BEAT"
_SOCKET: Final = "NOTIFY_SOCKET"
_WATCHED: Final = "WATCHDOG_USEC"
NAMED_IN: Final = (FILE, _SOCKET, _WATCHED, "WATCHDOG_PID")
"""The environment's names that say who looks, and where."""


async def beat(environment: Mapping[str, str]) -> None:
    """Give those signs of life that `environment` asks for, until cancelled.

    Raises `OSError` where the file cannot be made or the socket is not there: whoever looks would
    see no life, and end what lives.
    """
    with contextlib.ExitStack() as opened:
        signs = [opened.enter_context(sign) for sign in _asked_for(environment)]
        while signs:
            for sign in signs:
                sign()
            await asyncio.sleep(BEAT_S)
        await asyncio.get_running_loop().create_future()


async def until_silent(file: Path, silent_s: float) -> None:
    """Return once whoever touches `file` was not heard of for `silent_s` seconds. Where nobody ever
    touched it, nobody is silent.

    It counts looks and not time: whoever looks may have stood still itself, with the machine.
    """
    step = min(BEAT_S, silent_s / 4)
    heard: int | None = None
    missed = 0
    while missed * step <= silent_s:
        now = _heard(file)
        missed = missed + 1 if now is not None and now == heard else 0
        heard = now
        await asyncio.sleep(step)


def notify(environment: Mapping[str, str], state: str) -> None:
    """Tell systemd `state`, where it listens, such as `READY=1`."""
    if environment.get(_SOCKET):
        with _connected(environment[_SOCKET]) as channel:
            _send(channel, state)


def _asked_for(
    environment: Mapping[str, str],
) -> Iterator[contextlib.AbstractContextManager[Callable[[], None]]]:
    own = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    if environment.get(_SOCKET) and environment.get(_WATCHED) and own:
        yield _datagrams(environment[_SOCKET])
    if environment.get(FILE):
        yield _touches(environment[FILE])


def _heard(file: Path) -> int | None:
    try:
        return file.stat().st_mtime_ns
    except FileNotFoundError:
        return None


@contextlib.contextmanager
def _datagrams(address: str) -> Iterator[Callable[[], None]]:
    with _connected(address) as channel:
        yield lambda: _send(channel, "WATCHDOG=1")


@contextlib.contextmanager
def _touches(file: str) -> Iterator[Callable[[], None]]:
    flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    handle = os.open(file, flags, 0o600)
    try:
        yield lambda: os.utime(handle)
    finally:
        os.close(handle)


def _connected(address: str) -> socket.socket:
    channel = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    # A name that begins with @ is in Linux's abstract namespace: unix(7).
    channel.connect("\0" + address[1:] if address.startswith("@") else address)
    return channel


def _send(channel: socket.socket, state: str) -> None:
    # What does not get through is a beat missed, and who listens notices that by itself.
    with contextlib.suppress(OSError):
        channel.send(state.encode())
