"""One folder, and nothing outside it: reading, listing and replacing files below a root.

A path is relative, plain and opened one component at a time, each by descriptor, through no link
and onto no other mount (`sidecar.connectors.beneath`), so that nobody who can rename inside the
folder can lead us out of it between a check and its use. Only regular files are opened, and none
that has another name somewhere (a hard link), unless the settings allow it. The root itself is
configured, and may be a link or a mount.
"""

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from msgspec import Struct

from sidecar.connectors.beneath import Opener, open_beneath
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

_DIRECTORY: Final = os.O_RDONLY | os.O_DIRECTORY
_FILE: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY
_NO_FILE: Final = "the path leads to something that is not a regular file"
_DEVICES: Final = frozenset(
    ["CON", "PRN", "AUX", "NUL", *(f"{port}{n}" for port in ("COM", "LPT") for n in range(10))]
)


class Folder(Struct, frozen=True):
    """A folder and the care it is used with; a bare path stands for one with all of it."""

    root: Path
    hard_links: bool = False
    opener: Opener = open_beneath


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


def read_file(root: Path | Folder, path: str, limit: int) -> FileBytes:
    """At most `limit` bytes of a regular file. Raises `BadTarget`, `Denied`, `Unreachable`."""
    *folders, name = _named(path)
    care = _care(root)
    with _refusals(), _opened(care, folders) as folder:
        return _read(care, folder, name, limit)


def list_folder(root: Path | Folder, path: str) -> list[Entry]:
    """Regular files and folders, by name.

    Links, devices, other file systems and unnameable entries are left out.
    """
    parts = parts_of(path)
    entries = []
    with _refusals(), _opened(_care(root), parts) as folder, os.scandir(folder) as found:
        device = os.fstat(folder).st_dev
        for entry in found:
            try:
                status = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                # Gone since the listing began.
                continue
            is_folder = stat.S_ISDIR(status.st_mode)
            if _problem(entry.name) or not (is_folder or stat.S_ISREG(status.st_mode)):
                continue
            if status.st_dev != device:
                continue
            entries.append(Entry(entry.name, is_folder, status.st_size, status.st_mtime_ns))
    return sorted(entries, key=lambda entry: entry.name)


def replace_file(root: Path | Folder, path: str, data: bytes, key: str) -> None:
    """Put `data` at `path` whole or not at all, durably; makes missing folders (0700).

    `key` names the draft, so that a draft left by a crash is taken over by the retry.
    Raises `Unanswered` where the file is in place and the folder could not be synced, and
    the same errors as `read_file` and `TargetRefused` while nothing has changed.
    """
    *folders, name = _named(path)
    care = _care(root)
    with _refusals(), _opened(care, folders, create=True) as folder:
        mode = _replaceable_mode(care, folder, name)
        draft = f"{DRAFT_PREFIX}{key}"
        _unlink(folder, draft)
        try:
            descriptor = care.opener(folder, draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
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


def _care(root: Path | Folder) -> Folder:
    return root if isinstance(root, Folder) else Folder(root)


@contextmanager
def _opened(care: Folder, parts: Sequence[str], *, create: bool = False) -> Iterator[int]:
    try:
        folder = os.open(care.root, _DIRECTORY)
    except OSError as error:
        raise Unreachable(
            f"the folder cannot be opened: {error.strerror}", fix="check the connector's settings"
        ) from error
    try:
        for part in parts:
            if create:
                _make(folder, part)
            below = care.opener(folder, part, _DIRECTORY, 0)
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


def _read(care: Folder, folder: int, name: str, limit: int) -> FileBytes:
    with os.fdopen(_regular(care, folder, name), "rb") as file:
        status = os.fstat(file.fileno())
        _check_file(care, status)
        return FileBytes(file.read(limit), status.st_size, status.st_ctime_ns)


def _regular(care: Folder, folder: int, name: str) -> int:
    """A regular file, open for reading. Merely opening a device or a FIFO can act on it.

    Where there is O_PATH the name is resolved once, without opening what it names; what is then
    opened is that very thing, so that nothing can be put in its place after the look at it.
    """
    if not hasattr(os, "O_PATH"):
        _check_file(care, os.stat(name, dir_fd=folder, follow_symlinks=False))
        return care.opener(folder, name, _FILE, 0)
    found = care.opener(folder, name, os.O_PATH, 0)
    try:
        _check_file(care, os.fstat(found))
        if not care.hard_links:
            _check_only_name(folder, name, found)
        return os.open(f"/proc/self/fd/{found}", _FILE)
    except FileNotFoundError as error:
        # It was there; saying otherwise would say that it was never written.
        raise Unreachable("the file went away while it was opened, or /proc is missing") from error
    finally:
        os.close(found)


def _check_file(care: Folder, status: os.stat_result) -> None:
    if stat.S_ISLNK(status.st_mode):
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    if not stat.S_ISREG(status.st_mode):
        raise BadTarget(_NO_FILE)
    if status.st_nlink > 1 and not care.hard_links:
        raise OutsideFolder(
            "the file has another name, which may be outside the folder",
            fix="copy it, or set connectors.files.hard_links",
        )


def _check_only_name(folder: int, name: str, found: int) -> None:
    """Whether the name stands for what was found, and did while its names were counted.

    A name that is taken away right after it was opened leaves a count of one: that of the name
    outside. Each making or taking of a name shows in the time of the last change.
    """
    before = os.fstat(found)
    named = os.stat(name, dir_fd=folder, follow_symlinks=False)
    after = os.fstat(found)
    one = [(s.st_dev, s.st_ino, s.st_nlink, s.st_ctime_ns) for s in (before, named, after)]
    if before.st_nlink != 1 or one != [one[0]] * 3:
        raise OutsideFolder("the file changed its names while it was opened", fix="try again")


def _replaceable_mode(care: Folder, folder: int, name: str) -> int:
    try:
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return 0o600
    if stat.S_ISLNK(status.st_mode):
        raise BadTarget(_NO_FILE)
    _check_file(care, status)
    return status.st_mode & 0o777


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
    if error.errno == errno.EXDEV:
        return OutsideFolder("the path leads onto another mount", fix="name a file of the folder's")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return Denied(f"the system refused: {error.strerror}", fix="check the folder's owner")
    return TargetRefused(f"the file system refused: {error.strerror}")
