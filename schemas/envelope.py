"""The envelope: a payload with its signature, as it lies on the bus and in the ledger.

The message body is the msgpack array `[payload, key_id, signature]`. The signature is
Ed25519 over the DSSE pre-authentication encoding of (PAYLOAD_TYPE, payload), so a
signature for one purpose can never serve another (DSSE v1.0, protocol.md).
"""

from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from schemas.errors import UNREADABLE, MalformedEvent, Oversized
from schemas.events import MAX_EVENT_BYTES
from schemas.names import KeyId

PAYLOAD_TYPE: Final = "application/vnd.anyteam.event.v1+msgpack"
RECEIPT_TYPE: Final = "application/vnd.anyteam.receipt.v1+msgpack"
MAX_BODY_BYTES: Final = MAX_EVENT_BYTES + 256


class Envelope(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Signed bytes that nobody has verified yet."""

    payload: bytes
    key_id: KeyId
    signature: Annotated[bytes, Meta(min_length=64, max_length=64)]


_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(Envelope)


def encode_envelope(envelope: Envelope) -> bytes:
    """The message body for an envelope."""
    return _ENCODER.encode(envelope)


def decode_envelope(body: bytes) -> Envelope:
    """The envelope in a message body; nothing in it is verified. Raises a `SchemaError`.

    One envelope has one encoding: otherwise a broker could change an entry's bytes, and so its
    leaf, under the same signature.
    """
    if len(body) > MAX_BODY_BYTES:
        raise Oversized(f"message of {len(body)} bytes is over {MAX_BODY_BYTES}")
    try:
        envelope = _DECODER.decode(body)
    except UNREADABLE as error:
        raise MalformedEvent(f"not an envelope: {error}") from error
    if _ENCODER.encode(envelope) != body:
        raise MalformedEvent("not an envelope: encoded in another way than the one there is")
    return envelope
