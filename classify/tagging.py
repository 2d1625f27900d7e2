"""Spans that carry a tag of their own, whatever the text around them is declared to be.

A credential, a card, an account, a national identifier, a date of birth, a postal address, a
telephone number: structured, and somebody's. Names, amounts and e-mail addresses are left to the
declaration: ordinary work is full of them, and a text of which each is secret is none.
"""

from collections.abc import Mapping
from functools import partial
from itertools import chain
from typing import Final

from classify.accounts import accounts, cards, ibans
from classify.addresses import addresses
from classify.credentials import credentials
from classify.identities import dates_of_birth, national_ids
from classify.phones import phones
from classify.spans import Span, classification_of, without_overlaps
from classify.view import normalised
from schemas.names import Classification

LOOKED_AT: Final = 50_000
"""Characters of one field; what stands behind them is as its declaration says. So no text that a
stranger wrote costs a reader more than a second or two.
"""
_RESTRICTED: Final = (cards, national_ids)
_CONFIDENTIAL: Final = (ibans, accounts, dates_of_birth, addresses, partial(phones, spoken=()))


def tagged_in(text: str, above: Classification = Classification.INTERNAL) -> tuple[Span, ...]:
    """The spans of `text` more sensitive than `above`, sorted, none overlapping another."""
    text = text[:LOOKED_AT]
    if above is Classification.RESTRICTED:
        return ()
    view = normalised(text)
    found = list(credentials(view))
    if any(map(str.isdigit, view.text)):
        found += chain.from_iterable(finder(view) for finder in _RESTRICTED)
        if above is not Classification.CONFIDENTIAL:
            found += chain.from_iterable(finder(view) for finder in _CONFIDENTIAL)
    places = ((*view.back(first, last), kind) for first, last, kind in found)
    return without_overlaps(Span(start, end, kind, text[start:end]) for start, end, kind in places)


def found_in(value: object) -> Classification:
    """The classification of the most sensitive span anywhere in `value` (of JSON's types), read
    beside its key; PUBLIC where there is none.
    """
    found = Classification.PUBLIC
    stack: list[tuple[str, object]] = [("", value)]
    while stack:
        key, held = stack.pop()
        if isinstance(held, Mapping):
            stack += ((str(name), inner) for name, inner in held.items())
        elif isinstance(held, list | tuple):
            stack += ((key, inner) for inner in held)
        elif isinstance(held, str | int) and not isinstance(held, bool):
            if spans := tagged_beside(key, str(held), found):
                found = classification_of(spans)
    return found


def tagged_beside(key: str, text: str, above: Classification) -> tuple[Span, ...]:
    """The same for a `text` that stands in a field named `key`; offsets are into `text`."""
    label = f"{key.replace('_', ' ')}: " if key else ""
    return tuple(
        Span(span.start - len(label), span.end - len(label), span.kind, span.text)
        for span in tagged_in(label + text, above)
        if span.start >= len(label)
    )
