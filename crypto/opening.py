"""A message body taken apart: envelope and event, of which nothing is verified yet."""

from msgspec import Struct

from crypto.errors import Unraised, Unreadable
from schemas.envelope import Envelope, decode_envelope
from schemas.errors import SchemaError, UnknownVersion
from schemas.events import Event, decode_event


class Opened(Struct, frozen=True):
    """A message body taken apart. Nothing in it is verified."""

    envelope: Envelope
    event: Event


def open_body(body: bytes) -> Opened:
    """Rule 1 alone, which rests on the bytes and on nothing before them. Raises `Unreadable`."""
    try:
        envelope = decode_envelope(body)
        return Opened(envelope, decode_event(envelope.payload))
    except UnknownVersion as error:
        newer = unraised(error.version)
        newer.body = body
        raise newer from error
    except SchemaError as error:
        raise Unreadable(error.what) from error


def unraised(version: int) -> Unraised:
    """An event above the version in force, in the same words by every release: the sidecar puts
    them on the ledger.
    """
    return Unraised(f"an event of version {version}, which the root has not raised this ledger to")
