"""The event: one signed fact or decision, and the union of all its bodies.

An event is encoded once, as msgpack, and never again: the bytes that were signed are
the bytes that are stored, hashed and exported. Unknown fields are refused, because a
reader that drops what it does not know would decide on less than was signed.
"""

import hashlib
from functools import lru_cache
from typing import Annotated, Final, Literal, get_args

import msgspec
from msgspec import Meta, Struct

from schemas import (
    access,
    actions,
    captures,
    destinations,
    erasure,
    memories,
    passkeys,
    runs,
    supervision,
    witnesses,
)
from schemas.errors import UNREADABLE, MalformedEvent, Oversized, UnknownVersion
from schemas.former import brought_up
from schemas.names import (
    CheckedEventId,
    CheckedName,
    Classification,
    Digest,
    Nanoseconds,
    Role,
    is_event_id,
    is_name,
)

MAX_EVENT_BYTES: Final = 512 * 1024
VERSION: Final = 1
_NAMED_CHARS: Final = 3 * 63

AnyBody = (
    runs.WorkspaceCreated
    | runs.KeyCertified
    | runs.KeyRevoked
    | runs.PolicySet
    | runs.EpochOpened
    | runs.RepActivated
    | runs.RepRevoked
    | runs.RunRequested
    | runs.RunRefused
    | runs.RunStarted
    | runs.RunParked
    | runs.PlanFinished
    | runs.RunCompleted
    | runs.RunHalted
    | runs.LeaseGranted
    | runs.LeaseRenewed
    | runs.LeaseRevoked
    | runs.LeaseExpired
    | runs.ContentKeyWrapped
    | runs.HaltEngaged
    | runs.HaltReleased
    | actions.ProposalMade
    | actions.ObservationRecorded
    | actions.VerdictGiven
    | actions.ApprovalRequested
    | actions.ApprovalDecided
    | actions.ActionStarted
    | actions.ActionRefused
    | actions.ActionFinished
    | actions.ReceiptIssued
    | actions.EntryRejected
    | actions.ModelRequested
    | actions.ReviewRequested
    | actions.ModelCalled
    | supervision.SupervisorFlagged
    | destinations.DestinationAllowed
    | destinations.DestinationRevalidated
    | destinations.DestinationUnverified
    | destinations.DestinationBlocked
    | destinations.DestinationReadmitted
    | destinations.DestinationExpired
    | memories.MemoryRetained
    | memories.MemoryForgotten
    | memories.MemoryWithdrawn
    | erasure.ContentErased
    | access.AccessGranted
    | access.AccessRevoked
    | access.TokenIssued
    | access.TokenRevoked
    | access.SessionOpened
    | access.SessionClosed
    | access.SignInLocked
    | passkeys.PasskeyEnrolled
    | passkeys.PasskeyAdmitted
    | passkeys.PasskeyRevoked
    | captures.CaptureStarted
    | captures.CapturePaused
    | captures.CaptureResumed
    | captures.CaptureStopped
    | captures.TranscriptSynced
    | witnesses.WitnessCosigned
    | witnesses.WitnessRefused
)


class Actor(Struct, frozen=True, forbid_unknown_fields=True):
    """Who speaks: a role, and which holder of it."""

    role: Role
    instance: CheckedName


class Event(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One event.

    `n` and `prev` chain the producer's events within one scope (a run, or the workspace
    where `run` is None): `n` counts from 0 and `prev` is the digest of the event before.
    `causes` are the digests of the events this one answers. `seen` is the highest ledger
    index its producer had folded when it decided, 0 for one who follows no ledger; with
    `at`, the producer's clock, it makes every decision derivable again.
    """

    v: Literal[1] = 1
    id: CheckedEventId
    workspace: CheckedName
    run: CheckedName | None
    actor: Actor
    n: Annotated[int, Meta(ge=0)]
    prev: Digest
    causes: Annotated[tuple[Digest, ...], Meta(max_length=1024)]
    seen: Annotated[int, Meta(ge=0)]
    at: Nanoseconds
    classification: Classification
    body: AnyBody

    @property
    def type(self) -> str:
        """The event's type, as in `proposal.made`."""
        return type_of(self.body)


_TYPES: Final = {kind: str(kind.__struct_config__.tag) for kind in get_args(AnyBody)}


def type_of(body: AnyBody) -> str:
    """The type that a body is tagged with."""
    return _TYPES[type(body)]


def tag_of(kind: type[AnyBody]) -> str:
    """The type that bodies of this class are tagged with."""
    return _TYPES[kind]


_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(Event)


class Frame(Struct, frozen=True, kw_only=True):
    """What an event of any version says around its body; the fields mean what `Event`'s do."""

    v: Annotated[int, Meta(ge=1)]
    workspace: CheckedName
    run: CheckedName | None
    actor: Actor
    n: Annotated[int, Meta(ge=0)]
    prev: Digest
    at: Nanoseconds


_FRAMES: Final = msgspec.msgpack.Decoder(Frame)


class _Version(Struct):
    v: int


def encode_event(event: Event) -> bytes:
    """The event's one and only encoding. Raises `Oversized`."""
    payload = _ENCODER.encode(event)
    if len(payload) > MAX_EVENT_BYTES:
        raise Oversized(
            f"event {event.type} of {len(payload)} bytes is over {MAX_EVENT_BYTES}",
            fix="put large content in a blob and its digest in the event",
        )
    return payload


def decode_event(payload: bytes) -> Event:
    """Decode without trusting: the result is not verified. Raises a `SchemaError`."""
    if len(payload) > MAX_EVENT_BYTES:
        raise Oversized(f"event of {len(payload)} bytes is over {MAX_EVENT_BYTES}")
    try:
        event = _DECODER.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        version = _version_of(payload)
        if version > VERSION:
            newer = UnknownVersion(
                f"an event of version {version}", fix="a release that reads that version"
            )
            newer.version = version
            raise newer from error
        event = _of_former_shape(payload, error)
    except RecursionError as error:
        raise MalformedEvent("not an event: nested too deeply") from error
    _check_frame(event)
    return event


def _of_former_shape(payload: bytes, problem: Exception) -> Event:
    """The event, where an earlier release wrote it; else `problem` is what is wrong with it."""
    raised = brought_up(payload)
    try:
        if raised is not None:
            return _DECODER.decode(raised)
    except UNREADABLE as error:
        raise MalformedEvent(f"not an event: {error}") from error
    raise MalformedEvent(f"not an event: {problem}") from problem


def _check_frame(event: Event) -> None:
    """The names that every event bears. msgspec would match each of them anew each time, which
    takes longer than the rest of decoding; those of live runs are few, and looked up.
    """
    if not is_event_id(event.id):
        raise MalformedEvent("not an event: its id is no UUIDv7 in lower case - at `$.id`")
    named = (event.workspace, event.actor.instance, event.run)
    # What is remembered is short: whoever signs may choose what is asked of it.
    known = len(named[0]) + len(named[1]) + len(named[2] or "") <= _NAMED_CHARS
    wrong = _misnamed(*named) if known else _misnamed.__wrapped__(*named)
    if wrong:
        raise MalformedEvent(f"not an event: no name - at `$.{wrong}`")


@lru_cache(maxsize=4_096)
def _misnamed(workspace: str, instance: str, run: str | None) -> str:
    """Which of an event's names is none, or an empty string."""
    if not is_name(workspace):
        return "workspace"
    if not is_name(instance):
        return "actor.instance"
    return "run" if run is not None and not is_name(run) else ""


def event_digest(payload: bytes) -> bytes:
    """SHA-256 of the signed payload: how `prev` and `causes` name an event."""
    return hashlib.sha256(payload).digest()


def frame_of(payload: bytes) -> Frame | None:
    """The frame of an event whose body this release may not know; None where it has none."""
    try:
        frame = _FRAMES.decode(payload)
    except UNREADABLE:
        return None
    names = (frame.workspace, frame.actor.instance, frame.run or "none")
    return frame if all(map(is_name, names)) else None


def _version_of(payload: bytes) -> int:
    try:
        return msgspec.msgpack.decode(payload, type=_Version).v
    except UNREADABLE:
        return 0
