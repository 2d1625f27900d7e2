"""What the API takes: path, query and body of each operation, with their bounds.

Whatever is not named here is refused by name, so that a misspelt field is no silent default.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from schemas.actions import Decision
from schemas.leases import Unanswered
from schemas.names import Name, ToolName
from schemas.runs import HaltScope
from schemas.tools import Effect

Digest = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$", description="in hex")]
Cursor = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9_-]{1,200}$", description="`next` of the page before, as it was")
]
Limit = Annotated[int, Meta(ge=1, le=200, description="how many at most")]
Note = Annotated[str, Meta(max_length=1_900)]
Line = Annotated[str, Meta(min_length=1, max_length=320)]
Lines = Annotated[list[Line], Meta(max_length=200)]


class Nothing(Struct, frozen=True, forbid_unknown_fields=True):
    """No parameters."""


class OfRun(Struct, frozen=True):
    """A run by its name."""

    run: str


class OfProposal(Struct, frozen=True):
    """A proposal by its digest."""

    proposal: Digest


class OfClaim(Struct, frozen=True):
    """A claim by its name."""

    claim: str


class OfIndex(Struct, frozen=True):
    """An entry, or the event that it holds, by its index."""

    index: Annotated[int, Meta(ge=1)]


class Paged(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A part of a list."""

    cursor: Cursor | None = None
    limit: Limit = 50


class Runs(Paged, frozen=True, kw_only=True):
    """Runs of one state, or with some words."""

    state: str | None = None
    q: Annotated[str, Meta(max_length=200, description="words of run, rep, agent, intent")] = ""


class Halts(Paged, frozen=True, kw_only=True):
    """Halts in force alone, or all."""

    which: Literal["in_force", "all"] = "all"


class Entries(Paged, frozen=True, kw_only=True):
    """Entries in the ledger's order. `after` is where to begin; a cursor goes before it."""

    after: Annotated[int, Meta(ge=0, le=2**53 - 1)] = 0


class RunWish(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A run asked for, signed as the rep that the token's account is. Bounds as of an intent."""

    agent: Name
    summary: Annotated[str, Meta(min_length=1, max_length=4_000)]
    tools: Annotated[list[ToolName], Meta(min_length=1, max_length=200)]
    effects: list[Effect] = []
    destinations: Lines = []
    objects: Lines = []
    together: bool = False
    unanswered: Unanswered = Unanswered.GO_ON
    ttl_s: Annotated[int, Meta(ge=1, le=604_800)] = 900


class Answer(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Approve or deny exactly this proposal. With `change` as the decision it is denied, and the
    agent is told the text of `change`.
    """

    decision: Decision
    note: Note = ""
    change: Note = ""


class HaltWish(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to stop. `target` names the run, rep or agent; empty for workspace and platform."""

    scope: HaltScope
    target: Annotated[str, Meta(max_length=200)] = ""
    reason: Note = ""


class ReleaseWish(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Why a halt is lifted."""

    reason: Note = ""
