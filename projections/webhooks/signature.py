"""Secrets, headers and signatures of Standard Webhooks.

A secret is `whsec_` and the base64 of 24 to 64 random bytes. Signed is `id.timestamp.body` by
HMAC-SHA256; while a secret is being replaced the header carries a signature by each.
Source: Standard Webhooks specification 1.0.0, "Signature scheme", "Webhook headers".
"""

import base64
import binascii
import hmac
import secrets
from collections.abc import Sequence
from typing import Final

from projections.webhooks.errors import BadEndpoint

PREFIX: Final = "whsec_"
SECRET_BYTES: Final = 32
MIN_BYTES, MAX_BYTES = 24, 64


def new_secret() -> str:
    """A fresh secret, of 32 bytes from the system's randomness."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def key_of(secret: str) -> bytes:
    """The HMAC key in a secret. Raises `BadEndpoint`, which does not quote it."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX).encode(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(PREFIX) or not MIN_BYTES <= len(key) <= MAX_BYTES:
        raise BadEndpoint(
            f"secret: it is not {PREFIX} and the base64 of {MIN_BYTES} to {MAX_BYTES} bytes",
            fix="leave it away to have one made",
        )
    return key


def headers_of(
    message_id: str, timestamp_s: int, body: bytes, keys: Sequence[bytes]
) -> dict[str, str]:
    """The three headers of one attempt: `keys` newest first, `timestamp_s` the attempt's own."""
    signed = f"{message_id}.{timestamp_s}.".encode() + body
    signatures = [base64.b64encode(hmac.digest(key, signed, "sha256")).decode() for key in keys]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": " ".join(f"v1,{one}" for one in signatures),
    }
