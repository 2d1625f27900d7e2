"""One process confining itself, wall by wall, in the only order that works.

It must be alone in its process (no other thread escapes) and have imported what it needs.
Limits and identity first, since the later walls take away the calls that change them.
"""

import os
import sys
import threading
import time
from pathlib import Path
from typing import Final

from msgspec import Struct

from bus.confinement.errors import ConfinementError
from schemas.confinement import Confinement, Wall

if sys.platform == "linux":
    from bus.confinement import files, limits, syscalls


NOTHING: Final = -1
"""No descriptor."""


class Cell(Struct, frozen=True, kw_only=True):
    """How to confine: no port but `port` is connected to; `hidden` is the data folder.

    `listener` is the one descriptor that is kept beside the standard ones, a socket that
    connections may be taken from.
    """

    port: int
    hidden: str
    memory_mb: int
    cpu_s: int
    listener: int = NOTHING


def confine(cell: Cell) -> Confinement:
    """Confine this process for good, as far as the kernel allows; what is in force.

    Raises `ConfinementError` where going on would be less than it says.
    """
    if sys.platform != "linux":
        why = f"confinement is built on Linux's kernel, and this is {sys.platform}"
        return Confinement(absent=dict.fromkeys(Wall, why))
    if threading.active_count() != 1 or len(os.listdir("/proc/self/task")) != 1:
        raise ConfinementError("another thread runs already and would not be confined")
    kept = cell.listener if cell.listener != NOTHING else 2
    os.closerange(3, kept)
    os.closerange(max(3, kept + 1), os.sysconf("SC_OPEN_MAX"))
    # The C library reads the time zone's file once, at the first use.
    time.localtime()
    code = files.code_paths(sys.modules)
    files.check_apart(code, Path(cell.hidden))
    absent, ruleset = files.prepare(code, cell.port)
    limits.limit(cell.memory_mb, cell.cpu_s)
    problem = limits.become_nobody(files.unreadable_to_others(code))
    if problem:
        absent[Wall.USER] = problem
    limits.give_up_privileges()
    limits.hide_memory()
    if ruleset is not None:
        with ruleset:
            ruleset.restrict()
    problem = syscalls.forbid_calls(listening=cell.listener != NOTHING)
    if problem:
        absent[Wall.SYSCALLS] = problem
    return Confinement(tuple(wall for wall in Wall if wall not in absent), absent)


def look_up_code() -> None:
    """Find out where code lies, for those who are forked from here and will confine themselves."""
    if sys.platform == "linux":
        files.code_paths(sys.modules)


def hide_memory() -> None:
    """Let nobody else's process of the same user look into this one, and leave no core file."""
    if sys.platform == "linux":
        limits.hide_memory()


def cut_off(confinement: Confinement) -> None:
    """Take away the means to open a connection; what is open stays.

    Does nothing where system calls are not confined, which `confinement` says. Raises
    `ConfinementError` where the kernel refuses now what it allowed before.
    """
    if sys.platform == "linux" and Wall.SYSCALLS in confinement.in_force:
        problem = syscalls.forbid_connecting()
        if problem:
            raise ConfinementError(f"the network cannot be cut off: {problem}")
