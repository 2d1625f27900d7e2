"""Secret files: read only by their owner, or not used at all.

A key file holds the raw key as lower-case hex and a newline. Writing is atomic and
never replaces a key; a file that group or others may read is refused, as OpenSSH does.
"""

import os
import secrets
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

from crypto.errors import KeyFileError, KeyFileTooOpen
from crypto.signing import Signer

KEY_BYTES = 32


def write_secret(path: Path, data: bytes) -> None:
    """Write `data` to `path` with mode 0600, atomically, synced. Replaces what was there."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    # The name is the folder's to keep: without this a power cut may bring the old file back.
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read_secret(path: Path) -> bytes:
    """The bytes of a secret file.

    Raises `KeyFileTooOpen` where its mode is wider than 0600, `KeyFileError` where it
    cannot be read.
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode & 0o777
            if mode & 0o077:
                raise KeyFileTooOpen(
                    f"secret file {path} has mode {mode:04o}; others may read it",
                    fix=f"chmod 600 {path}, and replace the key if others could have read it",
                )
            return file.read()
    except OSError as error:
        raise KeyFileError(
            f"secret file {path} cannot be read: {error.strerror}",
            fix="check the path and its owner",
        ) from error


def write_key(path: Path, key: bytes) -> None:
    """Write a 32-byte key. Raises `KeyFileError` where `path` exists: keys are not replaced."""
    if path.exists():
        raise KeyFileError(f"key file {path} exists", fix="keys are never replaced in place")
    write_secret(path, key.hex().encode() + b"\n")


def read_key(path: Path) -> bytes:
    """The 32-byte key in `path`. Raises `KeyFileError`."""
    text = read_secret(path).strip()
    try:
        key = bytes.fromhex(text.decode("ascii"))
    except (ValueError, UnicodeDecodeError):
        key = b""
    if len(key) != KEY_BYTES:
        raise KeyFileError(
            f"key file {path} does not hold {KEY_BYTES} bytes in hex",
            fix="restore it from your backup",
        )
    return key


def ensure_key(path: Path) -> bytes:
    """The key in `path`, made from the system's randomness if there is none yet."""
    if not path.exists():
        write_key(path, secrets.token_bytes(KEY_BYTES))
    return read_key(path)


def load_signer(path: Path) -> Signer:
    """The signer whose seed is in the key file `path`. Raises `KeyFileError`."""
    return Signer.from_seed(read_key(path))


def write_public(path: Path, public_key: bytes) -> None:
    """Write an Ed25519 public key as PEM (RFC 8410), which `openssl pkey -pubin` reads too."""
    pem = Ed25519PublicKey.from_public_bytes(public_key).public_bytes(
        Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    )
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.write_bytes(pem)


def read_public(path: Path) -> bytes:
    """The raw Ed25519 public key in a PEM file. Raises `KeyFileError`."""
    try:
        key = load_pem_public_key(path.read_bytes())
    except OSError as error:
        raise KeyFileError(
            f"public key {path} cannot be read: {error.strerror}", fix="check the path"
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeyFileError(
            f"{path} holds no PEM public key", fix="ask for root.pub again"
        ) from error
    if not isinstance(key, Ed25519PublicKey):
        raise KeyFileError(f"{path} holds no Ed25519 key", fix="ask for root.pub again")
    return key.public_bytes_raw()
