"""An endpoint's secret as it lies in the database: sealed, never in clear.

AES-256-GCM (NIST SP 800-38D) under the webhooks' own key, a file of that component's identity,
with workspace and endpoint bound in: a row copied to another endpoint does not open.
"""

import secrets
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from projections.webhooks.errors import SecretUnreadable

NONCE_BYTES: Final = 12


def seal_secret(secret: str, key: bytes, workspace: str, endpoint: str) -> bytes:
    """`secret` under the 32-byte `key`."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, secret.encode(), _purpose(workspace, endpoint))


def open_secret(sealed: bytes, key: bytes, workspace: str, endpoint: str) -> str:
    """The inverse. Raises `SecretUnreadable`."""
    nonce, ciphertext = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
    try:
        return AESGCM(key).decrypt(nonce, ciphertext, _purpose(workspace, endpoint)).decode()
    except (InvalidTag, ValueError):
        # Not chained: the cause's frames hold the key.
        raise SecretUnreadable(
            f"the secret of endpoint {endpoint} does not open with this installation's key",
            fix="restore the webhooks' key with the database, or remove and add the endpoint",
        ) from None


def _purpose(workspace: str, endpoint: str) -> bytes:
    return f"anyteam webhook secret v1 {workspace} {endpoint}".encode()
