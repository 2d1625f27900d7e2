"""Spans of a text that read as instructions to a machine rather than as prose for a person.

This is hygiene, never the defence that counts: a value inside a marked span is the last to be
trusted, and memory keeps no such span. Marked are fake tags of a system or a tool, the
wordings of `phrases`, `addressing` and `tongues`, and both where they hide: in comments, behind
zero-width characters or look-alike letters, spaced out, encoded. A span covers the tag's block,
or the sentence or paragraph that the wording stands in. Pure, linear in the text, total.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Final

from msgspec import Struct

from sidecar.gate.addressing import ANSWERS, CALLS
from sidecar.gate.disguises import GIVEAWAYS, SINGLES, Piece, disguised
from sidecar.gate.frames import FRAME_WORDS, RUN_ON, framed
from sidecar.gate.letters import seen
from sidecar.gate.phrases import WORDINGS
from sidecar.gate.tongues import ABROAD, UNSPACED
from sidecar.gate.wording import OVERRIDE, VALUE_SIGN, Wording

REMOVED: Final = "[removed]"
_SHORTEST: Final = 9
_PARAGRAPH: Final = 800
_BEHIND: Final = 400
_PASSES: Final = 4
_LAYERS: Final = 3
_CHUNK: Final = 800
_REACH: Final = (200, 300)
_STEP: Final = 200
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
        if one.start < one.end
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


class _Paragraphs:
    """Where a text's paragraphs begin and end, looked up once there is something to look up."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._bounds: tuple[list[int], list[int]] | None = None

    def bounds(self) -> tuple[list[int], list[int]]:
        """Where they begin, and where they end."""
        if self._bounds is None:
            gaps = [gap.span() for gap in _GAP.finditer(self.text)]
            last = len(self.text.rstrip())
            self._bounds = ([0, *(end for _, end in gaps)], [*(start for start, _ in gaps), last])
        return self._bounds

    def around(self, start: int, end: int) -> tuple[int, int]:
        """The paragraph around a match, or of a long one its sentences from there on."""
        starts, ends = self.bounds()
        first = min(start, starts[max(0, bisect_right(starts, start) - 1)])
        place = bisect_left(ends, end)
        last = max(end, ends[place]) if place < len(ends) else end
        if last - first <= _PARAGRAPH:
            return first, last
        near = max(first, start - _BEHIND)
        stops = [stop.end() for stop in _STOP.finditer(self.text, near, start)]
        return (stops[-1] if stops else near), min(last, end + _PARAGRAPH)


def _found(text: str, folded: str, layers: int) -> Iterator[Marked]:
    paragraphs = _Paragraphs(folded)
    every: set[bytes] = set()
    for start, end in _chunks(folded, paragraphs):
        listed = _listed(folded[start:end])
        telling = _TELLING.intersection(listed)
        every |= telling
        if not telling.isdisjoint(_KEYS):
            yield from _worded(folded, start, end, telling, paragraphs)
        if layers > 0:
            longest = max(map(len, listed), default=0)
            for piece in disguised(text[start:end], folded[start:end], telling, longest):
                if _speaks(piece, layers):
                    around = paragraphs.around(start + piece.start, start + piece.end)
                    yield Marked(*around, "disguised instructions")
    for start, end, reason in framed(folded, every):
        yield Marked(*(paragraphs.around(start, end) if end == start else (start, end)), reason)
    if not folded.isascii():
        for unspaced in UNSPACED.finditer(folded):
            yield Marked(*paragraphs.around(*unspaced.span()), OVERRIDE)


def _chunks(folded: str, paragraphs: _Paragraphs) -> Iterator[tuple[int, int]]:
    """Paragraphs in groups of some size, so that a word is looked for where its like may be."""
    if len(folded) <= _CHUNK:
        yield 0, len(folded)
        return
    opens = 0
    for start, end in zip(*paragraphs.bounds(), strict=True):
        if end - opens > _CHUNK:
            if start > opens:
                yield opens, start
            opens = start
    yield opens, len(folded)


def _speaks(piece: Piece, layers: int) -> bool:
    if piece.run_on:
        return any(said in piece.says for said in RUN_ON)
    below = seen(piece.says)
    return next(_found(below.text, below.folded, 0 if piece.last else layers - 1), None) is not None


def _listed(folded: str) -> list[bytes]:
    return folded.encode("utf-8", "replace").translate(_BLANKS).split()


def _worded(
    folded: str, start: int, end: int, telling: frozenset[bytes], paragraphs: _Paragraphs
) -> Iterator[Marked]:
    if "\n" not in folded[start:end]:
        yield from _in_paragraph(folded, start, end, telling, paragraphs)
        return
    starts, ends = paragraphs.bounds()
    first, last = bisect_left(starts, start), bisect_left(starts, end)
    for opens, closes in zip(starts[first:last], ends[first:last], strict=True):
        here = telling if last - first == 1 else telling.intersection(_listed(folded[opens:closes]))
        if not here.isdisjoint(_KEYS):
            yield from _in_paragraph(folded, opens, closes, here, paragraphs)


def _possible(telling: frozenset[bytes]) -> list[Wording]:
    """The wordings whose words are all there, and whose company may be."""
    candidates = {place for key in _KEYS & telling for place in _BY_KEY[key]}
    possible = []
    for place in sorted(candidates):
        wording = _ALL[place]
        for others in wording.others:
            if telling.isdisjoint(others):
                break
        else:
            possible.append(wording)
    return possible


def _in_paragraph(
    folded: str,
    start: int,
    end: int,
    telling: frozenset[bytes],
    paragraphs: _Paragraphs,
) -> Iterator[Marked]:
    weak: list[Marked] = []
    places: dict[bytes, list[int]] = {}
    valued = VALUE_SIGN.search(folded, start, end) is not None
    for wording in _possible(telling):
        if wording.valued and not valued:
            continue
        past = start
        for opens, closes in _windows(folded, start, end, wording.keys & telling, places):
            for match in wording.pattern.finditer(folded, opens, closes):
                if match.start() < past:
                    continue
                first, last = paragraphs.around(*match.span())
                past = match.end() + _STEP
                if not _accompanied(folded, wording, match.end(), first, last):
                    continue
                if wording.weak:
                    weak.append(Marked(*match.span(), wording.reason))
                elif not _quoted(folded, match, first, last):
                    past = last
                    yield Marked(first, last, wording.reason)
    weak.sort(key=lambda one: one.start)
    for one, other in pairwise(weak):
        if one.reason != other.reason:
            first, last = paragraphs.around(one.start, one.end)
            if other.start < last:
                yield Marked(first, last, one.reason)


def _windows(
    text: str, start: int, end: int, keys: Iterable[bytes], places: dict[bytes, list[int]]
) -> Iterator[tuple[int, int]]:
    """Stretches around the keys, in which a wording can stand, none overlapping."""
    before, behind = _REACH
    if end - start <= before + behind:
        yield start, end
        return
    every: list[int] = []
    for key in keys:
        if key not in places:
            places[key] = _occurrences(text, key.decode("utf-8", "replace"), start, end)
        every += places[key]
    every.sort()
    opens = closes = -1
    for at in every:
        if at - before > closes:
            if closes > 0:
                yield opens, closes
            opens = max(start, at - before)
        closes = min(at + behind, end)
    if closes > 0:
        yield opens, closes


def _occurrences(text: str, word: str, start: int, end: int) -> list[int]:
    found, at, size = [], text.find(word, start, end), len(word)
    while at >= 0:
        if not (text[at - 1 : at].isalnum() or text[at + size : at + size + 1].isalnum()):
            found.append(at)
        at = text.find(word, at + size, end)
    return found


def _accompanied(text: str, wording: Wording, end: int, first: int, last: int) -> bool:
    """Whether of each set one company is in the paragraph, or behind the wording if it must."""
    for any_of in wording.beside:
        for company in any_of:
            start = end if company.after else first
            if company.pattern.search(text[start : min(last, end + _BEHIND)]):
                break
        else:
            return False
    return True


def _quoted(text: str, match: re.Match[str], start: int, end: int) -> bool:
    """Whether the words are talked about rather than said: in quotation marks, with no value
    near that could be meant.
    """
    before = text[max(start, match.start() - 3) : match.start()]
    if not any(quote in before for quote in _QUOTES):
        return False
    after = text[match.end() : match.end() + 16]
    return any(quote in after for quote in _QUOTES) and not _VALUE.search(text, start, end)


def _joined(text: str, found: Iterable[Marked]) -> tuple[Marked, ...]:
    """In order and apart; what overlaps, or has but one paragraph between, becomes one."""
    kept: list[Marked] = []
    for one in sorted(found, key=lambda marked: (marked.start, -marked.end)):
        if kept and one.end <= kept[-1].end:
            continue
        if text[max(one.start, one.end - 40) : one.end].rstrip().endswith(":"):
            gap = _GAP.match(text, one.end)
            if gap is not None:
                one = Marked(one.start, _paragraph_end(text, gap.end()), one.reason)
        if kept and (one.start < kept[-1].end or _between(text, kept[-1].end, one.start)):
            last = kept[-1]
            kept[-1] = Marked(last.start, max(last.end, one.end), last.reason)
        else:
            kept.append(one)
    return tuple(kept)


def _paragraph_end(text: str, at: int) -> int:
    limit = min(len(text), at + _PARAGRAPH)
    gap = _GAP.search(text, at, limit)
    return gap.start() if gap is not None else at + len(text[at:limit].rstrip())


def _between(text: str, start: int, end: int) -> bool:
    """Whether at most one short paragraph lies between two spans."""
    between = text[start:end] if end - start <= _PARAGRAPH else ""
    return bool(between) and len(_GAP.split(between.strip())) == 1


def _by_key() -> dict[bytes, list[int]]:
    places: dict[bytes, list[int]] = {}
    for place, wording in enumerate(_ALL):
        for key in wording.keys:
            places.setdefault(key, []).append(place)
    return places


_ALL: Final = (*WORDINGS, *CALLS, *ANSWERS, *ABROAD)
_BY_KEY: Final = _by_key()
_KEYS: Final = frozenset(_BY_KEY)
_TELLING: Final = frozenset(
    (
        *_KEYS,
        *(word for wording in _ALL for others in wording.others for word in others),
        *GIVEAWAYS,
        *SINGLES,
        *FRAME_WORDS,
    )
)
