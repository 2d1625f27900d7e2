"""The root of every error this project raises on purpose.

    AnyTeamError
    └── SchemaError            a value does not fit the vocabulary
        ├── MalformedEvent     bytes that are no event of ours
        ├── UnknownVersion     an event of a version this build does not read
        ├── Oversized          an event over the size every reader accepts
        └── BadName            a workspace, run, rep or tool name out of form

Each error says what is wrong, where, and what to do about it. The command line
prints exactly that and picks the exit code in one place.
"""

from typing import Final

import msgspec

UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for bytes from outside: out of form, no UTF-8, or nested too deeply. Whoever
decodes such bytes catches all three, and says so by an error of its own tree.
"""


class AnyTeamError(Exception):
    """What went wrong, where, and how to mend it.

    `what` is one sentence; `fix` is what the reader can do next, or empty where
    there is nothing to do. `exit_code` is what a command ends with.
    """

    exit_code = 1

    def __init__(self, what: str, *, fix: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.what} ({self.fix})" if self.fix else self.what


class SchemaError(AnyTeamError):
    """A value does not fit the vocabulary."""


class MalformedEvent(SchemaError):
    """Bytes that cannot be decoded to an event; the message names the field."""


class UnknownVersion(SchemaError):
    """An event of `version`, which is newer than any that this release reads."""

    version = 0


class Oversized(SchemaError):
    """An event over `MAX_EVENT_BYTES`."""


class BadName(SchemaError):
    """A name that could not stand as one token of a subject."""

    exit_code = 2
