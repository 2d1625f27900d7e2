"""What a `crypto.trust.Trust` has learned, as data: keys, and where each producer's chain is."""

from collections.abc import MutableMapping
from typing import Final

import msgspec
from msgspec import Struct

from schemas.leases import Certificate


class Head(Struct, frozen=True):
    """The last accepted event of one producer in one scope."""

    n: int
    digest: bytes


class KnownHead(Struct, frozen=True, array_like=True):
    """A producer's head in one scope."""

    key_id: bytes
    n: int
    digest: bytes


_ENCODER: Final = msgspec.msgpack.Encoder()
_HEADS: Final = msgspec.msgpack.Decoder(tuple[KnownHead, ...])

EndedRuns = MutableMapping[str, bytes]
"""Run -> the heads of those who spoke in it, packed. Runs that are over take next to no memory
so, and none where the map lies elsewhere; what they say late is still held to their chains."""


class KnownKeys(Struct, frozen=True, kw_only=True):
    """All that a `Trust` has learned, as data. Whoever brings it back vouches for it."""

    workspace: str
    root: bytes
    keys: tuple[Certificate, ...]
    heads: tuple[tuple[str | None, bytes], ...]
    ended: dict[str, bytes]
    run_keys: dict[str, tuple[bytes, ...]]
    created: bool
    version: int = 1


def packed(heads: dict[bytes, Head]) -> bytes:
    """The heads of one scope, for a run that is over."""
    return _ENCODER.encode([KnownHead(key_id, h.n, h.digest) for key_id, h in heads.items()])


def unpacked(packed: bytes | None) -> dict[bytes, Head]:
    """The inverse; no heads of a scope in which nobody spoke."""
    if packed is None:
        return {}
    return {known.key_id: Head(known.n, known.digest) for known in _HEADS.decode(packed)}
