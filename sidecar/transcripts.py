"""What the workspace's devices heard of late: a fold over its ledger, and what a run is told of it.

Pure, and bounded by `MAX_HEARD` segments: older ones stay on the ledger. A run is told what its own
rep's devices heard and no more, and of what is restricted only that it is.
"""

from typing import Any, Final

import msgspec
from immutables import Map
from msgspec import Struct

from bus.decider import Recorded
from schemas.captures import TranscriptSynced, capture_scope
from schemas.content import opened
from schemas.erasure import ContentErased, ContentField
from schemas.names import Classification, Role
from schemas.runs import KeyCertified
from sidecar.effects import Answer

MAX_HEARD: Final = 2_000


class Segment(Struct, frozen=True, kw_only=True):
    """One segment. `text` is None where its content does not open; such a one is not told."""

    device: str
    event: str
    index: int
    at: int
    capture: int
    speaker: str
    start_ms: int
    end_ms: int
    sensitivity: Classification
    text: str | None

    @property
    def field(self) -> ContentField:
        """What its text is called where it is erased."""
        scope = capture_scope(self.device, self.capture)
        return ContentField(run=scope, event=self.event, name="text")


class Heard(Struct, frozen=True):
    """`reps` is whose each device is; `segments` are numbered from `first` up to `after`."""

    reps: Map[str, str] = Map()
    segments: Map[int, Segment] = Map()
    first: int = 0
    after: int = 0


def evolve(heard: Heard, entry: Recorded) -> Heard:
    """What was heard after one entry; the same object where it says nothing of it."""
    body, event = entry.event.body, entry.event
    if isinstance(body, KeyCertified) and body.certificate.role is Role.DEVICE:
        reps = heard.reps.set(body.certificate.instance, body.certificate.rep or "")
        return msgspec.structs.replace(heard, reps=reps)
    if isinstance(body, TranscriptSynced):
        said = opened(body.text)
        segment = Segment(
            device=event.actor.instance,
            event=event.id,
            index=entry.index,
            at=event.at,
            capture=body.capture,
            speaker=body.speaker,
            start_ms=body.start_ms,
            end_ms=body.end_ms,
            sensitivity=body.sensitivity,
            text=said if isinstance(said, str) else None,
        )
        return _with(heard, segment)
    if isinstance(body, ContentErased):
        return _without(heard, frozenset(body.fields))
    return heard


def heard_by(heard: Heard, arguments: dict[str, Any], *, rep: str) -> Answer:
    """What a run of `rep` is told, the oldest first."""
    limit, before = int(arguments.get("limit", 50)), int(arguments.get("before", 0))
    capture = str(arguments.get("capture", ""))
    found: list[dict[str, Any]] = []
    for number in range(heard.after - 1, heard.first - 1, -1):
        one = heard.segments[number]
        if len(found) == limit:
            break
        if one.text is None or heard.reps.get(one.device) != rep:
            continue
        if (before and one.index >= before) or capture not in ("", _capture(one)):
            continue
        found.append(_told(one))
    return Answer(result={"segments": found[::-1]})


def _told(one: Segment) -> dict[str, Any]:
    restricted = one.sensitivity is Classification.RESTRICTED
    return {
        "capture": _capture(one),
        "entry": one.index,
        "speaker": one.speaker,
        "start_s": one.start_ms // 1_000,
        "end_s": one.end_ms // 1_000,
        "text": "(restricted: ask a person)" if restricted else one.text,
        "classification": one.sensitivity.value,
    }


def _capture(one: Segment) -> str:
    return f"{one.device}/{one.capture}"


def _with(heard: Heard, segment: Segment) -> Heard:
    segments, first = heard.segments.set(heard.after, segment), heard.first
    if len(segments) > MAX_HEARD:
        segments, first = segments.delete(first), first + 1
    return Heard(heard.reps, segments, first, heard.after + 1)


def _without(heard: Heard, erased: frozenset[ContentField]) -> Heard:
    segments = heard.segments
    for number, one in segments.items():
        if one.field in erased:
            segments = segments.set(number, msgspec.structs.replace(one, text=None))
    return msgspec.structs.replace(heard, segments=segments)
