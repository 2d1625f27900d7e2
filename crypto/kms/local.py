"""The embedded default: keys in owner-only files, in the clear or sealed under a passphrase.

A workspace has one root and a wrapping key in numbered versions, `<workspace>.kek-<n>`; the
newest wraps, each opens what it wrapped. Wrapping is AES-256-GCM with workspace and version
bound in (NIST SP 800-38D). In the clear, whoever reads the files has the keys: the passphrase
protects against stolen disks and backups, not against who holds this machine while it runs.
"""

import re
import secrets
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from crypto.errors import KeyFileError, KmsSetup, PassphraseMissing, SealError
from crypto.keyfile import KEY_BYTES, read_key, read_secret, write_key, write_secret
from crypto.kms.passphrase import MIN_CHARACTERS, open_key, seal_key
from crypto.kms.provider import Wrapped, decode_wrapped, encode_wrapped, key_context
from crypto.signing import Signer
from schemas.names import check_name

_NONCE_BYTES: Final = 12
_VERSION: Final = re.compile(r"[1-9][0-9]{0,8}")


class LocalKms:
    """Keys under `folder`. With a passphrase every one is sealed, without one none may be."""

    def __init__(self, folder: Path, passphrase: str | None = None) -> None:
        self._folder = folder
        self._passphrase = passphrase
        self._opened: dict[Path, bytes] = {}

    def create(self, workspace: str) -> None:
        if not self._versions(workspace):
            self._make(workspace, "kek-1")
        if not self._exists(workspace, "root"):
            self._make(workspace, "root")
        self._key(workspace, "root")

    def wrap(self, workspace: str, key: bytes) -> bytes:
        version = self._newest(workspace)
        nonce = secrets.token_bytes(_NONCE_BYTES)
        cipher = AESGCM(self._key(workspace, f"kek-{version}"))
        ciphertext = nonce + cipher.encrypt(nonce, key, _bound(workspace, version))
        return encode_wrapped(Wrapped("local", version, ciphertext))

    def unwrap(self, workspace: str, wrapped: bytes) -> bytes:
        stored = decode_wrapped(wrapped, "local")
        if stored.version not in map(str, self._versions(workspace)):
            raise SealError(
                f"the key was wrapped under version {stored.version!r} of workspace"
                f" {workspace!r}'s wrapping key, which is not in {self._folder}",
                fix="restore it together with the key file it was wrapped under",
            )
        cipher = AESGCM(self._key(workspace, f"kek-{stored.version}"))
        nonce, ciphertext = stored.ciphertext[:_NONCE_BYTES], stored.ciphertext[_NONCE_BYTES:]
        try:
            return cipher.decrypt(nonce, ciphertext, _bound(workspace, stored.version))
        except (InvalidTag, ValueError):
            raise SealError(
                f"the wrapped key is not workspace {workspace!r}'s, or is damaged",
                fix="restore it together with the key file it was wrapped under",
            ) from None

    def rotate(self, workspace: str) -> None:
        self._make(workspace, f"kek-{int(self._newest(workspace)) + 1}")

    def root_public(self, workspace: str) -> bytes:
        return self._root(workspace).public

    def sign_root(self, workspace: str, message: bytes) -> bytes:
        return self._root(workspace).sign_raw(message)

    def _root(self, workspace: str) -> Signer:
        return Signer.from_seed(self._key(workspace, "root"))

    def _newest(self, workspace: str) -> str:
        versions = self._versions(workspace)
        if not versions:
            raise KeyFileError(
                f"no wrapping key {self._path(workspace, 'kek-1')}",
                fix="restore the folder from your backup; `anyteam up` makes a new workspace's",
            )
        return str(max(versions))

    def _versions(self, workspace: str) -> list[int]:
        stem = self._path(workspace, "kek-").name
        names = (path.name.removesuffix(".sealed") for path in self._folder.glob(f"{stem}*"))
        return [
            int(number)
            for number in (name.removeprefix(stem) for name in names)
            if _VERSION.fullmatch(number)
        ]

    def _make(self, workspace: str, name: str) -> None:
        path = self._path(workspace, name)
        if self._passphrase is None:
            write_key(path, secrets.token_bytes(KEY_BYTES))
            return
        if len(self._passphrase) < MIN_CHARACTERS:
            raise KmsSetup(
                f"the passphrase has under {MIN_CHARACTERS} characters",
                fix="choose a longer one; several words that nobody says together do well",
            )
        sealed = seal_key(
            secrets.token_bytes(KEY_BYTES), self._passphrase, _purpose(workspace, name)
        )
        write_secret(_sealed(path), sealed)

    def _key(self, workspace: str, name: str) -> bytes:
        path = self._path(workspace, name)
        sealed = _sealed(path)
        if self._passphrase is None:
            if sealed.exists() and not path.exists():
                raise PassphraseMissing(
                    f"key file {sealed} is sealed under a passphrase",
                    fix="set kms.passphrase = true, and give the passphrase when asked",
                )
            return read_key(path)
        if path.exists():
            raise KeyFileError(
                f"key file {path} lies in the clear, and kms.passphrase is set",
                fix="`anyteam key seal` seals what is there under the passphrase",
            )
        if sealed not in self._opened:
            data = read_secret(sealed)
            purpose = _purpose(workspace, name)
            self._opened[sealed] = open_key(data, self._passphrase, purpose, str(sealed))
        return self._opened[sealed]

    def _exists(self, workspace: str, name: str) -> bool:
        path = self._path(workspace, name)
        return path.exists() or _sealed(path).exists()

    def _path(self, workspace: str, name: str) -> Path:
        return self._folder / f"{check_name(workspace, 'workspace')}.{name}"


def _sealed(path: Path) -> Path:
    return path.with_name(f"{path.name}.sealed")


def _bound(workspace: str, version: str) -> bytes:
    return key_context(workspace) + f" version {version}".encode()


def _purpose(workspace: str, name: str) -> bytes:
    return f"anyteam key file v1 {workspace} {name}".encode()
