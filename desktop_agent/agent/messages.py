"""What a program with a face says to the agent, and what it is told: one JSON object a line.

The program asks, the agent does: it alone has settings, keys, queue and capture. All text that
goes to the program is redacted.
"""

from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

MAX_LINE_BYTES: Final = 1 << 20

Source = int | str | None
"""A device's number or part of its name; the system's default where it is None."""


class Start(Struct, frozen=True, kw_only=True, tag="start"):
    """Listen to `source`, or to the sound file `file` where one is named."""

    source: Source = None
    file: str = ""
    consent: Annotated[str, Meta(max_length=500)] = ""


class Pause(Struct, frozen=True, tag="pause"):
    """Hear nothing until `Resume`."""


class Resume(Struct, frozen=True, tag="resume"):
    """Hear again."""


class Stop(Struct, frozen=True, tag="stop"):
    """Hear nothing more, and say what was heard before."""


class Withdraw(Struct, frozen=True, tag="withdraw"):
    """Take the held segment `number` back."""

    number: int


class Change(Struct, frozen=True, kw_only=True, tag="change"):
    """Change these settings in `desktop.toml`, and no other."""

    device: Source
    consent: str
    hold_s: int
    persons: tuple[str, ...]
    organisations: tuple[str, ...]


class AskSources(Struct, frozen=True, tag="sources"):
    """What can be listened to by now?"""


Word = Start | Pause | Resume | Stop | Withdraw | Change | AskSources


class Here(Struct, frozen=True, kw_only=True, tag="here"):
    """Which machine this is and its settings; `device` is empty where it is not enrolled."""

    workspace: str
    device: str
    rep: str
    source: Source
    consent: str
    hold_s: int
    persons: tuple[str, ...]
    organisations: tuple[str, ...]


class Choice(Struct, frozen=True, kw_only=True):
    """Something that can be listened to."""

    number: int
    name: str
    default: bool


class Choices(Struct, frozen=True, tag="choices"):
    """All that can be listened to; `why` says what is wrong where there is nothing."""

    sources: tuple[Choice, ...]
    why: str = ""


class Listening(Struct, frozen=True, tag="listening"):
    """It hears, from now on. `absent` names walls that this system could not build."""

    absent: tuple[str, ...] = ()


class Paused(Struct, frozen=True, tag="paused"):
    """It hears nothing, or hears again."""

    paused: bool


class Heard(Struct, frozen=True, kw_only=True, tag="heard"):
    """A segment, redacted. `number` is what it can be withdrawn by until `due` (ns); None where it
    is not kept, since this machine is no device of a workspace.
    """

    number: int | None
    due: int
    start_ms: int
    text: str


class Left(Struct, frozen=True, kw_only=True, tag="left"):
    """The segment is held no more: it was signed, to be sent, or `withdrawn`."""

    number: int
    withdrawn: bool


class Stopped(Struct, frozen=True, tag="stopped"):
    """It listens no more. `dropped` frames were lost, the machine being too slow."""

    dropped: int = 0


class Failed(Struct, frozen=True, kw_only=True, tag="failed"):
    """What was asked could not be done, and what to do. `refused`: the system does not let this
    program hear the device. `capture`: what listened, or was to listen, does not.
    """

    what: str
    fix: str
    refused: bool = False
    capture: bool = False


class Queued(Struct, frozen=True, tag="queued"):
    """How many items are held, and signed and on their way; why they do not arrive, if so."""

    held: int
    outgoing: int
    away: str = ""


Told = Here | Choices | Listening | Paused | Heard | Left | Stopped | Failed | Queued

_ENCODER: Final = msgspec.json.Encoder()


def encode(message: Told | Word) -> bytes:
    """One line."""
    return _ENCODER.encode(message) + b"\n"


def decode_word(line: bytes) -> Word:
    """Raises `msgspec.DecodeError`."""
    word: Word = msgspec.json.decode(line, type=Word)
    return word


def decode_told(line: bytes) -> Told:
    """Raises `msgspec.DecodeError`."""
    told: Told = msgspec.json.decode(line, type=Told)
    return told
