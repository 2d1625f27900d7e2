"""Ed25519 signatures over the DSSE pre-authentication encoding.

Source: DSSE v1.0 protocol.md (PAE), RFC 8032 (Ed25519). The event-signing key is never
the NATS nkey: the broker chooses the nonce that an nkey signs, so a hostile broker
could have that key sign an event.
"""

import hashlib
import hmac
from functools import lru_cache
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from crypto.ed25519 import holds
from crypto.errors import BadSignature
from crypto.sodium import says_yes
from schemas.envelope import PAYLOAD_TYPE, Envelope

_UNVERIFIED: Final = "the signature does not verify under this key"


def key_id_of(public_key: bytes) -> bytes:
    """The first 16 bytes of SHA-256 of the raw public key: a hint, never a proof."""
    return hashlib.sha256(public_key).digest()[:16]


def pae(payload_type: str, payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding: `DSSEv1 SP len SP type SP len SP payload`."""
    return b"%s %d %s" % (_pae_head(payload_type), len(payload), payload)


@lru_cache(maxsize=16)
def _pae_head(payload_type: str) -> bytes:
    kind = payload_type.encode()
    return b"DSSEv1 %d %s" % (len(kind), kind)


class Signer:
    """Holds one private key and signs with it; gives the key to nobody.

    `public` is the raw 32-byte public key, `key_id` its id.
    """

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public = private.public_key().public_bytes_raw()
        self.key_id = key_id_of(self.public)
        self._tag_key = hashlib.sha256(b"anyteam tag v1" + private.private_bytes_raw()).digest()

    @classmethod
    def generate(cls) -> "Signer":
        """A signer with a fresh key from the operating system's randomness."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def from_seed(cls, seed: bytes) -> "Signer":
        """A signer from RFC 8032's 32-byte private key."""
        return cls(Ed25519PrivateKey.from_private_bytes(seed))

    def sign(self, payload_type: str, payload: bytes) -> bytes:
        """64 bytes: Ed25519 over PAE(payload_type, payload)."""
        return self._private.sign(pae(payload_type, payload))

    def sign_raw(self, message: bytes) -> bytes:
        """64 bytes over `message` itself, for formats that define their own framing."""
        return self._private.sign(message)

    def tag(self, message: bytes) -> bytes:
        """32 bytes that nobody without this key can foretell (HMAC-SHA256)."""
        return hmac.digest(self._tag_key, message, hashlib.sha256)

    def envelope(self, payload: bytes) -> Envelope:
        """An event's payload, signed."""
        return Envelope(payload, self.key_id, self.sign(PAYLOAD_TYPE, payload))

    def __repr__(self) -> str:
        return f"Signer(key_id={self.key_id.hex()})"


def verify(public_key: bytes, payload_type: str, payload: bytes, signature: bytes) -> None:
    """Return if `signature` is `public_key`'s over PAE(payload_type, payload).

    Raises `BadSignature` otherwise.
    """
    verify_raw(public_key, pae(payload_type, payload), signature)


def verify_raw(public_key: bytes, message: bytes, signature: bytes) -> None:
    """Return if `signature` is `public_key`'s over `message`; raise `BadSignature` otherwise."""
    if not (says_yes(public_key, message, signature) or holds(public_key, message, signature)):
        raise BadSignature(_UNVERIFIED)


def audit(public_key: bytes, payload_type: str, payload: bytes, signature: bytes) -> None:
    """As `verify`, by OpenSSL alone: what the one library wrongly took as it happened, the other
    finds when it is audited (docs/decisions/0120). Raises `BadSignature`.
    """
    if not holds(public_key, pae(payload_type, payload), signature):
        raise BadSignature(_UNVERIFIED)
