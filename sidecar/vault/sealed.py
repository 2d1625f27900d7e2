"""A sealed file: the credentials of one holder, a rep or the workspace itself.

AES-256-GCM (NIST SP 800-38D) under a key derived from the workspace data key for this holder
alone (HKDF-SHA256, RFC 5869), with workspace and holder bound in as associated data: a file
copied to another workspace, or to another rep's place, does not open. Replacing it is atomic.
"""

import secrets
from pathlib import Path
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from crypto.errors import KeyFileError
from crypto.keyfile import read_secret, write_secret
from schemas.names import Name
from sidecar.errors import VaultError
from sidecar.vault.credentials import Credential

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12

_DECODER: Final = msgspec.msgpack.Decoder(dict[Name, Credential])


def seal(path: Path, key: bytes, workspace: str, holder: str, held: dict[str, Credential]) -> None:
    """Write a holder's credentials (mode 0600), replacing what was there. Raises `VaultError`.

    `key` is the 32-byte workspace data key.
    """
    purpose = _purpose(workspace, holder)
    nonce = secrets.token_bytes(NONCE_BYTES)
    sealed = _cipher(key, purpose).encrypt(nonce, msgspec.msgpack.encode(held), purpose)
    try:
        write_secret(path, nonce + sealed)
    except OSError as error:
        raise VaultError(
            f"vault {path} cannot be written: {error.strerror}", fix="check the path and its owner"
        ) from error


def unseal(path: Path, key: bytes, workspace: str, holder: str) -> dict[str, Credential]:
    """A holder's credentials, none where there is no file.

    Raises `VaultError` where it is readable by others, damaged, sealed under another key, or
    another holder's.
    """
    if not path.exists():
        return {}
    purpose = _purpose(workspace, holder)
    try:
        data = read_secret(path)
    except KeyFileError as error:
        raise VaultError(error.what, fix=error.fix) from error
    cipher = _cipher(key, purpose)
    try:
        return _DECODER.decode(cipher.decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], purpose))
    except (InvalidTag, ValueError):
        # Not chained: the causes' frames hold the opened bytes.
        raise VaultError(
            f"vault {path} does not open as workspace {workspace!r}'s",
            fix="restore it together with the workspace's data key, or add its credentials anew",
        ) from None


def _cipher(key: bytes, purpose: bytes) -> AESGCM:
    if len(key) != KEY_BYTES:
        raise VaultError(f"the data key has {len(key)} bytes, not {KEY_BYTES}")
    return AESGCM(HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=purpose).derive(key))


def _purpose(workspace: str, holder: str) -> bytes:
    return f"anyteam vault v2 {workspace} {holder}".encode()
