"""Signatures checked ahead of the entries' turn, in batches that any process can check.

Rule: an answer is never more than "these bytes verify under this public key". Which key an
entry must verify under is `crypto.trust`'s to say, in order; it takes an answer only where it
is to the very question it asks, and checks by itself otherwise. So the keys that are tried may
be mere claims, read from grants that nobody has verified yet.

An entry is taken apart once, here, for the check and for its turn. Pure. Memory is bounded:
of the claimed keys those used last are kept.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct

from crypto.errors import Unreadable
from crypto.opening import Opened, open_body
from crypto.signing import key_id_of, pae
from ledger.checking import Check
from ledger.export import ExportedEntry
from schemas.actions import ReceiptIssued
from schemas.envelope import PAYLOAD_TYPE, RECEIPT_TYPE
from schemas.names import Role
from schemas.runs import KeyCertified, LeaseGranted, LeaseRenewed

_LEASES: Final = (LeaseGranted, LeaseRenewed)

MAX_KEYS: Final = 2_048

RECEIPTS: Final = "receipts"
"""The instance of the sidecar whose key signs receipts, inside the events that carry them."""


class Question(Struct, frozen=True):
    """Whether `signature` is `public`'s over PAE(`payload_type`, `payload`) (`crypto.signing`)."""

    public: bytes
    payload_type: str
    payload: bytes
    signature: bytes

    @property
    def check(self) -> Check:
        """The question as a helper takes it."""
        return self.public, pae(self.payload_type, self.payload), self.signature


class Known(Struct, frozen=True):
    """An entry, taken apart or found unreadable, and those of its signatures seen to hold."""

    entry: ExportedEntry
    opened: Opened | Unreadable
    held: tuple[Question, ...] = ()


class Keys:
    """The public keys that signatures are tried under, by key id; `MAX_KEYS`, those used last.

    Without `receipts`, for a reader that takes no receipt's word, nothing is asked of theirs.
    """

    def __init__(self, root_public: bytes, *, receipts: bool = True) -> None:
        self._ask_receipts = receipts
        self._known: dict[bytes, bytes] = {}
        self._receipts: bytes | None = None
        self._learn(root_public)

    def questions(self, opened: Opened, *, receipt_alone: bool = False) -> tuple[Question, ...]:
        """What there is to ask of an entry, under the keys claimed so far; takes in its own claims.

        `receipt_alone` leaves out the event's own signature.
        """
        envelope, body = opened.envelope, opened.event.body
        asked: tuple[Question, ...] = ()
        public = self._known.get(envelope.key_id)
        if public is not None and not receipt_alone:
            self._use(envelope.key_id, public)
            asked = (Question(public, PAYLOAD_TYPE, envelope.payload, envelope.signature),)
        if isinstance(body, ReceiptIssued):
            if self._receipts is not None and self._ask_receipts:
                receipt = Question(self._receipts, RECEIPT_TYPE, body.receipt, body.signature)
                return (*asked, receipt)
        elif isinstance(body, _LEASES):
            for granted in body.lease.keys:
                self._learn(granted.public_key)
        elif isinstance(body, KeyCertified):
            certificate = body.certificate
            if certificate.role is Role.SIDECAR and certificate.instance == RECEIPTS:
                self._receipts = certificate.public_key
            else:
                self._learn(certificate.public_key)
        return asked

    def _learn(self, public: bytes) -> None:
        self._use(key_id_of(public), public)
        if len(self._known) > MAX_KEYS:
            del self._known[next(iter(self._known))]

    def _use(self, key_id: bytes, public: bytes) -> None:
        """The least recently used key is the first in the map, and the first to be dropped."""
        self._known.pop(key_id, None)
        self._known[key_id] = public


def opened_or_not(entry: ExportedEntry) -> Opened | Unreadable:
    """The entry taken apart, or why it cannot be."""
    try:
        return open_body(entry.body)
    except Unreadable as error:
        return error


def unasked(entries: Iterable[ExportedEntry], _skip: int = 0) -> Iterator[Known]:
    """Every entry in order, taken apart, with nothing known of its signatures."""
    return (Known(entry, opened_or_not(entry)) for entry in entries)
