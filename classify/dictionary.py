"""The workspace's own names, found in one pass (Aho and Corasick, CACM 18(6), 1975).

Case, diacritics and look-alikes are folded on both sides, and a name ends at word bounds. A
person's given name or surname alone counts where it is written with a capital and is no
ordinary word; an organisation's name counts without its legal form too.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

import ahocorasick  # type: ignore[import-not-found]

from classify.spans import Kind, Span
from classify.view import folded
from classify.vocabulary import words

_ORDINARY: Final = words(
    """
    will mark grant may june april august summer rose price bill art dawn grace hope faith joy
    frank rich sue pat jack gene drew rob chase miles chance hunter page paige dean earl duke
    king prince bishop pope knight baker cook carter mason smith taylor fisher hall hill wood
    woods field fields park parks lane banks bank young long short strong wise best good white
    black brown green gray grey gold silver case cross day days week snow rain winter frost
    stone rivers brook bush marsh reed rice bean lamb fox wolf bird hawk drake major sergeant
    love moon star bell ball law lord power powers rush sharp speed stark swift wells west east
    north south works york paris london berlin madrid milan florence victoria china india jordan
    israel chad georgia virginia carolina dallas austin houston jackson lincoln washington
    orange apple target square delta alpha beta data max guy sky summit penny melody destiny
    trinity justice angel heaven early english french german price sale sales account team
    support martin note call house ford harbour ward church temple
    """
) - {"martin", "smith", "taylor", "jackson", "carter", "victoria", "paris", "jordan", "virginia"}
_LEGAL_FORM: Final = re.compile(
    r"[\s,]+(?:gmbh(?: & co\.? kg)?|ag|kg|ug|ltd\.?|limited|llc|inc\.?|corp\.?|corporation|co\.?"
    r"|plc|llp|lp"
    r"|s\.?a\.?s?\.?|sarl|b\.?v\.?|n\.?v\.?|s\.?l\.?|s\.?p\.?a\.?|s\.?r\.?l\.?|ab|as|a/s|oy|oü"
    r"|ou|k\.?k\.?|pty)$"
)
_MIN_PART: Final = 3
_MIN_ECHO: Final = 4


class Dictionary:
    """Names to look for. Built once; a search is one pass, whatever the number of names."""

    def __init__(self, persons: Iterable[str] = (), organisations: Iterable[str] = ()) -> None:
        self._automaton = ahocorasick.Automaton()
        for name in organisations:
            whole = self._add(name, Kind.ORGANISATION, _key(name) in _ORDINARY)
            bare = _LEGAL_FORM.sub("", whole)
            if bare != whole:
                self._add(bare, Kind.ORGANISATION, " " not in bare)
        for name in persons:
            parts = self._add(name, Kind.PERSON, False).split()
            for part in parts if len(parts) > 1 else ():
                if len(part) >= _MIN_PART and part not in _ORDINARY:
                    self._add(part, Kind.PERSON, True)
        self._empty = not len(self._automaton)
        if not self._empty:
            self._automaton.make_automaton()

    def _add(self, name: str, kind: Kind, capital: bool) -> str:
        key = _key(name)
        if len(key) >= 2:
            known = self._automaton.get(key, None)
            if known is None or (known[2] and not capital):
                self._automaton.add_word(key, (len(key), kind, capital))
        return key

    def find(self, text: str) -> Iterator[tuple[int, int, Kind]]:
        """Where names stand in `text`, as offsets into it; overlaps and all."""
        if self._empty:
            return
        view = folded(text)
        haystack = view.text
        for last, (length, kind, capital) in self._automaton.iter(haystack):
            start, end = last + 1 - length, last + 1
            if not _bounded(haystack, start, end):
                continue
            first, stop = view.back(start, end)
            if not capital or text[first].isupper():
                yield first, stop, kind


def echoes(text: str, spans: Iterable[Span]) -> Iterator[Span]:
    """The other places in `text` where what the spans say stands, letter by letter.

    What its surroundings gave away once is the same thing elsewhere. Texts of under four
    letters or digits are left out: too many other things are written so.
    """
    automaton = ahocorasick.Automaton()
    known = set()
    for span in spans:
        known.add(span.start)
        if span.text not in automaton and sum(map(str.isalnum, span.text)) >= _MIN_ECHO:
            automaton.add_word(span.text, (len(span.text), span.kind))
    if not len(automaton):
        return
    automaton.make_automaton()
    for last, (length, kind) in automaton.iter(text):
        start, end = last + 1 - length, last + 1
        if start not in known and _bounded(text, start, end):
            yield Span(start, end, kind, text[start:end])


def _bounded(text: str, start: int, end: int) -> bool:
    """Whether `start` and `end` are not within a word."""
    before = start > 0 and text[start - 1].isalnum() and text[start].isalnum()
    after = end < len(text) and text[end].isalnum() and text[end - 1].isalnum()
    return not (before or after)


def _key(name: str) -> str:
    return " ".join(folded(name).text.split())
