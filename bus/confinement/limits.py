"""What a run's process may use of the machine, and the privileges it gives up.

Both work for root and for everybody else. Only root can give a process a user of its own;
then no other process of this machine, another run's included, has the same. Linux only.
"""

import os
import resource
from pathlib import Path
from typing import Final

import pyprctl

OPEN_FILES: Final = 64
FIRST_UID: Final = 1_950_000_000
"""Above what distributions and systemd hand out, and below 2**31. The pid is added to it."""


def limit(memory_mb: int, cpu_s: int) -> None:
    """Bound memory, processor time and descriptors; no core file, no file written, ever."""
    for name, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_AS, memory_mb * 1024 * 1024),
    ):
        hard = resource.getrlimit(name)[1]
        bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(name, (bound, bound))


def become_nobody(unreadable: Path | None) -> str:
    """Take a user that nobody else has. Why that cannot be; empty once it is.

    `unreadable` is code that another user could not read, so that a late import would fail.
    """
    if os.geteuid() != 0:
        return "only root can give a process a user of its own"
    if unreadable is not None:
        return f"another user cannot read the code: {unreadable} is its owner's only"
    own = FIRST_UID + os.getpid()
    try:
        os.setgroups([])
        os.setresgid(own, own, own)
        os.setresuid(own, own, own)
    except OSError as error:
        return f"this user namespace has no user {own}: {error.strerror}"
    # Counted per user, so it means something only where the user has this process alone.
    resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))
    return ""


def give_up_privileges() -> None:
    """No capability now, and none gained by executing a file."""
    pyprctl.set_no_new_privs()
    pyprctl.cap_ambient_clear_all()
    pyprctl.CapState().set_current()


def hide_memory() -> None:
    """No core file, no ptrace, no /proc/PID/{mem,environ,fd} for others of the same user."""
    pyprctl.set_dumpable(False)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
