"""The lifeline: a process ends when its parent is gone, however the parent went.

A parent holds the write end of a pipe that is its child's standard input. The kernel
closes it with the parent, `kill -9` included, and the child reads end of file. Our own
processes await `parent_gone`; a foreign program runs under the small guardian

    python -m bus.lifeline [--end-with SIGINT] [--user nobody] -- program argument...

which ends it at end of file or SIGTERM, by SIGTERM or the signal named, and ends with the
program's own exit code.
"""

import argparse
import asyncio
import os
import pwd
import signal
import subprocess
import sys
import threading
from typing import Any, Final

GRACE_S: Final = 10.0
"""How long a guarded program may take to end on SIGTERM before it is killed."""

LINE_BYTES: Final = 256 * 1024 * 1024
"""The longest line that a parent may give. A run is given all of its workspace's key and policy
events, and they grow with the workspace; asyncio's own limit of 64 KiB would end that one day."""

_CHUNK: Final = 65536


def guarded(
    command: list[str], *, end_with: signal.Signals = signal.SIGTERM, user: str = ""
) -> list[str]:
    """`command` under the guardian. Start it with a pipe as its standard input.

    `end_with` is how the program is asked to end: PostgreSQL takes SIGTERM as leave to wait for
    its clients, SIGINT as an order. A guardian that is root's runs it as `user`, where one is
    named, with that user's own group and no other.
    """
    options = ["--end-with", end_with.name, *(["--user", user] if user else [])]
    # By path and isolated: neither PYTHONPATH nor the working folder decides what guards.
    return [sys.executable, "-I", __file__, *options, "--", *command]


async def stdin_reader() -> asyncio.StreamReader:
    """A reader on this process's standard input, which must be a pipe."""
    reader = asyncio.StreamReader(limit=LINE_BYTES)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


async def parent_gone(reader: asyncio.StreamReader) -> None:
    """Return when the parent is gone: at the end of `reader`, of whatever comes before it."""
    while await reader.read(_CHUNK):
        pass


def guard(command: list[str], end_with: signal.Signals = signal.SIGTERM, user: str = "") -> int:
    """Run `command` until it ends or standard input does; its exit code (128 + signal)."""
    started: list[subprocess.Popen[bytes]] = []
    asked: list[int] = []

    def on_signal(number: int, _: object) -> None:
        asked.append(number)
        for program in started:
            _end(program, end_with)

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, on_signal)
    # In a session of its own, so that a Ctrl-C in the terminal reaches our processes first
    # and the program ends after them.
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, **_as(user))
    started.append(child)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if asked:
        _end(child, end_with)
    threading.Thread(target=_watch_stdin, args=(child, end_with), daemon=True).start()
    code = child.wait()
    return code if code >= 0 else 128 - code


def _watch_stdin(child: subprocess.Popen[bytes], end_with: signal.Signals) -> None:
    # Below sys.stdin's buffer, whose lock a daemon thread would hold at interpreter exit.
    while os.read(0, _CHUNK):
        pass
    _end(child, end_with)


def _end(child: subprocess.Popen[bytes], end_with: signal.Signals) -> None:
    """Ask the program to end, and kill it after the grace."""
    child.send_signal(end_with)
    killer = threading.Timer(GRACE_S, child.kill)
    killer.daemon = True
    killer.start()


def _as(user: str) -> dict[str, Any]:
    if not user:
        return {}
    entry = pwd.getpwnam(user)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def main(arguments: list[str]) -> int:
    """The guardian's exit code."""
    parser = argparse.ArgumentParser(prog="python -m bus.lifeline")
    parser.add_argument("--end-with", default="SIGTERM", type=signal.Signals.__getitem__)
    parser.add_argument("--user", default="")
    parser.add_argument("command", nargs="+")
    given = parser.parse_args(arguments)
    return guard(given.command, given.end_with, given.user)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
