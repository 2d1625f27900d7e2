"""The claims of a workspace: a fold over its ledger. Pure, and bounded by `MAX_CLAIMS`."""

from typing import Final

import msgspec
from immutables import Map
from msgspec import Struct

from bus.decider import Recorded
from schemas.content import opened
from schemas.erasure import ContentErased, ContentField
from schemas.memories import MemoryForgotten, MemoryRetained, MemoryWithdrawn, Support
from schemas.names import Classification
from schemas.tools import Trust

MAX_CLAIMS: Final = 10_000


class Claim(Struct, frozen=True, kw_only=True):
    """One claim. `text` is None where its content no longer opens; such a one is not recalled."""

    claim: str
    text: str | None
    rep: str
    agent: str
    run: str
    event: str
    at: int
    index: int
    trust: Trust
    sensitivity: Classification
    proposal: bytes
    support: tuple[Support, ...]


Claims = Map[str, Claim]


def evolve(claims: Claims, entry: Recorded) -> Claims:
    """The claims after one entry; the same object where it says nothing of any."""
    body = entry.event.body
    if isinstance(body, MemoryRetained):
        if body.claim in claims or len(claims) >= MAX_CLAIMS:
            return claims
        said = opened(body.text)
        claim = Claim(
            claim=body.claim,
            text=said if isinstance(said, str) else None,
            rep=body.rep,
            agent=body.agent,
            run=entry.event.run or "",
            event=entry.event.id,
            at=entry.event.at,
            index=entry.index,
            trust=body.trust,
            sensitivity=body.sensitivity,
            proposal=body.proposal,
            support=body.support,
        )
        return claims.set(body.claim, claim)
    if isinstance(body, MemoryForgotten | MemoryWithdrawn) and body.claim in claims:
        return claims.delete(body.claim)
    if isinstance(body, ContentErased):
        return _without(claims, frozenset(body.fields))
    return claims


def _without(claims: Claims, erased: frozenset[ContentField]) -> Claims:
    """The claims with the text of those that were erased gone, as if it had never opened."""
    for name, claim in claims.items():
        if ContentField(run=claim.run, event=claim.event, name="text") in erased:
            claims = claims.set(name, msgspec.structs.replace(claim, text=None))
    return claims
