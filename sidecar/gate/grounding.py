"""Where a value of a proposal comes from: the intent, a system of record, what was read, nowhere.

The runtime's own claims about sources are not looked at. A value is looked up by type and
place: an address as an address, a number as the identifier or the amount that its argument
says it is. What only stands in text that nobody asked for, or that reads like instructions,
must not steer; what stands nowhere was invented or computed.
"""

from collections.abc import Iterable
from enum import IntEnum, auto
from typing import Final

from msgspec import Struct

from sidecar.gate.days import day_tokens
from sidecar.gate.domains import address_of
from sidecar.gate.knowledge import Knowledge, Segment, Standing
from sidecar.gate.normal import COMMON, spaced, stem, telling
from sidecar.gate.values import (
    URL,
    address,
    amount,
    identifier,
    keyed,
    name_tokens,
    tokens,
)
from sidecar.gate.wish import Wish


class Ground(IntEnum):
    """From the worst that a value can rest on to the best; see `knowledge.Standing`."""

    SUSPECT = auto()
    UNBIDDEN = auto()
    INVENTED = auto()
    READ = auto()
    POINTED = auto()
    OWN = auto()
    LINKED = auto()
    NAMED = auto()


class Grounding(Struct, frozen=True):
    """`contested` says that suspect or unbidden text names the value too, `rival` that the rep
    named another value of the same list or table. `records` are the
    records of systems of record that hold it, `segments` everything that does.
    """

    ground: Ground
    contested: bool = False
    rival: bool = False
    records: frozenset[int] = frozenset()
    segments: tuple[int, ...] = ()


OF_STANDING: Final = {
    Standing.SUSPECT: Ground.SUSPECT,
    Standing.UNBIDDEN: Ground.UNBIDDEN,
    Standing.READ: Ground.READ,
    Standing.POINTED: Ground.POINTED,
    Standing.OWN: Ground.OWN,
}
_EXCEPTING: Final = ("not", "except", "excluding", "never", "than")


def ground_destination(known: Knowledge, wish: Wish, value: str) -> Grounding:
    """An address, URL, account, channel or person that an effect reaches."""
    text = value.strip()
    box = address_of(text)
    if box is not None:
        if any(f"@{box.host}" == d.casefold() for d in wish.intent.destinations):
            return Grounding(Ground.NAMED)
        return _of_tokens(known, wish, {f"e:{box.local}@{box.host}"})
    if URL.fullmatch(text.casefold()):
        wanted = {token for token in address(text.casefold()) if token.startswith("u:")}
        return _of_tokens(known, wish, wanted)
    accounts = {token for token in tokens(text) if token.startswith("a:")}
    if accounts:
        return _of_tokens(known, wish, accounts)
    return ground_phrase(known, wish, text)


def ground_object(known: Knowledge, wish: Wish, value: str, argument: str) -> Grounding:
    """A record that an effect changes: its identifier, its name or its path."""
    place = name_tokens(argument)
    if identifier(value) in wish.tokens or value in wish.intent.objects:
        return Grounding(Ground.NAMED)
    said = spaced(value)
    if said in wish.text and not said.replace(" ", "").isdigit():
        ruled_out = any(f" {word}{said}" in wish.text for word in _EXCEPTING)
        return Grounding(Ground.INVENTED if ruled_out else Ground.NAMED)
    found = [number for number, _ in known.values.get(identifier(value), ())]
    found += [
        number for number, field in known.values.get(keyed(value), ()) if field & place or not place
    ]
    short = not any(telling(word) for word in said.split()) or value.strip().isdigit()
    if short:
        return _grounding(known, found, Ground.INVENTED)
    phrase = ground_phrase(known, wish, value)
    if phrase.ground is Ground.NAMED:
        return phrase
    return _grounding(known, {*found, *phrase.segments}, Ground.INVENTED)


def ground_amount(known: Knowledge, wish: Wish, value: float) -> Grounding:
    """A sum or quantity."""
    return _of_tokens(known, wish, {amount(value)})


def ground_plain(known: Knowledge, wish: Wish, value: str) -> Grounding:
    """Any other value that says when, where or what: a day, a title, a place."""
    days = {token for token in day_tokens(value) if token.startswith("d:")}
    if days:
        return _of_tokens(known, wish, days)
    return ground_phrase(known, wish, value)


def ground_phrase(known: Knowledge, wish: Wish, value: str) -> Grounding:
    """Words in this order, anywhere."""
    said = spaced(value)
    if not said.strip() or said in wish.text:
        return Grounding(Ground.NAMED)
    return _grounding(known, containing(known, said), Ground.INVENTED)


def containing(known: Knowledge, said: str) -> set[int]:
    """The segments that hold `said` (words between blanks), as far as the index remembers."""
    stems = {stem(word) for word in said.split() if telling(word)}
    stems = stems or {stem(word) for word in said.split() if word not in COMMON}
    found: set[int] = set()
    for index in (known.words, known.suspects):
        postings = [index.get(word, ()) for word in stems]
        if postings:
            rarest = min(postings, key=len)
            found |= {number for number in rarest if said in known.segments[number].text}
    return found


def segments_of(known: Knowledge, grounding: Grounding) -> Iterable[Segment]:
    """The segments a grounding rests on."""
    return (known.segments[number] for number in grounding.segments)


def _of_tokens(known: Knowledge, wish: Wish, wanted: set[str]) -> Grounding:
    if wanted & wish.tokens:
        return Grounding(Ground.NAMED)
    found = [number for token in wanted for number, _ in known.values.get(token, ())]
    return _grounding(known, found, Ground.INVENTED)


def _grounding(known: Knowledge, found: Iterable[int], nothing: Ground) -> Grounding:
    numbers = tuple(sorted(set(found)))
    if not numbers:
        return Grounding(nothing)
    segments = [known.segments[number] for number in numbers]
    best = max(segment.standing for segment in segments)
    own = frozenset(s.record for s in segments if s.standing is Standing.OWN)
    ground = OF_STANDING[best]
    if best is Standing.OWN and any(s.linked for s in segments if s.standing is Standing.OWN):
        ground = Ground.LINKED
    contested = any(segment.standing <= Standing.UNBIDDEN for segment in segments)
    rival = all(s.rival for s in segments if s.standing is best)
    return Grounding(ground, contested, rival, own, numbers)
