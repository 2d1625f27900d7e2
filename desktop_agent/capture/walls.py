"""The walls around the process that holds sound: no network, no file written, no program run.

First, before anything is heard: no socket but to a sound server on this machine, nothing executed,
no other process looked at, no file longer than nothing, no core file. Then, once device and model
are open: no socket at all, and no file opened for writing. Both bind every thread, and for good.
Source: seccomp(2), libseccomp's seccomp_rule_add(3), setrlimit(2). Linux; elsewhere it is said.
"""

import errno
import os
import resource
import socket
import sys
from collections.abc import Iterable
from typing import Final

from bus.confinement.limits import give_up_privileges, hide_memory
from desktop_agent.errors import WallMissing
from schemas.confinement import Confinement, Wall

if sys.platform == "linux":
    try:
        import pyseccomp
    except RuntimeError:  # it says so where the machine has no libseccomp
        pyseccomp = None

WALLS: Final = (Wall.PRIVILEGES, Wall.MEMORY, Wall.LIMITS, Wall.SYSCALLS)

_NEVER: Final = (
    *("execve", "execveat", "fork", "vfork", "ptrace", "process_vm_readv", "process_vm_writev"),
    *("pidfd_getfd", "pidfd_open", "kcmp", "io_uring_setup", "bpf", "userfaultfd", "keyctl"),
    *("add_key", "request_key", "mount", "umount2", "pivot_root", "setns", "unshare", "openat2"),
    *("perf_event_open", "open_by_handle_at", "memfd_create", "memfd_secret"),
)
_WRITING: Final = (
    *("creat", "mkdir", "mkdirat", "mknod", "mknodat", "rename", "renameat", "renameat2", "link"),
    *("linkat", "symlink", "symlinkat", "unlink", "unlinkat", "rmdir", "truncate", "fallocate"),
    *("chmod", "fchmod", "fchmodat", "chown", "fchown", "fchownat", "setxattr", "copy_file_range"),
)
_SOCKETS: Final = (
    *("socket", "socketpair", "connect", "bind", "listen", "accept", "accept4"),
    *("sendmmsg", "seccomp", "prctl"),
)


def deny_network(*, required: bool) -> Confinement:
    """The first walls; what is in force, and why the rest is not.

    Raises `WallMissing` where `required` and one cannot be built.
    """
    if sys.platform != "linux":
        why = f"built on Linux's kernel, and this is {sys.platform}"
        return _required(Confinement(absent=dict.fromkeys(WALLS, why)), required)
    for limit in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE):
        resource.setrlimit(limit, (0, 0))
    give_up_privileges()
    hide_memory()
    problem = _forbid_network()
    absent = {Wall.SYSCALLS: problem} if problem else {}
    in_force = tuple(wall for wall in WALLS if wall not in absent)
    return _required(Confinement(in_force, absent), required)


def shut(confinement: Confinement) -> None:
    """The second walls. Raises `WallMissing` where the kernel refuses now what it took before."""
    if Wall.SYSCALLS not in confinement.in_force:
        return
    less = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
    _forbid(less, (*_SOCKETS, *_WRITING))
    # To an address; without one it is a write to the sound server, which is connected already.
    _add(less, "sendto", pyseccomp.Arg(4, pyseccomp.NE, 0))
    for call, place in (("open", 1), ("openat", 2)):
        for bit in (os.O_WRONLY, os.O_RDWR, os.O_CREAT, os.O_TRUNC):
            _add(less, call, pyseccomp.Arg(place, pyseccomp.MASKED_EQ, bit, bit))
    problem = _load(less)
    if problem:
        raise WallMissing(f"the process cannot be shut in: {problem}")


def _forbid_network() -> str:
    if pyseccomp is None:
        return "libseccomp is not installed (on Debian: the package libseccomp2)"
    less = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
    _forbid(less, _NEVER)
    for call in ("socket", "socketpair"):
        _add(less, call, pyseccomp.Arg(0, pyseccomp.NE, socket.AF_UNIX))
    return _load(less)


def _forbid(rules: "pyseccomp.SyscallFilter", calls: Iterable[str]) -> None:
    for call in calls:
        _add(rules, call)


def _add(rules: "pyseccomp.SyscallFilter", call: str, *conditions: "pyseccomp.Arg") -> None:
    """Refuse `call`, where this machine's kernel has one of that name."""
    number = pyseccomp.resolve_syscall(pyseccomp.Arch.NATIVE, call)
    if number >= 0:
        rules.add_rule(pyseccomp.ERRNO(errno.EPERM), number, *conditions)


def _load(rules: "pyseccomp.SyscallFilter") -> str:
    try:
        rules.set_attr(pyseccomp.Attr.ACT_BADARCH, pyseccomp.KILL_PROCESS)
        rules.set_attr(pyseccomp.Attr.CTL_TSYNC, 1)
        rules.load()
    except OSError as error:
        return f"the kernel takes no system call filter: {error.strerror}"
    return ""


def _required(found: Confinement, required: bool) -> Confinement:
    missing = found.missing(WALLS)
    if required and missing:
        raise WallMissing(
            f"this system cannot keep sound in: {', '.join(missing)}",
            fix='set walls = "as far as possible" to go on without, knowing what is missing',
        )
    return found
