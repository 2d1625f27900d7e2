"""The detector: every kind over one text, in spans that do not overlap.

Detection works on the normalised view and answers in offsets of the text as it was given.
It is pure once constructed: no I/O, no clock, no chance, no state from one text to the next.
"""

from collections.abc import Callable, Iterator
from typing import Final

from classify.accounts import accounts, cards, ibans
from classify.addresses import addresses
from classify.contacts import emails, ip_addresses
from classify.credentials import credentials
from classify.dictionary import Dictionary, echoes
from classify.identities import dates_of_birth, national_ids
from classify.model import NameModel
from classify.money import money
from classify.names import context_names
from classify.numerals import numerals
from classify.phones import REGIONS, phones
from classify.spans import Kind, Span, without_overlaps
from classify.view import View, normalised

_Finder = Callable[[View], Iterator[tuple[int, int, Kind]]]
_FINDERS: Final[tuple[_Finder, ...]] = (
    credentials,
    cards,
    ibans,
    accounts,
    national_ids,
    dates_of_birth,
    emails,
    ip_addresses,
    addresses,
    context_names,
)


class Detector:
    """Finds sensitive spans, with a workspace's dictionary and, if given, a language model.

    `regions` are the ISO 3166 countries that a telephone number without its country code may
    be from.
    """

    def __init__(
        self,
        dictionary: Dictionary | None = None,
        model: NameModel | None = None,
        regions: tuple[str, ...] = REGIONS,
    ) -> None:
        self._dictionary = dictionary or Dictionary()
        self._model = model
        self._regions = regions

    def detect(self, text: str) -> tuple[Span, ...]:
        """The spans of `text`, sorted, none overlapping another."""
        view = normalised(text)
        spans = [
            Span(start, end, kind, text[start:end])
            for first, last, kind in self._in_view(view)
            for start, end in (view.back(first, last),)
        ]
        spans += [
            Span(start, end, kind, text[start:end])
            for start, end, kind in self._dictionary.find(text)
        ]
        if self._model is not None:
            spans += [
                Span(start, end, kind, text[start:end])
                for start, end, kind in self._model.find(text)
            ]
        spans += echoes(text, spans)
        return without_overlaps(spans)

    def _in_view(self, view: View) -> Iterator[tuple[int, int, Kind]]:
        for finder in _FINDERS:
            yield from finder(view)
        spoken = tuple(numerals(view.text))
        yield from money(view, spoken)
        yield from phones(view, spoken, self._regions)
