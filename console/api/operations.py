"""Every operation of the API: address, permission, what it takes and gives. Nothing else is there.

The document, the access matrix and the server are all made from this table.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from msgspec import Struct

from console.api import acting, asks, ledger, reading, shapes
from console.api.hooks import WebhookShape
from console.web.permissions import May

DOCUMENT: Final = "/openapi.json"

Handler = Callable[..., Awaitable[Any]]
"""(here, visitor, path, query or body) -> answer"""


class Operation(Struct, frozen=True, kw_only=True):
    """One operation. `needs` is None where any good token will do.

    `path` is below `shapes.PREFIX`, as Starlette has it. `at` holds the path's parameters, `takes`
    the query of a GET and the body of a POST, `gives` the answer.
    """

    method: str
    path: str
    handler: Handler
    needs: May | None
    gives: Any
    at: type[Struct] = asks.Nothing
    takes: type[Struct] = asks.Nothing
    status: int = 200

    @property
    def name(self) -> str:
        """The operation's id in the document."""
        room = self.handler.__module__.rpartition(".")[2]
        return self.handler.__name__ if room != "ledger" else f"ledger_{self.handler.__name__}"

    @property
    def writes(self) -> bool:
        """Whether it changes something."""
        return self.method == "POST"


def _get(
    path: str,
    handler: Handler,
    needs: May | None,
    gives: Any,
    at: type[Struct] = asks.Nothing,
    takes: type[Struct] = asks.Nothing,
) -> Operation:
    return Operation(
        method="GET", path=path, handler=handler, needs=needs, gives=gives, at=at, takes=takes
    )


def _post(
    path: str,
    handler: Handler,
    needs: May,
    gives: Any,
    takes: type[Struct],
    at: type[Struct] = asks.Nothing,
) -> Operation:
    return Operation(
        method="POST",
        path=path,
        handler=handler,
        needs=needs,
        gives=gives,
        at=at,
        takes=takes,
        status=201,
    )


OPERATIONS: Final = (
    _get("/me", reading.me, None, shapes.Me),
    _get("/overview", reading.overview, May.SEE, shapes.Overview),
    _get("/runs", reading.runs, May.SEE, shapes.Page[shapes.RunSummary], takes=asks.Runs),
    _post("/runs", acting.request, May.REQUEST, shapes.RunAsked, asks.RunWish),
    _get("/runs/{run}", reading.run, May.SEE, shapes.RunShape, asks.OfRun),
    _get(
        "/runs/{run}/timeline",
        reading.timeline,
        May.SEE,
        shapes.Page[shapes.MomentShape],
        asks.OfRun,
        asks.Paged,
    ),
    _get(
        "/approvals",
        reading.approvals,
        May.SEE,
        shapes.Page[shapes.ApprovalShape],
        takes=asks.Paged,
    ),
    _get(
        "/approvals/{proposal}",
        reading.approval,
        May.SEE,
        shapes.ApprovalShape,
        asks.OfProposal,
    ),
    _post(
        "/approvals/{proposal}/decision",
        acting.decide,
        May.DECIDE,
        shapes.Recorded,
        asks.Answer,
        asks.OfProposal,
    ),
    _get(
        "/standing",
        reading.standing,
        May.SEE,
        shapes.Page[shapes.StandingShape],
        takes=asks.Paged,
    ),
    _get("/halts", reading.halts, May.SEE, shapes.Page[shapes.HaltShape], takes=asks.Halts),
    _post("/halts", acting.halt, May.HALT, shapes.Recorded, asks.HaltWish),
    _post(
        "/halts/{index:int}/release",
        acting.release,
        May.RELEASE,
        shapes.Recorded,
        asks.ReleaseWish,
        asks.OfIndex,
    ),
    _get(
        "/destinations",
        reading.destinations,
        May.SEE_ALL,
        shapes.Page[shapes.DestinationShape],
        takes=asks.Paged,
    ),
    _get("/memory", reading.claims, May.SEE, shapes.Page[shapes.ClaimShape], takes=asks.Paged),
    _get("/memory/{claim}", reading.claim, May.SEE, shapes.ClaimShape, asks.OfClaim),
    _get("/flags", reading.flags, May.SEE_ALL, shapes.Page[shapes.FlagShape], takes=asks.Paged),
    _get(
        "/webhooks",
        reading.webhooks,
        May.SEE_ALL,
        shapes.Page[WebhookShape],
        takes=asks.Paged,
    ),
    _get("/policy", reading.policy, May.SEE_ALL, shapes.PolicyShape),
    _get("/people", reading.people, May.AUDIT, shapes.Page[shapes.PersonShape], takes=asks.Paged),
    _get("/tokens", reading.tokens, May.AUDIT, shapes.Page[shapes.TokenShape], takes=asks.Paged),
    _get(
        "/sign-ins",
        reading.sign_ins,
        May.AUDIT,
        shapes.Page[shapes.SignInShape],
        takes=asks.Paged,
    ),
    _get(
        "/ledger/entries",
        ledger.listed,
        May.READ_LEDGER,
        shapes.Page[shapes.EntryShape],
        takes=asks.Entries,
    ),
    _get(
        "/ledger/entries/{index:int}",
        ledger.one,
        May.READ_LEDGER,
        shapes.EntryShape,
        asks.OfIndex,
    ),
    _get(
        "/ledger/entries/{index:int}/proof",
        ledger.proof,
        May.READ_LEDGER,
        shapes.ProofShape,
        asks.OfIndex,
    ),
    _get("/ledger/checkpoint", ledger.checkpoint, May.READ_LEDGER, shapes.CheckpointShape),
)
