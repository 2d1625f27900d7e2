"""What an answer of Google Cloud KMS must bear out before it is used.

From the service's data-integrity guidelines: every answer's bytes match their CRC32C, the
service says that it checked ours, and the key it names is the one that was asked for. CRC32C
(RFC 3720) finds accidents, not attackers: those meet TLS, and for signatures the root's public
key. Pure: fields in, bytes out or `KmsCorrupted`.
"""

import google_crc32c
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from crypto.errors import BadSignature, KmsCorrupted, KmsKeyUnusable
from crypto.signing import verify_raw


def crc32c(data: bytes) -> int:
    """The CRC32C of `data`, as the service's `*_crc32c` fields hold it."""
    return int(google_crc32c.value(data))


def intact(data: bytes, checksum: int | None, what: str) -> bytes:
    """`data`, where the service's checksum is there and fits it."""
    if checksum is None:
        raise _corrupted(f"{what} came without its checksum")
    if checksum != crc32c(data):
        raise _corrupted(f"{what} does not match its checksum")
    return data


def received(verified: bool, what: str) -> None:
    """Return where the service says that it checked the checksum we sent with `what`."""
    if not verified:
        raise _corrupted(f"the service did not check what it received as {what}")


def from_key(name: str, key: str) -> str:
    """`name`, where it is `key`'s own or that of one of its versions."""
    if name != key and not name.startswith(f"{key}/cryptoKeyVersions/"):
        raise _corrupted(f"the answer is from key {name!r}, and {key} was asked")
    return name


def signed(signature: bytes, public: bytes, message: bytes) -> bytes:
    """`signature`, where it is `public`'s over `message`."""
    try:
        verify_raw(public, message, signature)
    except BadSignature as error:
        raise _corrupted("the signature is not the root's over what was sent") from error
    return signature


def ed25519_public(pem: str, key: str) -> bytes:
    """The raw public key in `pem`, which `key` answered."""
    try:
        public = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _corrupted(f"{key} answered no public key in PEM") from error
    if not isinstance(public, Ed25519PublicKey):
        raise KmsKeyUnusable(
            f"{key} holds no Ed25519 key",
            fix="make an asymmetric-signing key of algorithm ec-sign-ed25519 for kms.root_key",
        )
    return public.public_bytes_raw()


def _corrupted(what: str) -> KmsCorrupted:
    return KmsCorrupted(
        f"an answer of the key-management service was discarded: {what}",
        fix="try again; if it stays, something on the way to the service alters what passes",
    )
