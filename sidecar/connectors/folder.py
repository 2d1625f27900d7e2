"""One folder, and nothing outside it: reading, listing and replacing files below a root.

A path is relative, plain and opened one component at a time, each by descriptor and never
through a symbolic link (openat(2), O_NOFOLLOW), so that nobody who can rename inside the
folder can lead us out of it between a check and its use. Only regular files are opened.
The root itself is configured, and may be a link.
"""

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from msgspec import Struct

from sidecar.errors import (
    BadTarget,
    ConnectorError,
    Denied,
    OutsideFolder,
    TargetRefused,
    Unanswered,
    Unreachable,
)

MAX_DEPTH: Final = 32
MAX_NAME_BYTES: Final = 255
DRAFT_PREFIX: Final = ".anyteam-draft-"

_DIRECTORY: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY
_DEVICES: Final = frozenset(
    ["CON", "PRN", "AUX", "NUL", *(f"{port}{n}" for port in ("COM", "LPT") for n in range(10))]
)


class FileBytes(Struct, frozen=True):
    """The first bytes of a file, its whole size, and when it last changed (ctime, ns)."""

    data: bytes
    size: int
    changed: int


class Entry(Struct, frozen=True):
    """A regular file or folder; `size` in bytes, `modified` in ns since the epoch."""

    name: str
    folder: bool
    size: int
    modified: int


def parts_of(path: str) -> tuple[str, ...]:
    """The components of a plain relative path, none for an empty one. Raises `OutsideFolder`."""
    parts = tuple(path.split("/")) if path else ()
    if len(parts) > MAX_DEPTH or any(_problem(part) for part in parts):
        raise OutsideFolder(
            "the path is not a plain relative path", fix="name a file inside the folder"
        )
    return parts


def read_file(root: Path, path: str, limit: int) -> FileBytes:
    """At most `limit` bytes of a regular file. Raises `BadTarget`, `Denied`, `Unreachable`."""
    *folders, name = _named(path)
    with _refusals(), _opened(root, folders) as folder:
        return _read(folder, name, limit)


def list_folder(root: Path, path: str) -> list[Entry]:
    """Regular files and folders, by name. Links, devices and unnameable entries are left out."""
    parts = parts_of(path)
    entries = []
    with _refusals(), _opened(root, parts) as folder, os.scandir(folder) as found:
        for entry in found:
            try:
                status = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                # Gone since the listing began.
                continue
            is_folder = stat.S_ISDIR(status.st_mode)
            if _problem(entry.name) or not (is_folder or stat.S_ISREG(status.st_mode)):
                continue
            entries.append(Entry(entry.name, is_folder, status.st_size, status.st_mtime_ns))
    return sorted(entries, key=lambda entry: entry.name)


def replace_file(root: Path, path: str, data: bytes, key: str) -> None:
    """Put `data` at `path` whole or not at all, durably; makes missing folders (0700).

    `key` names the draft, so that a draft left by a crash is taken over by the retry.
    Raises `Unanswered` where the file is in place and the folder could not be synced, and
    the same errors as `read_file` and `TargetRefused` while nothing has changed.
    """
    *folders, name = _named(path)
    with _refusals(), _opened(root, folders, create=True) as folder:
        mode = _replaceable_mode(folder, name)
        draft = f"{DRAFT_PREFIX}{key}"
        _unlink(folder, draft)
        try:
            descriptor = os.open(
                draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600, dir_fd=folder
            )
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fchmod(file.fileno(), mode)
                os.fsync(file.fileno())
            os.rename(draft, name, src_dir_fd=folder, dst_dir_fd=folder)
        except OSError:
            _unlink(folder, draft)
            raise
        try:
            os.fsync(folder)
        except OSError as error:
            raise Unanswered("the file is written, but its folder could not be synced") from error


def _problem(name: str) -> bool:
    """Whether a component is one we do not touch, on any platform."""
    return (
        name in ("", ".", "..")
        or name.startswith(("~", DRAFT_PREFIX))
        or any(ord(c) < 32 or ord(c) == 127 or c in '\\/:*?"<>|' for c in name)
        or any(0xD800 <= ord(c) <= 0xDFFF for c in name)
        or len(name.encode("utf-8", "replace")) > MAX_NAME_BYTES
        or name.partition(".")[0].rstrip().upper() in _DEVICES
    )


def _named(path: str) -> tuple[str, ...]:
    parts = parts_of(path)
    if not parts:
        raise OutsideFolder("the path names no file", fix="name a file inside the folder")
    return parts


@contextmanager
def _opened(root: Path, parts: Sequence[str], *, create: bool = False) -> Iterator[int]:
    try:
        folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise Unreachable(
            f"the folder cannot be opened: {error.strerror}", fix="check the connector's settings"
        ) from error
    try:
        for part in parts:
            if create:
                _make(folder, part)
            below = os.open(part, _DIRECTORY, dir_fd=folder)
            os.close(folder)
            folder = below
        yield folder
    finally:
        os.close(folder)


def _make(folder: int, name: str) -> None:
    try:
        os.mkdir(name, 0o700, dir_fd=folder)
    except FileExistsError:
        return
    os.fsync(folder)


def _read(folder: int, name: str, limit: int) -> FileBytes:
    # Asked before opening: merely opening a device can act on it.
    if not stat.S_ISREG(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
        raise BadTarget("the path leads to something that is not a regular file")
    descriptor = os.open(name, _FILE, dir_fd=folder)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise BadTarget("the path leads to something that is not a regular file")
        return FileBytes(file.read(limit), status.st_size, status.st_ctime_ns)


def _replaceable_mode(folder: int, name: str) -> int:
    try:
        mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
    except FileNotFoundError:
        return 0o600
    if not stat.S_ISREG(mode):
        raise BadTarget("the path leads to something that is not a regular file")
    return mode & 0o777


def _unlink(folder: int, name: str) -> None:
    try:
        os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        pass


@contextmanager
def _refusals() -> Iterator[None]:
    """The system's refusals in this package's words."""
    try:
        yield
    except OSError as error:
        raise _refusal(error) from error


def _refusal(error: OSError) -> ConnectorError:
    if error.errno in (errno.ENOENT, errno.EISDIR):
        return BadTarget("there is no such file")
    if error.errno in (errno.ELOOP, errno.ENOTDIR):
        return OutsideFolder("the path crosses a symbolic link, or a file where a folder should be")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return Denied(f"the system refused: {error.strerror}", fix="check the folder's owner")
    return TargetRefused(f"the file system refused: {error.strerror}")
