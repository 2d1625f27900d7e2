"""The supervisor's one event, and what halts: a person, or the supervisor by a pattern."""

from typing import Annotated, Final

from msgspec import Meta

from schemas.names import Digest, Name, Text
from schemas.patterns import Response
from schemas.runs import Body, HaltEngaged, HaltScope

MAX_EVIDENCE: Final = 64


class SupervisorFlagged(Body, frozen=True, tag="supervisor.flagged"):
    """A pattern was met. `target` names the run, rep or agent; empty for the workspace.

    `evidence` are the digests of the events that met it, the first ones and the last where
    there are more than 64. A HALT stands, like a person's, until an admin releases that scope
    and target; so does a HOLD, under which each further effect needs a person's approval. Said
    of the workspace, outside any run, so that no run reads what was noticed about it.
    """

    pattern: Name
    response: Response
    scope: HaltScope
    target: str
    evidence: Annotated[tuple[Digest, ...], Meta(max_length=MAX_EVIDENCE)]
    reason: Text


def halted_by(body: object) -> tuple[HaltScope, str, str] | None:
    """(scope, target, reason) where this event's body engages a halt, whoever signed it."""
    if isinstance(body, HaltEngaged):
        return body.scope, body.target, body.reason
    if isinstance(body, SupervisorFlagged) and body.response is Response.HALT:
        return body.scope, body.target, body.reason
    return None
