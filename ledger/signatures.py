"""Signatures checked ahead of the entries' turn, in batches that any process can check.

Rule: a batch's answer is never more than "these bytes verify under this public key". Which
key an entry must verify under is `crypto.trust`'s to say, in order; it takes the answer only
where it is for that very key, and checks by itself otherwise. So the keys that a batch is
tried under may be mere claims, read from grants that nobody has verified yet.

Pure. Memory is bounded: of the claimed keys those used last are kept.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
from msgspec import Struct

from crypto.errors import BadSignature
from crypto.signing import key_id_of, verify
from ledger.export import ExportedEntry
from schemas.envelope import PAYLOAD_TYPE, decode_envelope
from schemas.errors import SchemaError
from schemas.events import decode_event
from schemas.runs import KeyCertified, LeaseGranted, LeaseRenewed

BATCH_ENTRIES: Final = 96  # under 256: a place is a byte
BATCH_BYTES: Final = 56 * 1024
"""A batch fits into a pipe whole (64 KiB on Linux), so that handing it over never waits."""
MAX_KEYS: Final = 8_192

UNKNOWN: Final = b""
"""No answer for an entry: its key is not known, or its signature does not verify."""


_ENCODER: Final = msgspec.msgpack.Encoder()


class Batch(Struct, frozen=True, array_like=True):
    """Message bodies to check, and the public keys claimed since the batch before."""

    keys: tuple[bytes, ...]
    bodies: tuple[bytes, ...]


_BATCH: Final = msgspec.msgpack.Decoder(Batch)
_ANSWERS: Final = msgspec.msgpack.Decoder(tuple[tuple[bytes, ...], bytes])


def encode_batch(batch: Batch) -> bytes:
    """The batch as it goes to a helper."""
    return _ENCODER.encode(batch)


def decode_batch(data: bytes) -> Batch:
    """What `encode_batch` made."""
    return _BATCH.decode(data)


def encode_answers(answers: Sequence[bytes]) -> bytes:
    """A batch's answers as they come back: each key once, and its place for each entry."""
    places = {public: place for place, public in enumerate(dict.fromkeys(answers))}
    return _ENCODER.encode((list(places), bytes(places[public] for public in answers)))


def decode_answers(data: bytes) -> list[bytes]:
    """What `encode_answers` made."""
    publics, places = _ANSWERS.decode(data)
    return [publics[place] for place in places]


class Keys:
    """The public keys that signatures are tried under, by key id; `MAX_KEYS`, those used last."""

    def __init__(self) -> None:
        self._known: dict[bytes, bytes] = {}

    def learn(self, publics: Iterable[bytes]) -> None:
        """Take in claimed keys."""
        for public in publics:
            self._use(key_id_of(public), public)
            if len(self._known) > MAX_KEYS:
                del self._known[next(iter(self._known))]

    def check(self, bodies: Iterable[bytes]) -> list[bytes]:
        """For each body the public key that it verifies under, or `UNKNOWN`."""
        return [self._check(body) for body in bodies]

    def _check(self, body: bytes) -> bytes:
        try:
            envelope = decode_envelope(body)
            public = self._known.get(envelope.key_id)
            if public is None:
                return UNKNOWN
            self._use(envelope.key_id, public)
            verify(public, PAYLOAD_TYPE, envelope.payload, envelope.signature)
        except (SchemaError, BadSignature):
            return UNKNOWN
        return public

    def _use(self, key_id: bytes, public: bytes) -> None:
        """The least recently used key is the first in the map, and the first to be dropped."""
        self._known.pop(key_id, None)
        self._known[key_id] = public


def claimed_keys(entry: ExportedEntry) -> tuple[bytes, ...]:
    """The public keys that an entry would certify if it were valid."""
    # Grants lie on two topics or are refused; nothing else is worth decoding here.
    if not entry.subject.endswith((".lease", ".key")):
        return ()
    try:
        body = decode_event(decode_envelope(entry.body).payload).body
    except SchemaError:
        return ()
    if isinstance(body, KeyCertified):
        return (body.certificate.public_key,)
    if isinstance(body, LeaseGranted | LeaseRenewed):
        return tuple(granted.public_key for granted in body.lease.keys)
    return ()


def full(entries: Sequence[ExportedEntry], size: int) -> bool:
    """Whether a batch of these entries, of `size` bytes together, takes no more."""
    return len(entries) >= BATCH_ENTRIES or size >= BATCH_BYTES
