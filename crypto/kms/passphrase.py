"""A key sealed under a passphrase: Argon2id (RFC 9106), then AES-256-GCM (NIST SP 800-38D).

The parameters lie beside the ciphertext, so that later builds can raise them; those below the
floor, or so high that opening would exhaust the machine, are refused before anything is derived.
Workspace and purpose are bound in, so that a sealed key moved to another name does not open.
"""

import secrets
import unicodedata
from typing import Annotated, Final, Literal

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from msgspec import Meta, Struct

from crypto.errors import KeyFileError, WrongPassphrase
from schemas.errors import UNREADABLE

MIN_CHARACTERS: Final = 12
"""The shortest passphrase that a new key is sealed under."""

_NONCE_BYTES: Final = 12


class Sealing(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A sealed key file. The defaults are RFC 9106's second recommended option."""

    form: Literal["anyteam sealed key v1"] = "anyteam sealed key v1"
    kdf: Literal["argon2id"] = "argon2id"
    iterations: Annotated[int, Meta(ge=3, le=64)] = 3
    lanes: Annotated[int, Meta(ge=1, le=64)] = 4
    memory_kib: Annotated[int, Meta(ge=65_536, le=4_194_304)] = 65_536
    salt: Annotated[bytes, Meta(min_length=16, max_length=64)]
    nonce: Annotated[bytes, Meta(min_length=_NONCE_BYTES, max_length=_NONCE_BYTES)]
    ciphertext: bytes = b""


def seal_key(key: bytes, passphrase: str, context: bytes) -> bytes:
    """`key` sealed under `passphrase` and bound to `context`, as JSON."""
    sealing = Sealing(salt=secrets.token_bytes(16), nonce=secrets.token_bytes(_NONCE_BYTES))
    cipher = AESGCM(_derive(sealing, passphrase, context))
    ciphertext = cipher.encrypt(sealing.nonce, key, context)
    return msgspec.json.encode(msgspec.structs.replace(sealing, ciphertext=ciphertext)) + b"\n"


def open_key(data: bytes, passphrase: str, context: bytes, where: str) -> bytes:
    """The inverse; `where` names the file. Raises `WrongPassphrase` or `KeyFileError`."""
    try:
        sealing = msgspec.json.decode(data, type=Sealing)
    except UNREADABLE as error:
        raise KeyFileError(
            f"{where} holds no sealed key: {error}", fix="restore it from your backup"
        ) from error
    try:
        cipher = AESGCM(_derive(sealing, passphrase, context))
        return cipher.decrypt(sealing.nonce, sealing.ciphertext, context)
    except InvalidTag:
        # Not chained: the cause's frames hold the passphrase.
        raise WrongPassphrase(
            f"the passphrase does not open {where}",
            fix="try again; if it is right, the file is damaged: restore it from your backup",
        ) from None


def _derive(sealing: Sealing, passphrase: str, context: bytes) -> bytes:
    # The same passphrase typed on two keyboards may arrive composed or decomposed (RFC 8265).
    spoken = unicodedata.normalize("NFC", passphrase).encode()
    kdf = Argon2id(
        salt=sealing.salt,
        length=32,
        iterations=sealing.iterations,
        lanes=sealing.lanes,
        memory_cost=sealing.memory_kib,
        ad=context,
    )
    return kdf.derive(spoken)
