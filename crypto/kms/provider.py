"""What every key-management provider does, and the form of what it wraps.

Rules that each keeps: the wrapping key and the root never leave it; what it wraps is bound to
the workspace and opens for no other; what it cannot vouch for is an error, never an answer.
"""

import hashlib
from typing import Final, Literal, Protocol

import msgspec
from msgspec import Struct

from crypto.errors import SealError
from schemas.errors import UNREADABLE
from schemas.names import check_name

Provider = Literal["local", "google"]

_CHECK_BYTES: Final = 8
_DAMAGED: Final = "restore the wrapped key from your backup"


class Kms(Protocol):
    """One provider. Methods raise `KmsError` where it cannot be used at all."""

    def create(self, workspace: str) -> None:
        """See that the workspace's keys are there and usable, making them where that is ours."""
        ...

    def wrap(self, workspace: str, key: bytes) -> bytes:
        """`key` encrypted under the newest version of the workspace's wrapping key."""
        ...

    def unwrap(self, workspace: str, wrapped: bytes) -> bytes:
        """The inverse, of any version. Raises `SealError` where it is not this workspace's."""
        ...

    def rotate(self, workspace: str) -> None:
        """Make a newer version of the wrapping key, where its versions are ours to make."""
        ...

    def root_public(self, workspace: str) -> bytes:
        """The workspace root's raw Ed25519 public key."""
        ...

    def sign_root(self, workspace: str, message: bytes) -> bytes:
        """The root's Ed25519 signature over `message`."""
        ...


class Wrapped(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A wrapped key as it is stored: by whom, under which version of which key."""

    provider: Provider
    version: str
    ciphertext: bytes


def encode_wrapped(wrapped: Wrapped) -> bytes:
    """MessagePack, and the beginning of its SHA-256: a version's name is under no cipher."""
    data = msgspec.msgpack.encode(wrapped)
    return data + _check(data)


def decode_wrapped(data: bytes, provider: Provider | None = None) -> Wrapped:
    """The inverse. Raises `SealError` where it is none, or another provider's than `provider`."""
    encoded, check = data[:-_CHECK_BYTES], data[-_CHECK_BYTES:]
    try:
        wrapped = msgspec.msgpack.decode(encoded, type=Wrapped)
    except UNREADABLE as error:
        raise SealError("these bytes are no wrapped key, or a damaged one", fix=_DAMAGED) from error
    if check != _check(encoded):
        raise SealError("the wrapped key is damaged", fix=_DAMAGED)
    if provider is not None and wrapped.provider != provider:
        raise SealError(
            f"the key was wrapped by provider {wrapped.provider}, and the settings say {provider}",
            fix=f'set kms.provider = "{wrapped.provider}" again; a workspace keeps its provider',
        )
    return wrapped


def _check(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()[:_CHECK_BYTES]


def key_context(workspace: str) -> bytes:
    """What a wrapped data key is bound to. Raises `BadName`."""
    return f"anyteam data key v1 {check_name(workspace, 'workspace')}".encode()
