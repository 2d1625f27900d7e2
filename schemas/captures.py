"""What a rep's device says: that it listens, and the redacted transcript of what it heard.

No event has a place for sound. Text was redacted on the device before it was queued, and is
sealed under the key of its capture; it is untrusted wherever it is read, since anybody may
have spoken.
"""

from typing import Annotated

from msgspec import Meta

from schemas.content import Content
from schemas.names import Classification, Text
from schemas.runs import Body

MAX_CAPTURES = 500
"""How many captures a device is given keys for, once."""

CaptureNumber = Annotated[int, Meta(ge=1, le=MAX_CAPTURES, description="the device's own count")]
Milliseconds = Annotated[int, Meta(ge=0, description="since the capture began")]


class CaptureStarted(Body, frozen=True, tag="capture.started"):
    """The device listens from here on. `source` says to what; `consent` is the rep's own note."""

    capture: CaptureNumber
    source: Text
    consent: Text = ""


class CapturePaused(Body, frozen=True, tag="capture.paused"):
    """It hears nothing until `capture.resumed`."""

    capture: CaptureNumber


class CaptureResumed(Body, frozen=True, tag="capture.resumed"):
    """It listens again."""

    capture: CaptureNumber


class CaptureStopped(Body, frozen=True, tag="capture.stopped"):
    """The capture is over; of its segments `withdrawn` were taken back by then, and never left."""

    capture: CaptureNumber
    withdrawn: Annotated[int, Meta(ge=0)] = 0


class TranscriptSynced(Body, frozen=True, tag="transcript.synced"):
    """One segment of what was said, redacted. `segment` counts within the capture from 1.

    `speaker` is who is heard on that source as far as the device can tell: voices are not told
    apart. `masked` counts what was replaced, by kind; `sensitivity` is that of what was said.
    """

    capture: CaptureNumber
    segment: Annotated[int, Meta(ge=1)]
    start_ms: Milliseconds
    end_ms: Milliseconds
    speaker: Text
    text: Content
    masked: dict[str, int]
    sensitivity: Classification


def capture_scope(device: str, capture: int) -> str:
    """What the keys of a capture's content follow from, as a run's do from its name."""
    return f"capture.{device}.{capture}"
