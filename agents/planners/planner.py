"""The planner's contract: a pure function from a run's history to its next turn.

A planner sees the lease's tools and what its own proposals came to. It may be anything, a
model that was talked over included: nothing it returns is believed by anyone.
"""

from typing import Any, Protocol

from msgspec import Struct

from schemas.leases import Lease
from schemas.tools import Tool


class Step(Struct, frozen=True, kw_only=True):
    """One earlier proposal and what came of it.

    `outcome` is confirmed, failed, unknown or refused; `result` the tool's (None where it was
    refused); `change` the arguments the judge would approve, `wanted` what a person said should be
    different. `compensates` is the proposal that this one was to undo.
    """

    proposal: bytes
    tool: str
    arguments: dict[str, Any]
    outcome: str
    result: Any = None
    reason: str = ""
    change: dict[str, Any] | None = None
    wanted: str = ""
    compensates: bytes | None = None


class Answer(Struct, frozen=True, kw_only=True):
    """One model answer: the text, or the error that kept it from coming."""

    text: str
    error: str


class History(Struct, frozen=True, kw_only=True):
    """All that a planner may know."""

    lease: Lease
    tools: tuple[Tool, ...]
    steps: tuple[Step, ...] = ()
    answers: tuple[Answer, ...] = ()


class Propose(Struct, frozen=True, kw_only=True):
    """Ask for a tool to be run; `compensates` is the proposal that it is to undo."""

    tool: str
    arguments: dict[str, Any]
    purpose: str
    compensates: bytes | None = None


class Ask(Struct, frozen=True, kw_only=True):
    """Ask the model gateway for a completion of these chat messages."""

    messages: list[dict[str, str]]


class Finish(Struct, frozen=True, kw_only=True):
    """Be done. `claims` are the proposals said to have succeeded."""

    success: bool
    summary: str
    claims: tuple[bytes, ...] = ()


Turn = Propose | Ask | Finish


class Planner(Protocol):
    """See the module's docstring."""

    def next(self, history: History) -> Turn:
        """The next turn. Must be a function of `history` and the planner's own plan alone."""
        ...
