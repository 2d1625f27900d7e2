"""Numbers as they are spoken: runs of number words in English, French, German and Spanish."""

import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from classify.vocabulary import words

_DIGITS: Final = words(
    """
    zero oh nought one two three four five six seven eight nine double triple treble zéro un une
    deux trois quatre cinq sept huit neuf null eins zwei zwo drei vier fünf sechs sieben acht
    neun cero uno dos tres cuatro cinco seis siete ocho nueve
    """
)
_TENS: Final = words(
    """
    ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty
    thirty forty fourty fifty sixty seventy eighty ninety dix onze douze treize quatorze quinze
    seize vingt vingts trente quarante cinquante soixante septante huitante nonante zehn elf
    zwölf zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig diez once doce trece
    catorce quince veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa
    """
)
_HUNDREDS: Final = words(
    """
    hundred cent cents hundert cien ciento doscientos trescientos cuatrocientos quinientos
    seiscientos setecientos ochocientos novecientos
    """
)
_THOUSANDS: Final = words(
    """
    thousand thousands grand million millions billion billions lakh crore mille milliard
    milliards tausend millionen milliarde milliarden mil millón millones
    """
)
_JOINS: Final = words(
    """
    and a an point half comma et und virgule komma y punto coma de
    """
)
_WORD: Final = re.compile(r"[^\W_]+")
# Germans write a number below a million as one word.
_COMPOUND: Final = re.compile(
    r"(?:ein|eine|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|elf|zwölf|zwanzig|dreißig|vierzig"
    r"|fünfzig|sechzig|siebzig|achtzig|neunzig|hundert|tausend|und){2,9}"
)
# Between two words of one number.
_GAP: Final = re.compile(r"[\s,.-]{1,3}")
_WORDS: Final = re.compile(r"[^\W\d_]+")
_SEEDS: Final = _DIGITS | _TENS | _HUNDREDS | _THOUSANDS | {"half"}
_DIGITS_BEFORE: Final = re.compile(r"(?<![\w.+])\d{1,5}(?:[\s.,-]{1,2}\d{1,5}){0,4}[\s.,-]{1,2}$")
_REACH: Final = 24


class Numeral(Struct, frozen=True):
    """A run of number words from `start` to `end`; `digits` is how many digits it dictates."""

    start: int
    end: int
    words: int
    digits: int
    hundreds: bool
    thousands: bool


def numerals(text: str) -> Iterator[Numeral]:
    """Runs of number words and of digits dictated between them, at least one of them a word."""
    end = 0
    for seed in _WORDS.finditer(text):
        word = seed[0].lower()
        if seed.start() < end or not (word in _SEEDS or _COMPOUND.fullmatch(word)):
            continue
        floor = max(end, seed.start() - _REACH)
        before = _DIGITS_BEFORE.search(text[floor : seed.start()])
        run = _run(text, floor + before.start() if before else seed.start())
        if run is not None:
            end = max(run.end, seed.end())
            yield run


def _run(text: str, start: int) -> Numeral | None:
    words = digits = 0
    hundreds = thousands = False
    end = position = start
    while match := _WORD.match(text, position):
        word = match[0].lower()
        if word in _DIGITS:
            digits += {"double": 1, "triple": 2, "treble": 2}.get(word, 1)
            words += 1
        elif word in _TENS:
            digits += 2
            words += 1
        elif word in _HUNDREDS or word in _THOUSANDS or word == "half":
            hundreds |= word in _HUNDREDS
            digits += 2 * (word in _HUNDREDS)
            thousands |= word in _THOUSANDS
            words += 1
        elif word.isdigit() and len(word) <= 5:
            digits += len(word)
        elif _COMPOUND.fullmatch(word):
            thousands |= "tausend" in word
            hundreds |= "hundert" in word
            words += 1
        elif word not in _JOINS or words == 0:
            break
        position = match.end()
        if word not in _JOINS:
            end = position
        gap = _GAP.match(text, position)
        if gap is None:
            break
        position = gap.end()
    return Numeral(start, end, words, digits, hundreds, thousands) if words else None
