"""What the sidecar puts on record of a memory action that is confirmed. Pure."""

from collections import Counter
from collections.abc import Iterator

from bus.decider import Draft
from schemas.actions import ActionFinished, ActionOutcome
from schemas.content import plain
from schemas.memories import MemoryForgotten, MemoryRetained, Support
from schemas.names import Classification
from schemas.tools import Trust
from sidecar.gate.flows import flows
from sidecar.gate.knowledge import RANKS, Knowledge, Standing
from sidecar.gate.normal import spaced, stem, telling
from sidecar.gate.wish import Wish, read
from sidecar.memory.claims import Claims
from sidecar.memory.recalling import claim_id
from sidecar.remembering import called
from sidecar.state import Acting, RunState, SidecarState, lease_of

_MOST = 5


def kept(state: SidecarState, name: str, run: RunState, acting: Acting) -> Iterator[Draft]:
    """What a finished action retained or had forgotten, yet to be recorded."""
    done, lease, policy = acting.finished, lease_of(run), state.policy
    call = called(acting.proposal, policy) if policy is not None else None
    if done is None or lease is None or call is None:
        return
    tool, arguments = call
    body = done.event.body
    if not isinstance(body, ActionFinished) or body.outcome is not ActionOutcome.CONFIRMED:
        return
    digest = acting.proposal.digest
    if tool.memory == "retain" and claim_id(digest) not in state.claims:
        text = str(arguments["claim"])
        known, wish = run.memory.knowledge, read(lease.intent)
        found = supporting(known, wish, text)
        yield Draft(
            body=MemoryRetained(
                claim=claim_id(digest),
                text=plain(text),
                rep=lease.rep,
                agent=lease.agent,
                proposal=digest,
                trust=trust_of(known, wish, text, found),
                sensitivity=sensitivity_of(known, wish, text),
                support=_support(run, known, found),
            ),
            run=name,
            causes=(done.digest, digest),
            since=done.event.at,
            classification=Classification.CONFIDENTIAL,
        )
    elif tool.memory == "forget" and _is_own(state.claims, str(arguments["claim"]), lease.rep):
        yield Draft(
            body=MemoryForgotten(claim=str(arguments["claim"]), proposal=digest),
            run=name,
            causes=(done.digest, digest),
            since=done.event.at,
        )


def supporting(known: Knowledge, wish: Wish, text: str) -> Counter[int]:
    """Telling words of `text` by the segment that has them, of those with two or more."""
    words = {stem(word) for word in spaced(text).split() if telling(word)} - wish.stems
    counts: Counter[int] = Counter()
    for word in words:
        counts.update(known.words.get(word, ()))
    return Counter({number: count for number, count in counts.items() if count > 1})


def trust_of(known: Knowledge, wish: Wish, text: str, found: Counter[int]) -> Trust:
    """TRUSTED where the rep said it, or nothing but systems of record supports it."""
    if spaced(text) in wish.text:
        return Trust.TRUSTED
    own = bool(found) and all(known.segments[n].standing is Standing.OWN for n in found)
    return Trust.TRUSTED if own else Trust.UNTRUSTED


def sensitivity_of(known: Knowledge, wish: Wish, text: str) -> Classification:
    """The highest of what it carries; CONFIDENTIAL at the least."""
    found = flows(known, wish, [text], RANKS[Classification.RESTRICTED])
    return Classification.RESTRICTED if found else Classification.CONFIDENTIAL


def _support(run: RunState, known: Knowledge, found: Counter[int]) -> tuple[Support, ...]:
    strongest: dict[int, int] = {}
    for number, count in found.items():
        place = known.segments[number].observation
        strongest[place] = max(count, strongest.get(place, 0))
    best = sorted(strongest.items(), key=lambda item: (-item[1], item[0]))[:_MOST]
    return tuple(
        Support(entry=run.observed[place], words=count)
        for place, count in best
        if place < len(run.observed)
    )


def _is_own(claims: Claims, claim: str, rep: str) -> bool:
    known = claims.get(claim)
    return known is not None and known.rep == rep
