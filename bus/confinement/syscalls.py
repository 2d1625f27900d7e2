"""seccomp: the few system calls that a run's process needs, and no others.

A list of what is allowed, so that a call nobody thought of is refused: the kernel answers as
if it did not have it. No program is executed, no process or thread made, no file changed, no
other process looked at. A socket is a plain TCP one, and once the bus is connected there is
no second. libseccomp knows each architecture's numbers and kills on a foreign one's.
Source: seccomp(2), libseccomp's seccomp_rule_add(3). Linux only.
"""

import errno
import os
import socket
import termios
from collections.abc import Iterator
from fcntl import F_DUPFD_CLOEXEC, F_GETFD, F_GETFL, F_SETFD, F_SETFL
from typing import Final

from msgspec import Struct

try:
    import pyseccomp
except RuntimeError:  # it says so where the machine has no libseccomp
    pyseccomp = None

FREE: Final = (
    # memory
    *("brk", "madvise", "mmap", "mprotect", "mremap", "munmap"),
    # descriptors; what may be opened, Landlock says
    *("access", "close", "dup", "epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_pwait2"),
    *("epoll_wait", "eventfd2", "faccessat", "faccessat2", "fstat", "fstatfs", "getcwd"),
    *("getdents64", "lseek", "lstat", "newfstatat", "open", "openat", "pipe2", "poll", "ppoll"),
    *("pread64", "pselect6", "read", "readlink", "readlinkat", "readv", "select", "stat", "statx"),
    *("write", "writev"),
    # the connection
    *("getpeername", "getsockname", "getsockopt", "recvfrom", "recvmsg", "shutdown"),
    # time, waiting, chance
    *("clock_getres", "clock_gettime", "clock_nanosleep", "futex", "getrandom", "gettimeofday"),
    *("nanosleep", "restart_syscall", "sched_yield", "time"),
    # itself
    *("exit", "exit_group", "getegid", "geteuid", "getgid", "getpid", "getppid", "getrusage"),
    *("getrlimit", "gettid", "getuid", "rseq", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn"),
    *("set_robust_list", "sigaltstack", "sysinfo", "uname"),
)
"""Allowed whatever the arguments."""

TAKING: Final = ("accept", "accept4", "listen")
"""Allowed to a process that was handed a listening socket; none can make one."""

UNTIL_CONNECTED: Final = ("connect", "prctl", "seccomp", "socket")
"""Allowed until `forbid_connecting`."""

_IOCTLS: Final = (termios.FIONBIO, termios.FIOCLEX, termios.FIONREAD, termios.TCGETS)
_FCNTLS: Final = (F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC)
_SOCKET_OPTIONS: Final = (
    (socket.SOL_SOCKET, socket.SO_REUSEADDR),
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE),
    (socket.SOL_SOCKET, socket.SO_SNDBUF),
    (socket.SOL_SOCKET, socket.SO_RCVBUF),
    (socket.IPPROTO_TCP, socket.TCP_NODELAY),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT),
)
_UNKNOWN: Final = -1


class Where(Struct, frozen=True):
    """A condition: the argument at `place`, as far as `mask` goes, is `value`."""

    place: int
    value: int
    mask: int = 0xFFFF_FFFF


def conditional(pid: int) -> Iterator[tuple[str, tuple[Where, ...]]]:
    """Calls that are allowed for some arguments, to the process `pid`."""
    for kind in _stream_kinds():
        for family in (socket.AF_INET, socket.AF_INET6):
            # Neither MPTCP nor SCTP: Landlock's rules see only plain TCP.
            for protocol in (0, socket.IPPROTO_TCP):
                yield "socket", (Where(0, family), Where(1, kind), Where(2, protocol))
        # Of streams only: one end of a pair of datagram sockets can be aimed anywhere later.
        yield "socketpair", (Where(0, socket.AF_UNIX), Where(1, kind))
    for call in ("connect", "prctl", "seccomp"):
        yield call, ()
    # A fast open connects past whoever checks connections.
    yield "sendto", (Where(3, 0, mask=socket.MSG_FASTOPEN),)
    yield "sendmsg", (Where(2, 0, mask=socket.MSG_FASTOPEN),)
    for level, option in _SOCKET_OPTIONS:
        yield "setsockopt", (Where(1, level), Where(2, option))
    for request in _IOCTLS:
        yield "ioctl", (Where(1, request),)
    for command in _FCNTLS:
        yield "fcntl", (Where(1, command),)
    for call in ("kill", "tgkill"):
        yield call, (Where(0, pid),)
    # Its own limits, to be read; the pointer to new ones is null in both halves.
    yield "prlimit64", (Where(0, 0), Where(2, 0, mask=0xFFFF_FFFF_FFFF_FFFF))


def forbid_calls(*, listening: bool = False) -> str:
    """Refuse all that is not listed, in every thread. Why that cannot be; empty once it is.

    `listening` lets connections be taken from a socket that was handed to the process.
    """
    if pyseccomp is None:
        return "libseccomp is not installed (on Debian: the package libseccomp2)"
    only = pyseccomp.SyscallFilter(pyseccomp.ERRNO(errno.ENOSYS))
    free = (*FREE, *(TAKING if listening else ()))
    listed = [(name, tuple[Where, ...]()) for name in free]
    for name, conditions in (*listed, *conditional(os.getpid())):
        number = pyseccomp.resolve_syscall(pyseccomp.Arch.NATIVE, name)
        if number != _UNKNOWN:
            only.add_rule(pyseccomp.ALLOW, number, *(_compared(c) for c in conditions))
    return _load(only)


def forbid_connecting() -> str:
    """Refuse what `UNTIL_CONNECTED` names. Why that cannot be; empty once it is."""
    less = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
    for name in UNTIL_CONNECTED:
        less.add_rule(pyseccomp.ERRNO(errno.EPERM), name)
    return _load(less)


def _compared(condition: Where) -> "pyseccomp.Arg":
    return pyseccomp.Arg(condition.place, pyseccomp.MASKED_EQ, condition.mask, condition.value)


def _load(rules: "pyseccomp.SyscallFilter") -> str:
    try:
        rules.set_attr(pyseccomp.Attr.ACT_BADARCH, pyseccomp.KILL_PROCESS)
        rules.set_attr(pyseccomp.Attr.CTL_TSYNC, 1)
        rules.load()
    except OSError as error:
        return f"the kernel takes no system call filter: {error.strerror}"
    return ""


def _stream_kinds() -> Iterator[int]:
    for close in (0, socket.SOCK_CLOEXEC):
        for wait in (0, socket.SOCK_NONBLOCK):
            yield socket.SOCK_STREAM | close | wait
