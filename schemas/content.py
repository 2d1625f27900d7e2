"""Content: the part of an event that can be sealed, and later erased.

`Plain` holds canonical JSON (RFC 8785's key order, as msgspec writes it);
`Sealed` holds the same bytes under AES-256-GCM. The signature and the chain cover
whichever form was published, so destroying the key erases the content and leaves
both whole.
"""

import hashlib
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

_ENCODER: Final = msgspec.json.Encoder(order="deterministic")


class Plain(Struct, frozen=True, forbid_unknown_fields=True, tag="plain", tag_field="form"):
    """Content in the clear: canonical JSON bytes."""

    data: bytes


class Sealed(Struct, frozen=True, forbid_unknown_fields=True, tag="sealed", tag_field="form"):
    """Content under AES-256-GCM; `key` names the key (a run, or a data subject)."""

    key: str
    nonce: Annotated[bytes, Meta(min_length=12, max_length=12)]
    ciphertext: Annotated[bytes, Meta(min_length=16)]


Content = Plain | Sealed


def plain(value: object) -> Plain:
    """`value` (anything JSON can say) as content in the clear."""
    return Plain(_ENCODER.encode(value))


def value_of(content: Content) -> Any:
    """The JSON value of plain content. Raises TypeError for sealed content: open it first."""
    if isinstance(content, Sealed):
        raise TypeError(f"content is sealed under key {content.key!r}; open it first")
    return msgspec.json.decode(content.data)


def opened(content: Content) -> Any:
    """The JSON value of plain content; None where it is sealed or is no JSON.

    For content that somebody else wrote: what cannot be read is as good as not there.
    """
    if isinstance(content, Sealed):
        return None
    try:
        return msgspec.json.decode(content.data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def content_digest(content: Content) -> bytes:
    """SHA-256 of the content as published, so it betrays nothing once the key is gone."""
    return hashlib.sha256(msgspec.msgpack.encode(content)).digest()
