"""System calls by name, as a program would make them that is past Python's own."""

import ctypes
import os

import pyseccomp

_LIBC = ctypes.CDLL(None, use_errno=True)
_LIBC.syscall.restype = ctypes.c_long


def call(name: str, *arguments: object) -> int:
    """What the kernel answers. Raises `OSError`."""
    number = pyseccomp.resolve_syscall(pyseccomp.Arch.NATIVE, name)
    assert number >= 0, name
    passed = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    answer = int(_LIBC.syscall(ctypes.c_long(number), *passed))
    if answer == -1:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), name)
    return answer


class Vector(ctypes.Structure):
    """struct iovec."""

    _fields_ = [("base", ctypes.c_void_p), ("size", ctypes.c_size_t)]
