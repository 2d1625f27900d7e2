"""One decoder under trial, and what is held against it.

The rule: bytes from outside end in a value or in an error of the decoder's own tree. Anything else
that is raised, a call over its time, and memory out of all proportion are findings.
"""

import signal
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

from msgspec import Struct

from schemas.errors import AnyTeamError

HANG_S: Final = 20.0
"""CPU time far over what any decoder takes, for inputs as small as ours."""
ROOM_BYTES: Final = 64 * 1024 * 1024
"""What any decoder may hold beside a multiple of its input."""
ROOM_A_BYTE: Final = 400


class Target(Struct, frozen=True, kw_only=True):
    """`decode` of valid `seeds`; `errors` is what it may raise."""

    name: str
    seeds: tuple[bytes, ...]
    decode: Callable[[bytes], object]
    errors: tuple[type[Exception], ...] = (AnyTeamError,)


class Finding(Struct, frozen=True, kw_only=True):
    """What went wrong with which bytes; `where` is the innermost line of it."""

    target: str
    what: str
    where: str
    data: bytes


class Hung(Exception):
    """A decoder did not end in its time."""


def tried(
    target: Target, data: bytes, *, memory: bool = False, hang_s: float = HANG_S
) -> Finding | None:
    """What the target does wrong with `data`; memory is measured where asked, for it is slow."""
    if memory:
        tracemalloc.start()
    try:
        with _within(hang_s):
            target.decode(data)
        held = tracemalloc.get_traced_memory()[1] if memory else 0
    except target.errors:
        held = tracemalloc.get_traced_memory()[1] if memory else 0
    except Exception as error:  # noqa: BLE001 - that nothing else comes is what is tried
        return _finding(target, error, data)
    finally:
        if memory:
            tracemalloc.stop()
    if held > ROOM_BYTES + ROOM_A_BYTE * len(data):
        what = f"{held} bytes of memory for an input of {len(data)}"
        return Finding(target=target.name, what=what, where="", data=data)
    return None


@contextmanager
def _within(seconds: float) -> Iterator[None]:
    """Raises `Hung` in whatever runs longer; for the main thread, and code that is not in C."""
    began = time.process_time()

    def ring(_number: int, _frame: FrameType | None) -> None:
        raise Hung(f"it goes on after {time.process_time() - began:.1f} s of CPU time")

    # CPU time: on a busy machine a decoder may wait for any length of time.
    before = signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _finding(target: Target, error: Exception, data: bytes) -> Finding:
    trace, where = error.__traceback__, ""
    while trace is not None:
        path = trace.tb_frame.f_code.co_filename
        if "site-packages" not in path and "/lib/python" not in path:
            where = f"{'/'.join(path.split('/')[-3:])}:{trace.tb_lineno}"
        trace = trace.tb_next
    what = f"{type(error).__name__}: {str(error)[:160]}"
    return Finding(target=target.name, what=what, where=where, data=data)
