"""Key management: who wraps the data keys and holds the workspace's root.

`Kms` is the contract; `LocalKms` the embedded default, one key-encryption key and one
root key per workspace in owner-only files, so that one workspace's key opens one
workspace. Wrapping is AES-256-GCM with the workspace bound in (NIST SP 800-38D).
"""

import secrets
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from crypto.errors import KeyFileError, SealError
from crypto.keyfile import ensure_key, load_signer, read_key, read_secret, write_secret
from schemas.names import check_name


class Kms(Protocol):
    """What a key-management service does for us. Keys never leave it; data keys do, wrapped."""

    def wrap(self, workspace: str, key: bytes) -> bytes:
        """`key` encrypted under the workspace's key-encryption key."""
        ...

    def unwrap(self, workspace: str, wrapped: bytes) -> bytes:
        """The inverse. Raises `SealError` where `wrapped` is not this workspace's."""
        ...

    def root_public(self, workspace: str) -> bytes:
        """The workspace root's raw Ed25519 public key."""
        ...

    def sign_root(self, workspace: str, message: bytes) -> bytes:
        """The root's Ed25519 signature over `message`."""
        ...


class LocalKms:
    """Keys in owner-only files under `folder`: `<workspace>.kek` and `<workspace>.root`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def create(self, workspace: str) -> None:
        """Make the workspace's keys; keeps those that exist."""
        ensure_key(self._path(workspace, "kek"))
        ensure_key(self._path(workspace, "root"))

    def wrap(self, workspace: str, key: bytes) -> bytes:
        nonce = secrets.token_bytes(12)
        return nonce + self._cipher(workspace).encrypt(nonce, key, _context(workspace))

    def unwrap(self, workspace: str, wrapped: bytes) -> bytes:
        try:
            return self._cipher(workspace).decrypt(wrapped[:12], wrapped[12:], _context(workspace))
        except (InvalidTag, ValueError) as error:
            raise SealError(
                f"the wrapped key is not workspace {workspace!r}'s, or is damaged",
                fix="restore it together with the key file it was wrapped under",
            ) from error

    def root_public(self, workspace: str) -> bytes:
        return load_signer(self._path(workspace, "root")).public

    def sign_root(self, workspace: str, message: bytes) -> bytes:
        return load_signer(self._path(workspace, "root")).sign_raw(message)

    def _cipher(self, workspace: str) -> AESGCM:
        return AESGCM(read_key(self._path(workspace, "kek")))

    def _path(self, workspace: str, kind: str) -> Path:
        return self._folder / f"{check_name(workspace, 'workspace')}.{kind}"


def ensure_data_key(kms: Kms, path: Path, workspace: str) -> bytes:
    """The workspace's 32-byte data key, made and stored wrapped at `path` if there is none."""
    if not path.exists():
        write_secret(path, kms.wrap(workspace, secrets.token_bytes(32)))
    return load_data_key(kms, path, workspace)


def load_data_key(kms: Kms, path: Path, workspace: str) -> bytes:
    """The workspace's data key. Raises `KeyFileError` or `SealError`."""
    key = kms.unwrap(workspace, read_secret(path))
    if len(key) != 32:
        raise KeyFileError(f"data key {path} has {len(key)} bytes, not 32")
    return key


def _context(workspace: str) -> bytes:
    return b"anyteam data key v1 " + workspace.encode()
