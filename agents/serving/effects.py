"""What passes between a served run's decider and its socket, as data.

`Arrived` and `Leaving` come from outside, as results that no effect of ours asked for; the
others are for the endpoint to perform, and have no result.
"""

from typing import Any

from msgspec import Struct

from bus.decider import Effect
from schemas.leases import Lease
from schemas.tools import Tool


class Arrived(Effect, frozen=True, kw_only=True):
    """Somebody at the socket calls a tool."""

    tool: str
    arguments: dict[str, Any]
    purpose: str


class Leaving(Effect, frozen=True, kw_only=True):
    """Somebody at the socket says that the work is done."""

    success: bool
    summary: str


class Offer(Effect, frozen=True, kw_only=True):
    """The lease is in force: take calls for these tools."""

    lease: Lease
    tools: tuple[Tool, ...]


class Proposed(Effect, frozen=True, kw_only=True):
    """A call is on record as this proposal."""

    tool: str
    arguments: dict[str, Any]
    proposal: bytes


class Outcome(Struct, frozen=True, kw_only=True):
    """What came of a call; see `agents.serving.wire.Answered`."""

    outcome: str
    result: Any = None
    reason: str = ""
    fix: str = ""
    proposal: bytes = b""
    receipt: bytes = b""
    change: dict[str, Any] | None = None
    wanted: str = ""

    @property
    def final(self) -> bool:
        """Whether nothing more will come of it."""
        return self.outcome not in ("held", "pending")


class Reply(Effect, frozen=True, kw_only=True):
    """Tell whoever called this tool with these arguments."""

    tool: str
    arguments: dict[str, Any]
    outcome: Outcome


class Over(Effect, frozen=True, kw_only=True):
    """The run has ended: no call is taken any more."""
