"""A model's words made fit for the ledger's clear text.

A verdict's reason and question stand in the clear, while the reviewing model has read
sealed arguments and may be talked into repeating them. So no word passes that the sealed
content holds and the clear part of the prompt does not. The model's own words stay whole,
and sealed, in `model.called`.
"""

import re
import unicodedata
from collections.abc import Mapping
from typing import Final

LONGEST: Final = 500
"""Characters of a model's words that go on record in the clear."""

_REMOVED: Final = "[…]"
_WORD: Final = re.compile(r"\w+")
_RUN: Final = re.compile(r"\[…\](?:[^\w\[]{0,3}\[…\])+")


def in_the_clear(said: str, *, clear: str, sealed: object) -> str:
    """`said` on one line, without the words of `sealed` (any JSON value) missing in `clear`.

    Words of one or two letters pass; digits never do.
    """
    hidden = _words_of(sealed) - _words(clear)

    def shown(match: re.Match[str]) -> str:
        word = match[0]
        short = len(word) < 3 and word.isalpha()
        return word if short or word.casefold() not in hidden else _REMOVED

    line = " ".join(_plain(said).split())
    return _RUN.sub(_REMOVED, _WORD.sub(shown, line))[:LONGEST]


def _words(text: str) -> frozenset[str]:
    return frozenset(word.casefold() for word in _WORD.findall(_plain(text)))


def _words_of(value: object) -> frozenset[str]:
    found: set[str] = set()
    stack = [value]
    while stack:
        held = stack.pop()
        if isinstance(held, Mapping):
            stack += [*held, *held.values()]
        elif isinstance(held, list | tuple):
            stack += held
        elif held is not None and not isinstance(held, bool):
            found |= _words(str(held))
    return frozenset(found)


def _plain(text: str) -> str:
    """Compatibility forms folded, invisible characters left out."""
    folded = unicodedata.normalize("NFKC", text)
    return "".join(c for c in folded if unicodedata.category(c) not in ("Cf", "Cs", "Co", "Cn"))
