"""What the memory answers: which claims a query is about, and what is known of one. Pure.

Ranked by the share of the query's telling words that a claim has, by stem; where none is
shared, by letters (rapidfuzz), so that a misspelt name is found. No embeddings yet.
"""

from collections.abc import Iterable
from typing import Any, Final

from rapidfuzz import fuzz

from schemas.names import Classification
from sidecar.effects import Answer
from sidecar.gate.normal import spaced, stem, telling
from sidecar.memory.claims import MAX_CLAIMS, Claim, Claims

_ALIKE: Final = 85.0


def claim_id(proposal: bytes) -> str:
    """The identifier of the claim that a proposal to retain would make."""
    return f"m-{proposal.hex()[:24]}"


def answer(
    claims: Claims, verb: str, arguments: dict[str, Any], *, rep: str, proposal: bytes
) -> Answer:
    """What one of the memory's tools answers a run of `rep`. A rep's claims are theirs alone."""
    if verb == "retain":
        mine = claim_id(proposal)
        if mine not in claims and len(claims) >= MAX_CLAIMS:
            return Answer(problem=f"the memory is full: {MAX_CLAIMS} claims; forget some first")
        return Answer(result={"claim": mine})
    if verb == "recall":
        own = (one for one in claims.values() if one.rep == rep)
        found = ranked(own, str(arguments.get("query", "")), int(arguments.get("limit", 5)))
        return Answer(result={"claims": [told(one) for one in found]})
    known = claims.get(str(arguments.get("claim")))
    if known is None or known.rep != rep:
        return Answer(problem="there is no such claim of this rep's")
    return Answer(result=justification(known) if verb == "justify" else {"claim": known.claim})


def ranked(claims: Iterable[Claim], query: str, limit: int) -> list[Claim]:
    """The claims that `query` is about, the best first; of equals the latest."""
    asked = _stems(query)
    scored = []
    for one in claims:
        if one.text is None:
            continue
        shared = len(asked & _stems(one.text)) / len(asked) if asked else 0.0
        if not shared and fuzz.partial_ratio(query.casefold(), one.text.casefold()) < _ALIKE:
            continue
        scored.append((shared, one.index, one))
    scored.sort(key=lambda item: item[:2], reverse=True)
    return [one for _, _, one in scored[:limit]]


def told(one: Claim) -> dict[str, Any]:
    """A claim as the runtime is given it."""
    restricted = one.sensitivity is Classification.RESTRICTED
    return {
        "claim": one.claim,
        "text": "(restricted: ask a person)" if restricted else one.text,
        "trust": one.trust.value,
        "classification": one.sensitivity.value,
    }


def justification(one: Claim) -> dict[str, Any]:
    """Where a claim comes from: the proposal and the entries that it rests on, as digests."""
    return {
        **told(one),
        "run": one.run,
        "agent": one.agent,
        "at": one.at,
        "index": one.index,
        "proposal": one.proposal.hex(),
        "support": [{"entry": s.entry.hex(), "words": s.words} for s in one.support],
    }


def _stems(text: str) -> frozenset[str]:
    return frozenset(stem(word) for word in spaced(text).split() if telling(word))
