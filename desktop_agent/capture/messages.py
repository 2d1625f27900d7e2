"""What goes into the process that holds sound and what comes out: one JSON object a line.

In: an `Order`, then words of control. Out: `Ready` once it listens, a `Segment` for each piece of
redacted text, and `Ended`. Nothing else leaves it, and no message has a place for sound.
"""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from schemas.confinement import Confinement
from schemas.names import Classification

MAX_LINE_BYTES: Final = 1 << 20


class Order(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to listen to and with what. `descriptor` is an open sound file; without one `device` is
    listened to, a number or part of a name, the system's default where it is None.

    `token_key` is the workspace's; `persons` and `organisations` are names to be known.
    """

    model: str
    language: str = "en"
    threads: Annotated[int, Meta(ge=1, le=64)] = 2
    descriptor: int | None = None
    device: int | str | None = None
    token_key: Annotated[bytes, Meta(min_length=32, max_length=32)]
    persons: tuple[str, ...] = ()
    organisations: tuple[str, ...] = ()
    walls_required: bool = True

    def __repr__(self) -> str:
        return "Order()"


class Ready(Struct, frozen=True, tag="ready"):
    """It listens; `confinement` is what stands around it."""

    confinement: Confinement


class Segment(Struct, frozen=True, kw_only=True, tag="segment"):
    """Redacted text from `start_ms` to `end_ms` since it began to listen. `masked` counts what was
    replaced, by kind; `classification` is that of what was said.
    """

    number: int
    start_ms: int
    end_ms: int
    text: str
    masked: dict[str, int]
    classification: Classification


class Ended(Struct, frozen=True, tag="ended"):
    """The sound is over: how long it was, and how many frames the machine was too slow for."""

    heard_ms: int
    dropped: int = 0


class Failed(Struct, frozen=True, tag="failed"):
    """It ends before its work was done: why, and what to do. `refused` where the system does not
    let it hear the device.
    """

    what: str
    fix: str
    refused: bool = False


Said = Ready | Segment | Ended | Failed
Control = Literal["pause", "resume", "stop"]

_ENCODER: Final = msgspec.json.Encoder()


def encode(message: Said | Order) -> bytes:
    """One line."""
    return _ENCODER.encode(message) + b"\n"


def decode_said(line: bytes) -> Said:
    """Raises one of `schemas.errors.UNREADABLE`."""
    said: Said = msgspec.json.decode(line, type=Said)
    return said


def decode_order(line: bytes) -> Order:
    """Raises one of `schemas.errors.UNREADABLE`."""
    return msgspec.json.decode(line, type=Order)
