"""The embedded default: keys in files on this machine, in the clear or under a passphrase.

A workspace has one root and a wrapping key in numbered versions; the newest wraps, each opens
what it wrapped. Wrapping is AES-256-GCM with workspace and version bound in (NIST SP 800-38D).
In the clear, whoever reads the files has the keys; the passphrase protects stolen disks and
backups, not a machine that somebody else holds while it runs.
"""

import secrets
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from crypto.errors import KeyFileError, SealError
from crypto.kms.files import KeyFiles
from crypto.kms.provider import Wrapped, decode_wrapped, encode_wrapped, key_context
from crypto.signing import Signer

_NONCE_BYTES: Final = 12


class LocalKms:
    """Keys under `folder`. With a passphrase every one is sealed, without one none may be."""

    def __init__(self, folder: Path, passphrase: str | None = None) -> None:
        self._files = KeyFiles(folder, passphrase)

    def create(self, workspace: str) -> None:
        if not self._files.versions(workspace):
            self._files.make(workspace, "kek-1")
        if not self._files.exists(workspace, "root"):
            self._files.make(workspace, "root")
        self._files.read(workspace, "root")

    def wrap(self, workspace: str, key: bytes) -> bytes:
        version = self._newest(workspace)
        nonce = secrets.token_bytes(_NONCE_BYTES)
        cipher = AESGCM(self._files.read(workspace, f"kek-{version}"))
        ciphertext = nonce + cipher.encrypt(nonce, key, _bound(workspace, str(version)))
        return encode_wrapped(Wrapped("local", str(version), ciphertext))

    def unwrap(self, workspace: str, wrapped: bytes) -> bytes:
        stored = decode_wrapped(wrapped, "local")
        if stored.version not in map(str, self._files.versions(workspace)):
            raise SealError(
                f"the key was wrapped under version {stored.version!r} of workspace"
                f" {workspace!r}'s wrapping key, which is not in {self._files.folder}",
                fix="restore it together with the key file it was wrapped under",
            )
        cipher = AESGCM(self._files.read(workspace, f"kek-{stored.version}"))
        nonce, ciphertext = stored.ciphertext[:_NONCE_BYTES], stored.ciphertext[_NONCE_BYTES:]
        try:
            return cipher.decrypt(nonce, ciphertext, _bound(workspace, stored.version))
        except (InvalidTag, ValueError):
            raise SealError(
                f"the wrapped key is not workspace {workspace!r}'s, or is damaged",
                fix="restore it together with the key file it was wrapped under",
            ) from None

    def rotate(self, workspace: str) -> None:
        self._files.make(workspace, f"kek-{self._newest(workspace) + 1}")

    def root_public(self, workspace: str) -> bytes:
        return self._root(workspace).public

    def sign_root(self, workspace: str, message: bytes) -> bytes:
        return self._root(workspace).sign_raw(message)

    def _root(self, workspace: str) -> Signer:
        return Signer.from_seed(self._files.read(workspace, "root"))

    def _newest(self, workspace: str) -> int:
        versions = self._files.versions(workspace)
        if not versions:
            raise KeyFileError(
                f"{self._files.folder} holds no wrapping key of workspace {workspace!r}",
                fix="restore the folder from your backup; `anyteam up` makes a new workspace's",
            )
        return versions[-1]


def _bound(workspace: str, version: str) -> bytes:
    return key_context(workspace) + f" version {version}".encode()
