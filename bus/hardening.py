"""A component's process keeps its memory to itself: no core files, no debugger of the same user.

A crash of the sidecar would else write its keys to the disk. `prctl(2)` is called through
ctypes: the standard library has it from no version on that we support, and the packages that
have it are wrappers of these two lines. Where a system has no such call, the limit alone holds.
"""

import ctypes
import logging
import resource
import sys

_PR_SET_DUMPABLE = 4
_LOG = logging.getLogger("anyteam.component")


def harden() -> None:
    """For this process, from now on. Not inherited over exec but for the limit."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if not sys.platform.startswith("linux"):
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0):
        _LOG.warning("the kernel does not keep debuggers out: errno %d", ctypes.get_errno())
