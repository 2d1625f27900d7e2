"""The workspace's keyring at rest: sealed under a key of its own, which the KMS wraps.

Each change draws a new such key and replaces the file as one, so that what was destroyed is in no
file of the workspace's any more. A copy made before opens as long as the KMS unwraps the key in
it: `anyteam key rewrap` makes a newer version of the wrapping key, and the older can then go.
"""

import secrets
from collections.abc import Callable
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Struct

from crypto.errors import SealError
from crypto.keyfile import read_secret, write_secret
from crypto.keyring import Keyring, decode_keyring, encode_keyring, new_keyring
from crypto.kms.datakey import alone
from crypto.kms.provider import Kms
from schemas.errors import UNREADABLE

_DAMAGED = "restore it from your backup; without it no content of the workspace opens"


class _Stored(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    wrapped: bytes
    nonce: bytes
    ciphertext: bytes


def ensure_keyring(kms: Kms, path: Path, workspace: str) -> Keyring:
    """The workspace's keyring, made and stored at `path` if there is none."""
    if not path.exists():
        with alone(path):
            if not path.exists():
                return _store(kms, path, workspace, new_keyring())
    return load_keyring(kms, path, workspace)


def load_keyring(kms: Kms, path: Path, workspace: str) -> Keyring:
    """The workspace's keyring. Raises `KeyFileError`, `SealError` or `KmsError`."""
    try:
        stored = msgspec.msgpack.decode(read_secret(path), type=_Stored)
    except UNREADABLE as error:
        raise SealError(f"{path} is no keyring, or a damaged one", fix=_DAMAGED) from error
    key = kms.unwrap(workspace, stored.wrapped)
    try:
        opened = AESGCM(key).decrypt(stored.nonce, stored.ciphertext, _context(workspace))
    except (InvalidTag, ValueError) as error:
        raise SealError(f"keyring {path} does not open", fix=_DAMAGED) from error
    return decode_keyring(opened)


def change_keyring(
    kms: Kms, path: Path, workspace: str, change: Callable[[Keyring], Keyring]
) -> Keyring:
    """Put `change` of the keyring in its place, atomically; what it is now, as read back.

    Raises `KeyFileError` where another process is changing it.
    """
    with alone(path):
        return _store(kms, path, workspace, change(load_keyring(kms, path, workspace)))


def _store(kms: Kms, path: Path, workspace: str, ring: Keyring) -> Keyring:
    key, nonce = secrets.token_bytes(32), secrets.token_bytes(12)
    ciphertext = AESGCM(key).encrypt(nonce, encode_keyring(ring), _context(workspace))
    wrapped = kms.wrap(workspace, key)
    if kms.unwrap(workspace, wrapped) != key:
        raise SealError("what was wrapped comes back as another key", fix="nothing was stored")
    write_secret(path, msgspec.msgpack.encode(_Stored(wrapped, nonce, ciphertext)))
    return load_keyring(kms, path, workspace)


def _context(workspace: str) -> bytes:
    return f"anyteam keyring v1 {workspace}".encode()
