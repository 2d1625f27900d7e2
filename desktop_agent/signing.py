"""A device's event: content sealed under its capture's key, signed, next of its chain. Pure, but
for the chance that ids and nonces need.
"""

import msgspec
from msgspec import Struct

from bus.commands import Publish
from crypto.eventids import new_event_id
from crypto.known import Head
from crypto.sealing import seal_body
from desktop_agent.enrolled import Enrolled
from schemas.captures import (
    CapturePaused,
    CaptureResumed,
    CaptureStarted,
    CaptureStopped,
    TranscriptSynced,
    capture_scope,
)
from schemas.envelope import encode_envelope
from schemas.events import Actor, Event, encode_event, event_digest
from schemas.names import NO_DIGEST, Classification, Role

Said = CaptureStarted | CapturePaused | CaptureResumed | CaptureStopped | TranscriptSynced


class Noted(Struct, frozen=True):
    """What is to be said, and when it happened (ns since the epoch)."""

    at: int
    body: Said


def signed(enrolled: Enrolled, head: Head | None, noted: Noted) -> tuple[Publish, Head]:
    """The message for `noted`, which follows `head`, and the head after it."""
    given, body = enrolled.admission, noted.body
    event_id = new_event_id(noted.at)
    classification = Classification.INTERNAL
    if isinstance(body, TranscriptSynced):
        scope = capture_scope(given.device, body.capture)
        key = given.captures[body.capture - 1]
        sealed = seal_body(body, event_id, given.workspace, scope, key)
        # Whatever is left of a conversation is confidential at least.
        ranked = (body.sensitivity, Classification.CONFIDENTIAL)
        classification = max(ranked, key=lambda one: one.rank)
    else:
        sealed = body
    event = Event(
        id=event_id,
        workspace=given.workspace,
        run=None,
        actor=Actor(Role.DEVICE, given.device),
        n=head.n + 1 if head else 0,
        prev=head.digest if head else NO_DIGEST,
        causes=(),
        seen=0,
        at=noted.at,
        classification=classification,
        body=sealed,
    )
    payload = encode_event(event)
    envelope = encode_envelope(enrolled.signer.envelope(payload))
    message = Publish(event_id, event_id, enrolled.subject, envelope, None)
    return message, Head(event.n, event_digest(payload))


def encode_noted(noted: Noted) -> bytes:
    """MessagePack."""
    return msgspec.msgpack.encode(noted)
