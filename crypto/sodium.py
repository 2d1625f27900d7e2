"""One Ed25519 check by libsodium, in half of OpenSSL's time: a yes is a yes, a no is asked again.

Libsodium refuses more (keys and points of small order, encodings that are not canonical), and takes
nothing that OpenSSL refuses; tests hold both to that. So whoever asks here first, and asks
`crypto.signing` about what was refused, has OpenSSL's answer (`docs/decisions/0097`).
Source: RFC 8032; libsodium documentation, public-key signatures.
"""

from typing import Final

from nacl.bindings import crypto_sign_open
from nacl.exceptions import BadSignatureError

_KEY_BYTES: Final = 32
_SIGNATURE_BYTES: Final = 64


def holds(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `signature` is surely over `message` under the raw 32-byte `public_key`."""
    # The binding looks at neither length.
    if len(public_key) != _KEY_BYTES or len(signature) != _SIGNATURE_BYTES:
        return False
    try:
        crypto_sign_open(signature + message, public_key)
    except BadSignatureError:
        return False
    return True
