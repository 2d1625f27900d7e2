"""The workspace's data key at rest: made once, stored wrapped, wrapped anew on request.

Wrapping anew changes who can open the stored key, not the key: everything sealed under it stays
readable and nothing has to stop. It does not help where the data key itself has leaked.
"""

import fcntl
import hmac
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from msgspec import Struct

from crypto.errors import CryptoError, KeyFileError, SealError
from crypto.keyfile import read_secret, write_secret
from crypto.kms.provider import Kms, decode_wrapped

DATA_KEY_BYTES: Final = 32


class Rewrapped(Struct, frozen=True):
    """Which version of the wrapping key the data key was under, and which it is under now."""

    before: str
    after: str


def ensure_data_key(kms: Kms, path: Path, workspace: str) -> bytes:
    """The workspace's 32-byte data key, made and stored wrapped at `path` if there is none."""
    if not path.exists():
        key = secrets.token_bytes(DATA_KEY_BYTES)
        wrapped = kms.wrap(workspace, key)
        _require_same(kms.unwrap(workspace, wrapped), key)
        write_secret(path, wrapped)
    return load_data_key(kms, path, workspace)


def load_data_key(kms: Kms, path: Path, workspace: str) -> bytes:
    """The workspace's data key. Raises `KeyFileError`, `SealError` or `KmsError`."""
    key = kms.unwrap(workspace, read_secret(path))
    if len(key) != DATA_KEY_BYTES:
        raise KeyFileError(f"data key {path} has {len(key)} bytes, not {DATA_KEY_BYTES}")
    return key


def rewrap(kms: Kms, path: Path, workspace: str) -> Rewrapped:
    """Wrap the same data key under a new version of the wrapping key.

    Atomic: a reader finds the old or the new wrapping at `path`, and both open. The old one stays
    beside it, as `<name>.previous`, until the new one was read back from the disk and opened;
    where that fails it is put back. Raises what kept it from being done.
    """
    with alone(path):
        old = read_secret(path)
        key = load_data_key(kms, path, workspace)
        kms.rotate(workspace)
        new = kms.wrap(workspace, key)
        _require_same(kms.unwrap(workspace, new), key)
        previous = path.with_name(f"{path.name}.previous")
        write_secret(previous, old)
        write_secret(path, new)
        try:
            _require_same(load_data_key(kms, path, workspace), key)
        except CryptoError:
            write_secret(path, old)
            raise
        previous.unlink()
    return Rewrapped(decode_wrapped(old).version, decode_wrapped(new).version)


def _require_same(found: bytes, key: bytes) -> None:
    if not hmac.compare_digest(found, key):
        raise SealError("what was wrapped comes back as another key", fix="nothing was stored")


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """One change of `path` at a time; the lock goes with the process, however it ends."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise KeyFileError(
            f"{path} is being changed by another process", fix="wait for it to end"
        ) from error
    finally:
        os.close(lock)
