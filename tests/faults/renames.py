"""A folder's own log: each name that something was moved to, as the kernel tells it (inotify(7)).

A file that is written twice with the same text looks as if it had been written once. The files
connector puts a finished draft in place by a rename, so the renames are what it did.
"""

import ctypes
import os
import struct
from pathlib import Path
from typing import Final

_MOVED_TO: Final = 0x80
_EVENT: Final = struct.Struct("iIII")


class Renames:
    """The renames into `folder` since this began."""

    def __init__(self, folder: Path) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._handle = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        watch = libc.inotify_add_watch(self._handle, os.fsencode(folder), _MOVED_TO)
        if self._handle < 0 or watch < 0:
            raise OSError(ctypes.get_errno(), "inotify is not to be had", str(folder))
        self._seen: list[str] = []

    def names(self) -> list[str]:
        """Every name that was moved to, oldest first."""
        while data := self._read():
            at = 0
            while at < len(data):
                *_, length = _EVENT.unpack_from(data, at)
                at += _EVENT.size
                self._seen.append(os.fsdecode(data[at : at + length].rstrip(b"\0")))
                at += length
        return list(self._seen)

    def close(self) -> None:
        """Watch no more."""
        os.close(self._handle)

    def _read(self) -> bytes:
        try:
            return os.read(self._handle, 1 << 16)
        except BlockingIOError:
            return b""
