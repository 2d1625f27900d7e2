"""Whose words an argument's are: the rep's, a system of record's, untrusted text's, or nobody's.

A reading aid beside the gate's own word (layer 7): a stretch of an argument is marked where it
stands, word for word, in the signed intent or in what the run was given to read. The worst
source that could have dictated a stretch is named only where no better one has it.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from msgspec import Struct

from schemas.actions import ObservationRecorded
from schemas.content import opened
from schemas.leases import Intent
from schemas.tools import Trust

MAX_TEXT: Final = 4_000
"""What is longer is shown without marks beyond this."""

_LEAST_WORDS: Final = 3
_TELLING: Final = re.compile(r"[@.:/\d]")
_PIECES: Final = re.compile(r"[\w@.+\-/:%€$]+|[^\w@.+\-/:%€$]+")
_EDGES: Final = ".:-/"


class Source(Struct, frozen=True):
    """A text that the run's brain had. `kind` is rep, trusted or untrusted."""

    name: str
    kind: str
    text: str


class Span(Struct, frozen=True):
    """A stretch of an argument; `kind` is empty where no source has it."""

    text: str
    kind: str = ""
    source: str = ""


class Marked(Struct, frozen=True):
    """One argument, by its path, with its text in stretches."""

    path: str
    spans: tuple[Span, ...]


def sources(intent: Intent, observations: Iterable[ObservationRecorded]) -> list[Source]:
    """What an argument may have come from, the best first. Sealed observations are left out."""
    said = " ".join((intent.summary, *intent.destinations, *intent.objects))
    found = [Source("the rep's signed intent", "rep", _flat(said))]
    read = [
        Source(body.source, body.trust.value, _flat(" ".join(_texts(opened(body.content)))))
        for body in observations
    ]
    found += [source for source in read if source.kind == Trust.TRUSTED.value]
    found += [source for source in read if source.kind != Trust.TRUSTED.value]
    return found


def marked(arguments: Any, known: list[Source]) -> tuple[Marked, ...]:
    """Every leaf of the arguments, in stretches."""
    return tuple(Marked(path, tuple(_spans(text, known))) for path, text in _leaves("", arguments))


def _leaves(path: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves(f"{path}.{key}" if path else str(key), inner)
    elif isinstance(value, list) and value:
        for place, inner in enumerate(value):
            yield from _leaves(f"{path}[{place}]", inner)
    else:
        yield path or "value", value if isinstance(value, str) else _plainly(value)


def _plainly(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else "empty"


def _spans(text: str, known: list[Source]) -> Iterator[Span]:
    pieces = _PIECES.findall(text[:MAX_TEXT])
    at, loose = 0, ""
    while at < len(pieces):
        end, source = _longest(pieces, at, known)
        if source is None:
            loose += pieces[at]
            at += 1
            continue
        if loose:
            yield Span(loose)
            loose = ""
        yield Span("".join(pieces[at:end]), source.kind, source.name)
        at = end
    loose += text[MAX_TEXT:]
    if loose or not text:
        yield Span(loose)


def _longest(pieces: list[str], at: int, known: list[Source]) -> tuple[int, Source | None]:
    """The longest stretch from `at` on that one source has, and that source."""
    best, found = at, None
    if not _word(pieces[at]):
        return best, found
    for source in known:
        words, end = "", at
        for place in range(at, len(pieces)):
            word = _word(pieces[place])
            if not word:
                continue
            longer = f"{words}{word} "
            if f" {longer}" not in source.text:
                break
            words, end = longer, place + 1
        count = words.count(" ")
        enough = count >= _LEAST_WORDS or bool(_TELLING.search(words)) or count == len(pieces)
        if enough and end > best and (end - at > 1 or len(words) > _LEAST_WORDS):
            best, found = end, source
    return best, found


def _word(piece: str) -> str:
    folded = piece.casefold().strip(_EDGES)
    return folded if any(map(str.isalnum, folded)) else ""


def _flat(text: str) -> str:
    words = (_word(piece) for piece in _PIECES.findall(text))
    return f" {' '.join(word for word in words if word)} "


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif value is not None:
        yield str(value)
