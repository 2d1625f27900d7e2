"""Opening one name in an open folder, so that it is neither left by a link nor by a mount.

Where Linux has openat2(2) it is one step of the kernel's own: beneath the folder, through no
symbolic or magic link, onto no other mount. Elsewhere the name is opened without following links,
and then compared: by the mount's number where /proc tells it, by the device else, which a bind
mount of the same file system shares. No library wraps openat2 yet, nor does this C library.
"""

import ctypes
import errno
import os
import platform
import re
import sys
from collections.abc import Callable
from functools import lru_cache
from typing import Final

Opener = Callable[[int, str, int, int], int]
"""(folder, name, flags, mode) to a descriptor; OSError with ELOOP for links, EXDEV for mounts."""

_NUMBER: Final = 437
_NO_XDEV, _NO_MAGICLINKS, _NO_SYMLINKS, _BENEATH = 0x01, 0x02, 0x04, 0x08
_RESOLVE: Final = _NO_XDEV | _NO_MAGICLINKS | _NO_SYMLINKS | _BENEATH


class _How(ctypes.Structure):
    """struct open_how of <linux/openat2.h>."""

    _fields_ = (
        ("flags", ctypes.c_uint64),
        ("mode", ctypes.c_uint64),
        ("resolve", ctypes.c_uint64),
    )


def open_beneath(folder: int, name: str, flags: int, mode: int = 0) -> int:
    """Open by the kernel's own means where it has them, with the same care else."""
    opener = open_atomic if has_openat2() else open_compared
    return opener(folder, name, flags, mode)


def open_atomic(folder: int, name: str, flags: int, mode: int = 0) -> int:
    """By openat2(2)."""
    how = _How(flags | os.O_CLOEXEC | os.O_NOFOLLOW, mode, _RESOLVE)
    path = os.fsencode(name)
    opened = int(
        _libc().syscall(
            ctypes.c_long(_NUMBER),
            ctypes.c_int(folder),
            ctypes.c_char_p(path),
            ctypes.byref(how),
            ctypes.c_size_t(ctypes.sizeof(how)),
        )
    )
    if opened < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return opened


def open_compared(folder: int, name: str, flags: int, mode: int = 0) -> int:
    """By openat(2), and a look at where that led. `name` is one component."""
    opened = os.open(name, flags | os.O_NOFOLLOW, mode, dir_fd=folder)
    try:
        if _mount(opened) != _mount(folder):
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
    except OSError:
        os.close(opened)
        raise
    return opened


@lru_cache(maxsize=1)
def has_openat2() -> bool:
    """Whether this system has openat2(2), and lets us use it."""
    # Its number is the same on every architecture of Linux but one.
    if sys.platform != "linux" or platform.machine() == "alpha":
        return False
    root = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.close(open_atomic(root, ".", os.O_RDONLY | os.O_DIRECTORY))
    except OSError:
        # ENOSYS of an old kernel, EPERM of a filter that does not know it.
        return False
    finally:
        os.close(root)
    return True


@lru_cache(maxsize=1)
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _mount(descriptor: int) -> tuple[str, int]:
    """What tells one mount from another: its number, where it can be known, and the device."""
    number = ""
    try:
        with open(f"/proc/self/fdinfo/{descriptor}", encoding="ascii") as file:
            found = re.search(r"^mnt_id:\s*(\d+)$", file.read(), re.MULTILINE)
            number = found[1] if found is not None else ""
    except OSError:
        pass
    return number, os.fstat(descriptor).st_dev
