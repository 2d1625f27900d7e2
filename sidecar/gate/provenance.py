"""Layer 7, provenance: what steers the action comes from the rep or a system of record.

Each value that steers (where to, how much, what on, when) is grounded by the gate itself.
What rests on text that nobody asked for, or that reads like instructions to a machine, is
refused. What rests on text that was merely read, or on nothing, is held for a person.
Reads are free, but for where they lead: the address of a fetch is an effect too.
"""

from collections.abc import Iterator
from itertools import chain

from schemas.actions import LayerResult
from schemas.tools import Effect, Tool
from sidecar.gate.days import day_tokens
from sidecar.gate.flows import dictated
from sidecar.gate.glance import glance
from sidecar.gate.grounding import (
    OF_STANDING,
    Ground,
    Grounding,
    ground_amount,
    ground_destination,
    ground_object,
    ground_phrase,
    ground_plain,
)
from sidecar.gate.knowledge import Knowledge, Standing
from sidecar.gate.normal import decodings, spaced, telling
from sidecar.gate.outcome import Case, Word, hold, passed, refuse
from sidecar.gate.parts import Argument, Audience, Part
from sidecar.gate.values import magnitude, telling_tokens, tokens
from sidecar.gate.wish import VERBS, Asked, Family, Wish, asked, families_of, nouns_of

_LARGE = 1000


def provenance(case: Case) -> Word:
    """The worst word on any value that steers."""
    tool, given, wish, policy = case.tool, case.arguments, case.wish, case.policy
    if tool is None or given is None or wish is None or policy is None:
        return refuse("there is nothing to ground the arguments in")
    if case.knowledge.full and tool.effect.high_stakes:
        return hold("the run has read more than the gate can index", fix="request a shorter run")
    if case.undoes:
        # Nobody chose these values: they follow from the policy and the action's own record.
        return passed("every value follows from the action that it undoes")
    worst: Word | None = None
    for word in _words(case, wish, tool):
        if word.result is LayerResult.REFUSE:
            return word
        worst = worst or word
    return worst or passed(f"{len(case.said)} values grounded")


def _words(case: Case, wish: Wish, tool: Tool) -> Iterator[Word]:
    """Objections only."""
    known, said, seen = case.knowledge, case.said, case.seen
    reached = [
        (one, ground_destination(known, wish, str(one.value)))
        for one in said
        if one.part is Part.DESTINATION and str(one.value).strip()
    ]
    for one, found in reached:
        word = _fetch(wish, tool, one, found) if tool.effect is Effect.READ else None
        word = word if tool.effect is Effect.READ else _destination(wish, one, found)
        if word is not None:
            yield word
    if tool.effect is Effect.READ:
        return
    objects = [
        (one, ground_object(known, wish, str(one.value), one.name))
        for one in said
        if one.part is Part.OBJECT and str(one.value).strip()
    ]
    if objects:
        yield from _objects(known, tool, objects, seen)
    encoded = glance(case.whole).encoded
    holders = {record for _, found in (*reached, *objects) for record in found.records}
    for one in said:
        if one.part is Part.AMOUNT and isinstance(one.value, int | float):
            yield from _amount(one, ground_amount(known, wish, one.value), holders)
        elif one.part is Part.CONTENT and isinstance(one.value, str):
            yield from _content(known, wish, one, one.value, seen, encoded)
        elif one.part is Part.PLAIN and isinstance(one.value, str):
            yield from _plain(known, wish, one, seen)
        elif one.part is Part.PLAIN and not isinstance(one.value, bool):
            yield from _number(known, wish, one)


def _fetch(wish: Wish, tool: Tool, one: Argument, found: Grounding) -> Word | None:
    if found.ground <= Ground.UNBIDDEN:
        return _untrusted(one, found)
    if found.ground >= Ground.OWN:
        return None
    named = asked(wish, tool) is Asked.YES or bool(nouns_of(tool) & wish.stems)
    if found.ground >= Ground.READ and named:
        return None
    return _doubtful(one, found)


def _destination(wish: Wish, one: Argument, found: Grounding) -> Word | None:
    if found.ground <= Ground.UNBIDDEN:
        return _untrusted(one, found)
    if found.ground < Ground.OWN:
        return _doubtful(one, found)
    if found.contested and found.ground is not Ground.NAMED:
        return _contested(one)
    if found.ground is Ground.OWN and (found.rival or _names_another(wish, str(one.value))):
        return hold(
            f"argument {one.name} leads elsewhere than to where the intent names",
            fix="approve it, or name the destination in the intent",
        )
    return None


def _objects(
    known: Knowledge, tool: Tool, objects: list[tuple[Argument, Grounding]], seen: Audience
) -> Iterator[Word]:
    urged = urges(known, tool)
    makes = bool(families_of(tool) & {Family.MAKE, Family.KEEP}) and seen is Audience.NONE
    for one, found in objects:
        if not (makes and one.name in tool.paths and found.ground is Ground.INVENTED):
            yield from _object(one, found, urged)


def _object(one: Argument, found: Grounding, urged: bool) -> Iterator[Word]:
    if found.ground <= Ground.UNBIDDEN:
        yield _untrusted(one, found)
    elif found.ground < Ground.OWN:
        yield _doubtful(one, found)
    elif found.contested and found.ground is not Ground.NAMED:
        yield _contested(one)
    elif found.rival and found.ground is Ground.OWN:
        yield hold(
            f"argument {one.name} is another one than the intent names",
            fix="check that it is meant, then approve",
        )
    elif urged and found.ground is Ground.OWN:
        yield hold(
            f"text that nobody asked for urges such an act; argument {one.name} is not named",
            fix="check that it is meant, then approve",
        )


def urges(known: Knowledge, tool: Tool) -> bool:
    """Whether suspect or unbidden text speaks of this kind of act on this kind of thing."""
    said = known.suspects
    if not said:
        return False
    verbs = chain.from_iterable(VERBS[family] for family in families_of(tool))
    return any(map(said.__contains__, nouns_of(tool))) and any(map(said.__contains__, verbs))


def _amount(one: Argument, found: Grounding, holders: set[int]) -> Iterator[Word]:
    if found.ground is Ground.NAMED or found.records & holders:
        return
    if found.ground <= Ground.UNBIDDEN:
        yield _untrusted(one, found)
    else:
        yield hold(
            f"argument {one.name} is neither in the intent nor in a record of where it goes",
            fix="check the amount, then approve",
        )


def _content(
    known: Knowledge, wish: Wish, one: Argument, text: str, seen: Audience, encoded: bool
) -> Iterator[Word]:
    """Of one text in the arguments; `encoded` says that something in them may be decoded."""
    said = (text, *decodings(text)) if encoded else (text,)
    leading = [token for reading in said for token in telling_tokens(reading) if token[0] in "uae"]
    for token in sorted(set(leading) - wish.tokens) if leading else ():
        numbers = [number for number, _ in known.values.get(token, ())]
        standings = {known.segments[number].standing for number in numbers}
        ground = Ground.INVENTED if not standings else OF_STANDING[max(standings)]
        if ground <= Ground.UNBIDDEN:
            yield _untrusted(one, Grounding(ground), what=_KINDS[token[0]])
        elif token.startswith("u:") and seen is not Audience.NONE and ground < Ground.OWN:
            yield _doubtful(one, Grounding(ground), what="a link")
    asked_for = seen is Audience.NONE and wish.carries
    worst = Standing.SUSPECT if asked_for else Standing.UNBIDDEN
    if any(dictated(known, wish, t, worst) for t in said):
        yield refuse(
            f"argument {one.name} was dictated by text that nobody asked for",
            fix="write it from the intent",
        )


def _plain(known: Knowledge, wish: Wish, one: Argument, seen: Audience) -> Iterator[Word]:
    text = str(one.value)
    found = ground_plain(known, wish, text)
    if found.ground <= Ground.UNBIDDEN:
        if any(telling(word) for word in spaced(text).split()):
            yield _untrusted(one, found)
        return
    days = {token for token in day_tokens(text) if token.startswith("d:")}
    if days and found.ground in (Ground.INVENTED, Ground.READ, Ground.POINTED):
        if any(token.startswith("d:") for token in wish.tokens):
            yield _doubtful(one, found, what="another day than the intent names")
    if dictated(known, wish, text):
        yield refuse(f"argument {one.name} was dictated by text that nobody asked for")
    elif seen is Audience.OUTSIDE and found.ground in (Ground.READ, Ground.POINTED):
        if ground_phrase(known, wish, text).ground in (Ground.READ, Ground.POINTED):
            yield _doubtful(one, found)


def _number(known: Knowledge, wish: Wish, one: Argument) -> Iterator[Word]:
    """A number that is no declared amount: small ones are how many, large ones how much."""
    if not isinstance(one.value, int | float) or abs(magnitude(one.value)) < _LARGE:
        return
    found = ground_amount(known, wish, one.value)
    if found.ground <= Ground.UNBIDDEN:
        yield _untrusted(one, found)
    elif found.ground < Ground.OWN:
        yield _doubtful(one, found)


def _names_another(wish: Wish, value: str) -> bool:
    """Whether the intent names destinations of this value's type."""
    kinds = {token[0] for token in tokens(value)} & set("eua")
    return any(token[0] in kinds for token in wish.tokens)


def _untrusted(one: Argument, found: Grounding, what: str = "its value") -> Word:
    source = (
        "text that reads like instructions to a machine"
        if found.ground is Ground.SUSPECT
        else "text that came by itself"
    )
    return refuse(
        f"argument {one.name}: {what} rests only on {source}",
        evidence=f"{len(found.segments)} places, none of them the rep's or a system of record's",
        fix="name it in the intent if it is meant",
    )


def _doubtful(one: Argument, found: Grounding, what: str = "its value") -> Word:
    if found.ground is Ground.INVENTED:
        return hold(
            f"argument {one.name}: {what} is in nothing that the run was given",
            fix="check it, then approve; or name it in the intent",
        )
    return hold(
        f"argument {one.name}: {what} rests on untrusted text that the run read",
        evidence=f"{len(found.segments)} places",
        fix="check it, then approve; or name it in the intent",
    )


def _contested(one: Argument) -> Word:
    return hold(
        f"argument {one.name}: text that nobody asked for names this value too",
        fix="check that it is meant, then approve",
    )


_KINDS = {"u": "a link", "a": "an account", "e": "an address"}
