"""The memory's tools, as any other: proposed by the runtime, judged by the gate, done here.

What is recalled comes back as untrusted text, so it never steers, whoever said it once; only
the claims' identifiers are the sidecar's own. A restricted claim is named and not told.
"""

from typing import Annotated, Final

from msgspec import Meta, Struct

from schemas.memories import ClaimId
from schemas.tools import Effect, Reach, Tool, Trust
from sidecar.connectors.connector import schema_of

MAX_TEXT: Final = 2_000
MAX_RECALLED: Final = 20


class Retain(Struct, frozen=True, forbid_unknown_fields=True):
    """`claim` is one statement, in plain words."""

    claim: Annotated[str, Meta(min_length=1, max_length=MAX_TEXT)]


class Recall(Struct, frozen=True, forbid_unknown_fields=True):
    """At most `limit` claims that `query` is about."""

    query: Annotated[str, Meta(min_length=1, max_length=500)]
    limit: Annotated[int, Meta(ge=1, le=MAX_RECALLED)] = 5


class OneClaim(Struct, frozen=True, forbid_unknown_fields=True):
    """`claim` is an identifier that `memory.recall` gave."""

    claim: ClaimId


MEMORY_TOOLS: Final = (
    Tool(
        name="memory.retain",
        summary="Remember one statement for later runs",
        arguments=schema_of(Retain),
        effect=Effect.MUTATION,
        contents=("claim",),
        trusted=("claim",),
        reach=Reach.INSIDE,
        memory="retain",
        confirm="the claim is in the ledger under the proposal's own identifier",
    ),
    Tool(
        name="memory.recall",
        summary="Look up what earlier runs remembered",
        arguments=schema_of(Recall),
        effect=Effect.READ,
        trusted=("claim",),
        trust=Trust.UNTRUSTED,
        memory="recall",
    ),
    Tool(
        name="memory.justify",
        summary="Say where a remembered statement comes from",
        arguments=schema_of(OneClaim),
        effect=Effect.READ,
        objects=("claim",),
        trusted=("claim",),
        trust=Trust.UNTRUSTED,
        memory="justify",
    ),
    Tool(
        name="memory.forget",
        summary="Forget one remembered statement",
        arguments=schema_of(OneClaim),
        effect=Effect.MUTATION,
        objects=("claim",),
        reach=Reach.INSIDE,
        memory="forget",
        confirm="the claim is recalled no more",
    ),
)
