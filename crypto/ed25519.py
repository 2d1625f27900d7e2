"""One Ed25519 check (RFC 8032), and nothing else that it would have to import.

Helpers that only check signatures (`ledger.checking`) load this file alone, in a fifth of the
time that the vocabulary takes. What is signed is `crypto.signing`'s to say.
"""

from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def holds(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `signature` is over `message` under the raw 32-byte `public_key`."""
    try:
        _key(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


@lru_cache(maxsize=512)
def _key(public_key: bytes) -> Ed25519PublicKey:
    """A key once loaded serves for all that it signed. Raises `ValueError` where it is none."""
    return Ed25519PublicKey.from_public_bytes(public_key)
