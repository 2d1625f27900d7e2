"""Spans of a text that read as instructions to a machine rather than as prose for a person.

This is hygiene, never the defence that counts: a value inside a marked span is the last to be
trusted, and memory keeps no such span. Marked are fake tags of a system or a tool, the
wordings of `phrases`, and both where they hide: in comments, behind zero-width characters or
look-alike letters, spaced out, encoded. A span covers the tag's block, or the sentence or
paragraph that the wording stands in. Pure, linear in the text, total.
"""

import re
from collections.abc import Iterable, Iterator, Set
from typing import Final

from msgspec import Struct

from sidecar.gate.disguises import disguised
from sidecar.gate.frames import RUN_ON, framed
from sidecar.gate.letters import seen
from sidecar.gate.phrases import WORDINGS, Wording
from sidecar.gate.tongues import ABROAD, UNSPACED

REMOVED: Final = "[removed]"
_SHORTEST: Final = 12
_PARAGRAPH: Final = 800
_PASSES: Final = 4
_LAYERS: Final = 3
_BLANKS: Final = bytes(
    code if code >= 0x80 or chr(code).isalnum() else 0x20 for code in range(0x100)
)
_GAP: Final = re.compile(r"\n[ \t\r]*\n\s*")
_STOP: Final = re.compile(r"[.!?]\s+|\n")
_WRITTEN: Final = re.compile("[\U000e0020-\U000e007e]{8,}")
_VALUE: Final = re.compile(r"[@#$€]|https?:|www\.|\d{4}")
_QUOTES: Final = "\"'`"


class Marked(Struct, frozen=True):
    """A span, from `start` up to `end`, and why it is marked."""

    start: int
    end: int
    reason: str


def suspicious(text: str) -> tuple[Marked, ...]:
    """The marked spans of `text`, in order, none overlapping. Never raises."""
    if len(text) < _SHORTEST:
        return ()
    read = seen(text)
    found = [
        Marked(*read.back(one.start, one.end), one.reason)
        for one in _found(read.text, read.folded, _LAYERS)
    ]
    if not text.isascii():
        found += [
            Marked(run.start(), run.end(), "hidden characters") for run in _WRITTEN.finditer(text)
        ]
    return _joined(text, found) if found else ()


def cleaned(text: str) -> str:
    """`text` with `[removed]` in place of each marked span; cleaning again changes nothing."""
    for _ in range(_PASSES):
        marked = suspicious(text)
        if not marked:
            return text
        at, kept = 0, []
        for one in marked:
            kept += [text[at : one.start], REMOVED]
            at = one.end
        text = "".join((*kept, text[at:]))
    return REMOVED if suspicious(text) else text


def _found(text: str, folded: str, layers: int) -> Iterator[Marked]:
    words = _words(folded)
    for start, end, reason in framed(folded, words):
        yield Marked(*(_carrying(folded, start, end) if end == start else (start, end)), reason)
    for wording in _possible(words):
        for match in wording.pattern.finditer(folded):
            start, end = _carrying(folded, match.start(), match.end())
            if not _quoted(folded, match, start, end):
                yield Marked(start, end, wording.reason)
    if not folded.isascii():
        for said in UNSPACED:
            at = folded.find(said)
            if at >= 0:
                yield Marked(*_carrying(folded, at, at + len(said)), "override of instructions")
    if not layers:
        return
    for piece in disguised(text, folded, words):
        if piece.run_on:
            speaks = any(said in piece.says for said in RUN_ON)
        else:
            below = seen(piece.says)
            speaks = next(_found(below.text, below.folded, layers - 1), None) is not None
        if speaks:
            yield Marked(*_carrying(folded, piece.start, piece.end), "disguised instructions")


def _words(folded: str) -> set[bytes]:
    return set(folded.encode("utf-8", "replace").translate(_BLANKS).split())


def _possible(words: Set[bytes]) -> Iterator[Wording]:
    """The wordings whose words are all there."""
    hit = _ANCHORS & words
    if hit:
        for place in sorted({place for anchor in hit for place in _BY_ANCHOR[anchor]}):
            wording = _ALL[place]
            if not any(words.isdisjoint(others) for others in wording.anchors[1:]):
                yield wording


def _quoted(text: str, match: re.Match[str], start: int, end: int) -> bool:
    """Whether the words are talked about rather than said: in quotation marks, with no value
    near that could be meant.
    """
    before = text[max(start, match.start() - 3) : match.start()]
    if not any(quote in before for quote in _QUOTES):
        return False
    after = text[match.end() : match.end() + 16]
    return any(quote in after for quote in _QUOTES) and not _VALUE.search(text, start, end)


def _carrying(text: str, start: int, end: int) -> tuple[int, int]:
    """The paragraph around a match, or of a long one its sentences from there on."""
    first = max((gap.end() for gap in _GAP.finditer(text, max(0, start - 2000), start)), default=-1)
    if first < 0:
        first = max(0, start - 2000)
    last = _paragraph_end(text, end)
    if last - first <= _PARAGRAPH:
        return first, last
    stops = [stop.end() for stop in _STOP.finditer(text, max(first, start - 400), start)]
    return (stops[-1] if stops else max(first, start - 400)), min(last, end + _PARAGRAPH)


def _paragraph_end(text: str, at: int) -> int:
    gap = _GAP.search(text, at)
    return gap.start() if gap is not None else len(text.rstrip()) if at < len(text.rstrip()) else at


def _joined(text: str, found: Iterable[Marked]) -> tuple[Marked, ...]:
    """In order and apart; what overlaps, or has but one paragraph between, becomes one."""
    kept: list[Marked] = []
    for one in sorted(found, key=lambda marked: (marked.start, -marked.end)):
        if text[one.start : one.end].rstrip().endswith(":"):
            gap = _GAP.match(text, one.end)
            if gap is not None:
                one = Marked(one.start, _paragraph_end(text, gap.end()), one.reason)
        if kept and (one.start < kept[-1].end or _between(text, kept[-1].end, one.start)):
            last = kept[-1]
            kept[-1] = Marked(last.start, max(last.end, one.end), last.reason)
        else:
            kept.append(one)
    return tuple(kept)


def _between(text: str, start: int, end: int) -> bool:
    """Whether at most one short paragraph lies between two spans."""
    between = text[start:end] if end - start <= _PARAGRAPH else ""
    return bool(between) and len(_GAP.split(between.strip())) == 1


def _by_anchor() -> dict[bytes, list[int]]:
    places: dict[bytes, list[int]] = {}
    for place, wording in enumerate(_ALL):
        for anchor in wording.anchors[0]:
            places.setdefault(anchor, []).append(place)
    return places


_ALL: Final = (*WORDINGS, *ABROAD)
_BY_ANCHOR: Final = _by_anchor()
_ANCHORS: Final = frozenset(_BY_ANCHOR)
