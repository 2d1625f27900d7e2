"""The nursery: a process that has loaded a run's program once, and forks it for each run.

`python -I -m bus.nursery MODULE argument...`; its standard input is a socket to its parent, which
gives for each child the three pipes that are to be its standard ones. A child then is the program
as if it had been started alone: a session of its own, nothing else open, and no more known than
its code, for the nursery is never given anything that is a run's. It ends with its parent.
Its children share the layout of their memory; see docs/decisions/0112. Linux only.
"""

import gc
import importlib
import os
import runpy
import select
import socket
import sys
import traceback
from typing import Final, NoReturn

import msgspec
from msgspec import Struct

from bus.component import recorded
from bus.confinement import NOTHING, look_up_code

MESSAGE_BYTES: Final = 4_096
DESCRIPTORS: Final = 4
"""The most that come with one message: three pipes, and a listening socket."""


_LATE: Final = ("cryptography.hazmat.backends.openssl.backend", "encodings.idna")
"""What libraries import at their first use, for an exchange key and a server's name: a child would
do it for itself alone."""


class Bear(Struct, frozen=True):
    """Fork a child. With it come its standard input, output and error, and its listening socket,
    which is to be its descriptor `listener`, where it has one."""

    listener: int = NOTHING


class Born(Struct, frozen=True, tag=True):
    """The child `pid` is there. With it comes a handle on it (pidfd)."""

    pid: int


class Died(Struct, frozen=True, tag=True):
    """The child `pid` has ended with `code`, or by signal `-code`."""

    pid: int
    code: int


def nurse(command: list[str]) -> None:
    """Bear children until the parent is gone. Returns in no child."""
    module, arguments = command[0], command[1:]
    _load(module)
    look_up_code()
    # What is there now stays shared: a collection in a child would touch, and so copy, all of it.
    gc.collect()
    gc.freeze()
    parent = socket.socket(fileno=os.dup(0))
    waiting = select.poll()
    waiting.register(parent, select.POLLIN)
    children: dict[int, int] = {}
    while True:
        for descriptor, _ in waiting.poll():
            if descriptor in children:
                pid = children.pop(descriptor)
                waiting.unregister(descriptor)
                os.close(descriptor)
                code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
                if not _tell(parent, Died(pid, code)):
                    return
                continue
            said, given, _, _ = socket.recv_fds(parent, MESSAGE_BYTES, DESCRIPTORS)
            if not said:
                return
            wish = msgspec.json.decode(said, type=Bear)
            pid = os.fork()
            if pid == 0:
                _live(wish, given, module, arguments)
            for one in given:
                os.close(one)
            handle = os.pidfd_open(pid)
            children[handle] = pid
            waiting.register(handle, select.POLLIN)
            if not _tell(parent, Born(pid), handle):
                return


def _load(module: str) -> None:
    """Import all that the program needs; the program itself is each child's to run anew."""
    found = importlib.import_module(module)
    if hasattr(found, "__path__"):
        module = f"{module}.__main__"
        importlib.import_module(module)
    del sys.modules[module]
    for late in _LATE:
        importlib.import_module(late)


def _become(wish: Bear, given: list[int]) -> None:
    """A process of its own, with what it was given and nothing that is the nursery's."""
    os.setsid()
    for place, descriptor in enumerate(given[:3]):
        os.dup2(descriptor, place)
    kept = wish.listener
    if kept != NOTHING and given[3] != kept:
        os.dup2(given[3], kept)
    most = os.sysconf("SC_OPEN_MAX")
    os.closerange(3, kept if kept != NOTHING else most)
    os.closerange(max(3, kept + 1), most)


def _live(wish: Bear, given: list[int], module: str, arguments: list[str]) -> NoReturn:
    """A child's whole life: the program, as `python -I -m` runs it, to its end."""
    code: object = 70
    try:
        _become(wish, given)
        sys.orig_argv[:] = [sys.executable, "-I", "-m", module, *arguments]
        sys.argv[:] = [module, *arguments]
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as leave:
        code = leave.code if leave.code is not None else 0
    except BaseException:  # noqa: BLE001 - this process's outermost frame: recorded, then it ends
        traceback.print_exc()
    finally:
        # Not by way of the caller: there the nursery goes on.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 1)


def _tell(parent: socket.socket, news: Born | Died, handle: int = NOTHING) -> bool:
    """Whether the parent is still there to be told."""
    try:
        handles = [handle] if handle != NOTHING else []
        socket.send_fds(parent, [msgspec.json.encode(news)], handles)
    except (BrokenPipeError, ConnectionResetError):
        return False
    return True


if __name__ == "__main__":
    sys.exit(recorded(lambda: nurse(sys.argv[1:])))
