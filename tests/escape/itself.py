"""Attempts on what the process was started with, and on what lingers in its memory."""

import contextlib
import gc
import mmap
import os
import re
import resource
import stat
import sys
import threading
from collections import Counter

from tests.escape.attempts import Control, Hands, attempt

_SEED = re.compile(rb"S[UAOPN][A-Z2-7]{56}")
_PEM = re.compile(rb"-----BEGIN[A-Z ]* PRIVATE KEY-----[\\sA-Za-z0-9+/=]+-----END")


@attempt("the environment is empty but for what Python sets itself")
def read_the_environment(hands: Hands) -> object:
    return {name: os.environ[name] for name in os.environ if name != "LC_CTYPE"} or None


@attempt("/proc is no code, so Landlock keeps it shut; the process is not dumpable either")
def read_the_environment_from_proc(hands: Hands) -> object:
    with open("/proc/self/environ", "rb") as file:
        return file.read().strip(b"\0") or None


@attempt("its arguments name a module and nothing else")
def find_a_secret_in_the_arguments(hands: Hands) -> object:
    known = ("-I", "-m", sys.executable, "tests.escape.runtime", "tests.escape.control")
    return [word for word in sys.orig_argv if word not in known] or None


@attempt("all descriptors but 0, 1 and 2 were closed; those now open it opened itself")
def find_an_inherited_descriptor(hands: Hands) -> object:
    kinds = {}
    for descriptor in range(64):
        with contextlib.suppress(OSError):
            kinds[descriptor] = os.fstat(descriptor)
    ends = Counter(kind.st_ino for kind in kinds.values())
    for descriptor, kind in kinds.items():
        # A pipe of which it holds both ends is its own.
        other_end = stat.S_ISFIFO(kind.st_mode) and ends[kind.st_ino] == 1
        if descriptor > 2 and (other_end or _is_file(kind.st_mode)):
            return descriptor, oct(kind.st_mode)
    return None


def _is_file(mode: int) -> bool:
    return stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISCHR(mode) or stat.S_ISBLK(mode)


@attempt("standard error is a pipe to the orchestrator, which keeps the log")
def read_back_its_own_log(hands: Hands) -> object:
    os.lseek(2, 0, os.SEEK_SET)
    return os.read(2, 10)


@attempt("standard error is a pipe, and no file may be cut short")
def cut_its_own_log_short(hands: Hands) -> object:
    os.ftruncate(2, 0)
    return "cut"


@attempt("its boot line held its own keys only, and nothing was inherited from its parent")
def find_somebody_elses_key_in_its_memory(hands: Hands) -> object:
    own = set()
    if hands.boot is not None:
        own = {hands.boot.user_seed.encode(), *_PEM.findall(hands.boot.tls.key)}
    found = set()
    for value in _texts_in_memory():
        found |= {*_SEED.findall(value), *_PEM.findall(value)} - own
    return sorted(found) or None


def _texts_in_memory() -> list[bytes]:
    known: dict[int, bytes] = {}
    for holder in gc.get_objects():
        for value in gc.get_referents(holder):
            if isinstance(value, str) and len(value) > 40:
                known[id(value)] = value.encode(errors="replace")
            elif isinstance(value, bytes | bytearray) and len(value) > 40:
                known[id(value)] = bytes(value)
    return list(known.values())


@attempt("its own TLS identity is its run's alone, and ends with the lease")
def hold_the_key_that_the_components_share(hands: Hands) -> object:
    held = hands.boot.tls.key if hands.boot is not None else hands.shared
    return held if hands.field.is_shared_key(held) else None


@attempt("limits were set hard, and setting limits is no longer answered")
def set_its_own_limits(hands: Hands) -> object:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)


@attempt("no core file may have any size, and setting limits is no longer answered")
def allow_itself_a_core_file(hands: Hands) -> object:
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    return hard or None


@attempt("memory is bounded")
def take_two_gigabytes(hands: Hands) -> object:
    with mmap.mmap(-1, 2 * 1024**3) as memory:
        return len(memory)


@attempt("descriptors are bounded")
def open_two_hundred_descriptors(hands: Hands) -> object:
    opened: list[int] = []
    try:
        opened.extend(os.dup(1) for _ in range(200))
    finally:
        for descriptor in opened:
            os.close(descriptor)
    return len(opened)


@attempt("no thread is made, so none fills the machine")
def start_a_thread(hands: Hands) -> object:
    ran: list[int] = []
    thread = threading.Thread(target=lambda: ran.append(1))
    thread.start()
    thread.join()
    return ran


@attempt("prctl is gone, so what was hidden stays hidden")
def make_itself_dumpable(hands: Hands) -> object:
    import pyprctl

    pyprctl.set_dumpable(True)
    return pyprctl.get_dumpable() or None


@attempt("it has no privilege to take another user's identity", Control.ROOT)
def become_root(hands: Hands) -> object:
    os.setresuid(0, 0, 0)
    return os.getresuid()
