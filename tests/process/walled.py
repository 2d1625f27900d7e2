"""Walls as the process that holds sound has them, and then every way out, tried.

`python -m tests.process.walled FOLDER` prints one JSON object: attempt to how it failed, or
"done". Standard output was open before the walls, as it is in the real process.
"""

import ctypes
import json
import mmap
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from desktop_agent.capture.walls import deny_network, shut


def main() -> int:
    """Try everything; print what came of it."""
    folder = Path(sys.argv[1])
    held = os.open(folder / "open-before", os.O_WRONLY | os.O_CREAT)
    confinement = deny_network(required=True)
    early = {"early inet": lambda: socket.socket(socket.AF_INET), "early exec": _execute}
    found = {name: _tried(attempt) for name, attempt in early.items()}
    shut(confinement)
    attempts: dict[str, Callable[[], object]] = {
        "inet": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
        "inet6": lambda: socket.socket(socket.AF_INET6),
        "unix": lambda: socket.socket(socket.AF_UNIX),
        "pair": socket.socketpair,
        "netlink": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW),
        "inet in a thread": lambda: _in_thread(lambda: socket.socket(socket.AF_INET)),
        "exec": _execute,
        "write a new file": lambda: (folder / "new").write_bytes(b"sound"),
        "write an old file": lambda: (folder / "old").write_bytes(b"sound"),
        "append to an old file": lambda: (folder / "old").open("ab").write(b"sound"),
        "write what was open": lambda: os.write(held, b"sound"),
        "rename": lambda: (folder / "old").rename(folder / "other"),
        "unlink": (folder / "old").unlink,
        "memory file": lambda: os.write(os.memfd_create("sound"), b"sound"),
        "ptrace": lambda: _call(b"ptrace", 16, os.getppid(), 0, 0),
        "read the parent": lambda: os.open(f"/proc/{os.getppid()}/mem", os.O_RDWR),
    }
    found |= {name: _tried(attempt) for name, attempt in attempts.items()}
    print(json.dumps(found))
    return 0


def _tried(attempt: Callable[[], object]) -> str:
    try:
        attempt()
    except OSError as error:
        return f"{error.errno and os.strerror(error.errno)}"
    return "done"


def _execute() -> None:
    subprocess.run(["/bin/true"], check=True)


def _in_thread(attempt: Callable[[], object]) -> None:
    failed: list[OSError] = []

    def run() -> None:
        try:
            attempt()
        except OSError as error:
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]


def _call(name: bytes, *arguments: int) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    if library[name.decode()](*arguments) == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


if __name__ == "__main__":
    # Mapped early: a machine without anonymous memory would fail here, and not in an attempt.
    mmap.mmap(-1, mmap.PAGESIZE).close()
    sys.exit(main())
