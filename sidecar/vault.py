"""The vault: a workspace's tool credentials, sealed in one owner-only file.

AES-256-GCM (NIST SP 800-38D) under a key derived from the workspace data key for this
purpose alone (HKDF-SHA256, RFC 5869), with workspace and purpose bound in as associated
data: a vault copied to another workspace does not open. Replacing it is atomic.
"""

import secrets
from pathlib import Path
from typing import Annotated, Final, NoReturn

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from msgspec import Meta

from crypto.errors import KeyFileError
from crypto.keyfile import read_secret, write_secret
from schemas.errors import BadName
from schemas.names import Name, check_name
from sidecar.errors import VaultError

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
MAX_VALUE_CHARACTERS: Final = 16_384

_Value = Annotated[str, Meta(min_length=1, max_length=MAX_VALUE_CHARACTERS)]
_DECODER: Final = msgspec.msgpack.Decoder(dict[Name, _Value])


class Credentials:
    """Credentials by name. Shows its names and never its values; cannot be pickled."""

    __slots__ = ("_values",)

    def __init__(self, values: dict[str, str]) -> None:
        self._values = dict(values)

    def get(self, name: str, default: str = "") -> str:
        """The credential `name`, or `default` where the vault has none."""
        return self._values.get(name, default)

    def names(self) -> tuple[str, ...]:
        """Which credentials there are, sorted."""
        return tuple(sorted(self._values))

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def __repr__(self) -> str:
        return f"Credentials({', '.join(self.names())})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("credentials are not serialised; seal them in a vault")


def seal_vault(path: Path, key: bytes, workspace: str, credentials: dict[str, str]) -> None:
    """Write the workspace's vault (mode 0600), replacing what was there. Raises `VaultError`.

    `key` is the 32-byte workspace data key. Names are `schemas.names.Name`s; values hold 1
    to 16,384 characters.
    """
    for name, value in credentials.items():
        try:
            check_name(name, "credential")
        except BadName as error:
            raise VaultError(error.what, fix=error.fix) from None
        if not 1 <= len(value) <= MAX_VALUE_CHARACTERS:
            raise VaultError(
                f"credential {name} is empty or over {MAX_VALUE_CHARACTERS} characters",
                fix="check what was pasted",
            )
    cipher = _cipher(key, workspace)
    nonce = secrets.token_bytes(NONCE_BYTES)
    sealed = cipher.encrypt(nonce, msgspec.msgpack.encode(credentials), _purpose(workspace))
    try:
        write_secret(path, nonce + sealed)
    except OSError as error:
        raise VaultError(
            f"vault {path} cannot be written: {error.strerror}", fix="check the path and its owner"
        ) from error


def open_vault(path: Path, key: bytes, workspace: str) -> Credentials:
    """The workspace's credentials.

    Raises `VaultError` where the file is missing, readable by others, damaged, sealed under
    another key, or another workspace's.
    """
    try:
        data = read_secret(path)
    except KeyFileError as error:
        raise VaultError(error.what, fix=error.fix) from error
    cipher = _cipher(key, workspace)
    try:
        opened = cipher.decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], _purpose(workspace))
        return Credentials(_DECODER.decode(opened))
    except (InvalidTag, ValueError):
        # Not chained: the causes' frames hold the opened bytes.
        raise VaultError(
            f"vault {path} does not open as workspace {workspace!r}'s",
            fix="restore it together with the workspace's data key, or seal it anew",
        ) from None


def _cipher(key: bytes, workspace: str) -> AESGCM:
    if len(key) != KEY_BYTES:
        raise VaultError(f"the data key has {len(key)} bytes, not {KEY_BYTES}")
    kdf = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=_purpose(workspace))
    return AESGCM(kdf.derive(key))


def _purpose(workspace: str) -> bytes:
    return f"anyteam vault v1 {workspace}".encode()
