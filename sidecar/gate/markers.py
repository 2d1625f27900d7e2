"""Spans of a text that read as instructions to a machine rather than as prose for a person.

This is hygiene, never the defence that counts: a value inside a marked span is the last to be
trusted, and memory keeps no such span. Marked are fake tags of a system or a tool, the
wordings of `phrases`, `addressing` and `tongues`, and both where they hide: in comments, behind
zero-width characters or look-alike letters, spaced out, encoded. A span covers the tag's block,
or the sentence or paragraph that the wording stands in. Pure, linear in the text, total.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Final

from msgspec import Struct

from sidecar.gate.addressing import CALLS
from sidecar.gate.answering import ANSWERS
from sidecar.gate.disguises import GIVEAWAYS, SINGLES, Piece, disguised
from sidecar.gate.frames import FRAME_WORDS, RUN_ON, framed
from sidecar.gate.letters import seen
from sidecar.gate.paragraphs import GAP, PARAGRAPH, Paragraphs, windows
from sidecar.gate.phrases import OVERRIDES
from sidecar.gate.posing import POSES
from sidecar.gate.tongues import ABROAD, UNSPACED
from sidecar.gate.wording import CALLED, OVERRIDE, VALUE_SIGN, Wording

REMOVED: Final = "[removed]"
_SHORTEST: Final = 9
_BEHIND: Final = 400
_PASSES: Final = 4
_LAYERS: Final = 3
_STEP: Final = 200
_BLANKS: Final = bytes(
    code if code >= 0x80 or chr(code).isalnum() else 0x20 for code in range(0x100)
)
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


def _found(text: str, folded: str, layers: int) -> Iterator[Marked]:
    paragraphs = Paragraphs(folded)
    every: set[bytes] = set()
    for start, end in paragraphs.chunks():
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


def _speaks(piece: Piece, layers: int) -> bool:
    if piece.run_on:
        return any(said in piece.says for said in RUN_ON)
    below = seen(piece.says)
    return next(_found(below.text, below.folded, 0 if piece.last else layers - 1), None) is not None


def _listed(folded: str) -> list[bytes]:
    return folded.encode("utf-8", "replace").translate(_BLANKS).split()


def _worded(
    folded: str, start: int, end: int, telling: frozenset[bytes], paragraphs: Paragraphs
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
        wording = WORDINGS[place]
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
    paragraphs: Paragraphs,
) -> Iterator[Marked]:
    weak: list[Marked] = []
    places: dict[bytes, list[int]] = {}
    valued = VALUE_SIGN.search(folded, start, end) is not None
    for wording in _possible(telling):
        if wording.valued and not valued:
            continue
        past = start
        for opens, closes in windows(folded, start, end, wording.keys & telling, places):
            for match in wording.pattern.finditer(folded, opens, closes):
                if match.start() < past:
                    continue
                first, last = paragraphs.around(*match.span(), wording.reason == CALLED)
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
            gap = GAP.match(text, one.end)
            if gap is not None:
                one = Marked(one.start, _paragraph_end(text, gap.end()), one.reason)
        if kept and (one.start < kept[-1].end or _between(text, kept[-1].end, one.start)):
            last = kept[-1]
            kept[-1] = Marked(last.start, max(last.end, one.end), last.reason)
        else:
            kept.append(one)
    return tuple(kept)


def _paragraph_end(text: str, at: int) -> int:
    limit = min(len(text), at + PARAGRAPH)
    gap = GAP.search(text, at, limit)
    return gap.start() if gap is not None else at + len(text[at:limit].rstrip())


def _between(text: str, start: int, end: int) -> bool:
    """Whether at most one short paragraph lies between two spans."""
    between = text[start:end] if end - start <= PARAGRAPH else ""
    return bool(between) and len(GAP.split(between.strip())) == 1


def _by_key() -> dict[bytes, list[int]]:
    places: dict[bytes, list[int]] = {}
    for place, wording in enumerate(WORDINGS):
        for key in wording.keys:
            places.setdefault(key, []).append(place)
    return places


WORDINGS: Final = (*OVERRIDES, *POSES, *CALLS, *ANSWERS, *ABROAD)
_BY_KEY: Final = _by_key()
_KEYS: Final = frozenset(_BY_KEY)
_TELLING: Final = frozenset(
    (
        *_KEYS,
        *(word for wording in WORDINGS for others in wording.others for word in others),
        *GIVEAWAYS,
        *SINGLES,
        *FRAME_WORDS,
    )
)
