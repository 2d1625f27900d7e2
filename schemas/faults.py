"""What may be said of a fault outside: where in the code and of which kind, not what it was about.

There is no field for a message, a value, an argument or a name, so there is none to be scrubbed.
What cannot be the name of code is not taken: a component that is taken over could say anything.
"""

from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

MOST_FRAMES: Final = 60
MOST_CAUSES: Final = 5

CodeName = Annotated[str, Meta(pattern=r"^[A-Za-z_<][A-Za-z0-9_.<>]*$(?!\n)", max_length=160)]
"""Of a module, a class or a function: `bus.shell`, `_read.<locals>.one`, `<lambda>`."""


class Frame(Struct, frozen=True, forbid_unknown_fields=True):
    """One step of a traceback. The file is not said: its path is of this machine."""

    module: CodeName
    function: CodeName
    line: Annotated[int, Meta(ge=0, le=10_000_000)]


class Raised(Struct, frozen=True, forbid_unknown_fields=True):
    """An exception's class, and where it came from, outermost first."""

    kind: CodeName
    frames: Annotated[tuple[Frame, ...], Meta(max_length=MOST_FRAMES)]


class Fault(Struct, frozen=True, forbid_unknown_fields=True):
    """What ended a component: the exception, then what caused it. Sent as one JSON line."""

    raised: Annotated[tuple[Raised, ...], Meta(min_length=1, max_length=MOST_CAUSES)]


def encode_fault(fault: Fault) -> bytes:
    """The line, newline included."""
    return msgspec.json.encode(fault) + b"\n"


def read_fault(said: bytes) -> Fault | None:
    """The last line of what a component said, where that is a fault in form."""
    lines = said.splitlines()
    try:
        return msgspec.json.decode(lines[-1], type=Fault) if lines else None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
