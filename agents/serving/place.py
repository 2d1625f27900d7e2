"""A run's socket in the file system: who may open the file may speak in the run.

The orchestrator listens at the place and hands the listening descriptor to the run's runtime, which
so needs no right to any file. The name is given through the folder's descriptor, since a
Unix socket's address is short (108 bytes on Linux) and a data folder's path may not be.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BACKLOG = 16


def listen_at(path: Path) -> socket.socket:
    """A listening socket that only its owner may open, in place of what was there."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        before = os.umask(0o177)
        try:
            with _address(path) as address:
                listener.bind(address)
        finally:
            os.umask(before)
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener


def connect_to(path: Path) -> socket.socket:
    """A socket connected to the run's. Raises `OSError` where nobody listens there."""
    speaker = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with _address(path) as address:
            speaker.connect(address)
        speaker.setblocking(False)
    except OSError:
        speaker.close()
        raise
    return speaker


@contextmanager
def _address(path: Path) -> Iterator[str]:
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        below = Path(f"/proc/self/fd/{folder}")
        yield str(below / path.name if below.exists() else path)
    finally:
        os.close(folder)
