"""Names, digests and classifications: the scalars every other schema is built from.

A name stands as one token of a NATS subject, so it can hold no dot, blank or
wildcard. Digests are SHA-256, 32 raw bytes. Times are nanoseconds since the
Unix epoch, UTC.
"""

import re
from enum import Enum
from typing import Annotated, Final

from msgspec import Meta

from schemas.errors import BadName

# Python's `$` also matches before a final newline; the look-ahead shuts that out.
_NAME_PATTERN: Final = r"^[a-z0-9][a-z0-9_-]{0,62}$(?!\n)"
_EVENT_ID_PATTERN: Final = (
    r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$(?!\n)"
)
Name = Annotated[str, Meta(pattern=_NAME_PATTERN, description="one subject token")]
ToolName = Annotated[
    str, Meta(pattern=r"^[a-z0-9][a-z0-9_.-]{0,62}$(?!\n)", description="area.verb")
]
EventId = Annotated[
    str, Meta(pattern=_EVENT_ID_PATTERN, description="UUIDv7 (RFC 9562 section 5.7)")
]
CheckedName = Annotated[
    str, Meta(extra_json_schema={"pattern": _NAME_PATTERN}, description="one subject token")
]
"""A `Name` of the event's frame, which `schemas.events` checks itself, by `is_name`."""
CheckedEventId = Annotated[
    str,
    Meta(
        extra_json_schema={"pattern": _EVENT_ID_PATTERN},
        description="UUIDv7 (RFC 9562 section 5.7)",
    ),
]
"""An `EventId` of the event's frame, checked in the same way, by `is_event_id`."""
Digest = Annotated[bytes, Meta(min_length=32, max_length=32, description="SHA-256")]
KeyId = Annotated[bytes, Meta(min_length=16, max_length=16, description="SHA-256(public key)[:16]")]
PublicKey = Annotated[
    bytes, Meta(min_length=32, max_length=32, description="raw Ed25519 or X25519")
]
Nanoseconds = Annotated[int, Meta(ge=0, le=2**63 - 1, description="ns since the Unix epoch, UTC")]
TEXT_CHARS = 4096
Text = Annotated[str, Meta(max_length=TEXT_CHARS)]

NO_DIGEST: Final = bytes(32)
SECOND: Final = 1_000_000_000

_NAME: Final = re.compile(_NAME_PATTERN)
_EVENT_ID: Final = re.compile(_EVENT_ID_PATTERN)


def is_name(value: str) -> bool:
    """Whether `value` is a `Name`."""
    return _NAME.match(value) is not None


def is_event_id(value: str) -> bool:
    """Whether `value` is an `EventId`."""
    return _EVENT_ID.match(value) is not None


def check_name(value: str, what: str) -> str:
    """Return `value` if it is a `Name`; raise `BadName` saying which `what` is wrong."""
    if not is_name(value):
        raise BadName(
            f"{what} {value!r} is not a name",
            fix="use 1 to 63 of a-z, 0-9, - and _, starting with a letter or digit",
        )
    return value


class Classification(Enum):
    """How far content may travel. CONFIDENTIAL and above is sealed inside its event."""

    PUBLIC = "PUBLIC"
    INTERNAL = "INTERNAL"
    CONFIDENTIAL = "CONFIDENTIAL"
    RESTRICTED = "RESTRICTED"

    @property
    def rank(self) -> int:
        """0 for PUBLIC up to 3 for RESTRICTED."""
        return _RANKS[self]

    @property
    def sealed(self) -> bool:
        """Whether content of this classification must be sealed inside its event."""
        return _RANKS[self] >= _RANKS[Classification.CONFIDENTIAL]


_RANKS: Final = {c: i for i, c in enumerate(Classification)}


class Role(Enum):
    """Who may sign what: see `schemas.authority`."""

    ROOT = "root"
    ORCHESTRATOR = "orchestrator"
    RUNTIME = "runtime"
    JUDGE = "judge"
    SIDECAR = "sidecar"
    SUPERVISOR = "supervisor"
    PROJECTOR = "projector"
    REP = "rep"
    ADMIN = "admin"
    WEBHOOKS = "webhooks"
    CONSOLE = "console"
    DEVICE = "device"
    FEEDER = "feeder"
