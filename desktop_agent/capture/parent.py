"""What the parent says, a line at a time, and that it is still there: this process ends with it.

Two ways, since neither is enough. The kernel kills it when its parent dies (Linux), which strikes
even while native code holds the interpreter; and the end of standard input ends it, elsewhere and
where the parent died before the kernel was asked. Source: prctl(2), PR_SET_PDEATHSIG.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Final

from desktop_agent.capture.messages import MAX_LINE_BYTES

if sys.platform == "linux":
    import pyprctl

_CHUNK: Final = 65_536
_ORPHANED: Final = 3

Obey = Callable[[bytes], None]


def die_with_parent() -> None:
    """Have the kernel kill this process when the thread that started it is no more."""
    if sys.platform == "linux":
        pyprctl.set_pdeathsig(signal.SIGKILL)


class Parent:
    """The other end of standard input."""

    def __init__(self, descriptor: int) -> None:
        self._lines = _lines(descriptor)
        self._lock = threading.Lock()
        self._waiting: list[bytes] = []
        self._obey: Obey | None = None

    def order(self) -> bytes:
        """Its first line. From then on this process ends, in whatever it does, with the last."""
        first = next(self._lines, b"")
        threading.Thread(target=self._follow, daemon=True).start()
        return first

    def obey(self, act: Obey) -> None:
        """Give `act` each further word, those that were said already first."""
        with self._lock:
            for word in self._waiting:
                act(word)
            self._obey = act

    def _follow(self) -> None:
        for word in self._lines:
            with self._lock:
                if self._obey is None:
                    self._waiting.append(word)
                else:
                    self._obey(word)
        # At once, with whatever was heard and not said: there is nobody to say it to.
        os._exit(_ORPHANED)


def _lines(descriptor: int) -> Iterator[bytes]:
    """The lines that come, without their ends, until it is closed or one is too long.

    Below sys.stdin's buffer, whose lock a daemon thread would hold at interpreter exit.
    """
    held = b""
    while len(held) <= MAX_LINE_BYTES and (chunk := os.read(descriptor, _CHUNK)):
        *whole, held = (held + chunk).split(b"\n")
        yield from whole
