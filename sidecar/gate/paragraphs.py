"""A text's paragraphs, and the stretches of them that are worth a search."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from typing import Final

PARAGRAPH: Final = 800
GAP: Final = re.compile(r"\n[ \t\r]*\n\s*")
_STOP: Final = re.compile(r"[.!?]\s+|\n")
_BEHIND: Final = 400
_CHUNK: Final = 800
_REACH: Final = (200, 300)


class Paragraphs:
    """Where a text's paragraphs begin and end, looked up once there is something to look up."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._bounds: tuple[list[int], list[int]] | None = None

    def bounds(self) -> tuple[list[int], list[int]]:
        """Where they begin, and where they end."""
        if self._bounds is None:
            gaps = [gap.span() for gap in GAP.finditer(self.text)]
            last = len(self.text.rstrip())
            self._bounds = ([0, *(end for _, end in gaps)], [*(start for start, _ in gaps), last])
        return self._bounds

    def around(self, start: int, end: int, onwards: bool = False) -> tuple[int, int]:
        """The paragraph around a match; of a long one, or if `onwards`, its sentences from there
        on.
        """
        starts, ends = self.bounds()
        first = min(start, starts[max(0, bisect_right(starts, start) - 1)])
        place = bisect_left(ends, end)
        last = max(end, ends[place]) if place < len(ends) else end
        if last - first <= PARAGRAPH and not onwards:
            return first, last
        near = max(first, start - _BEHIND)
        stops = [stop.end() for stop in _STOP.finditer(self.text, near, start)]
        return (stops[-1] if stops else near), min(last, end + PARAGRAPH)

    def chunks(self) -> Iterator[tuple[int, int]]:
        """Paragraphs in groups of some size, so that a word is looked for where its like may be."""
        if len(self.text) <= _CHUNK:
            yield 0, len(self.text)
            return
        opens = 0
        for start, end in zip(*self.bounds(), strict=True):
            if end - opens > _CHUNK:
                if start > opens:
                    yield opens, start
                opens = start
        yield opens, len(self.text)


def windows(
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
