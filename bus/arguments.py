"""What a process is listed as: its arguments, which the kernel reads where its start put them.

One that a nursery bore has the nursery's, until it says what it is. Linux only; elsewhere nothing
is changed. Not setproctitle: it looks for the place behind the environment, and there is none.
Source: proc(5), `/proc/PID/stat` fields 48 and 49, `/proc/PID/cmdline`.
"""

import ctypes
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

_START: Final = 48 - 3
"""Of the fields after the command's name, which may hold blanks."""


class Arguments(Struct, frozen=True):
    """Where this process's arguments lie in its memory; `size` 0 where that is not known."""

    start: int = 0
    size: int = 0


def own_arguments() -> Arguments:
    """Where they lie. To be found before walls keep /proc shut."""
    if sys.platform != "linux":
        return Arguments()
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    start, end = int(fields[_START]), int(fields[_START + 1])
    return Arguments(start, end - start) if start else Arguments()


def be_listed_as(words: Sequence[str], place: Arguments) -> None:
    """Put `words` there, cut to what there is room for, unless they are there."""
    said = b"\0".join(word.encode() for word in words)[: max(place.size - 1, 0)]
    if place.size and not ctypes.string_at(place.start, place.size).startswith(said + b"\0"):
        ctypes.memmove(place.start, said.ljust(place.size, b"\0"), place.size)
