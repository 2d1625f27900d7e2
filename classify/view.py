"""A text as its reader sees it, with the way back to the offsets of what was written.

Zero-width characters, full-width digits, letters of other alphabets that look Latin, and
typographic blanks and dashes would hide a number from a pattern and from nobody else.
Mappings follow Unicode's compatibility decomposition (UAX 15) and, for look-alikes, the
Cyrillic, Greek and Armenian letters of UTS 39's confusables.
"""

import re
import unicodedata
from array import array
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Final

from msgspec import Struct

_LOOKALIKES: Final = dict(
    zip(
        "аеорсухіјѕһԁԛԝԌАВЕКМНОРСТУХІЈЅԚԜΑΒΕΖΗΙΚΜΝΟΡΤΥΧαοριυνհոսցօ",
        "aeopcyxijshdqwGABEKMHOPCTYXIJSQWABEZHIKMNOPTYXaopiuvhnugo",
        strict=True,
    )
)
_BLANKS: Final = "\u00a0\u1680\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
_DASHES: Final = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"
_QUOTES: Final = "\u2018\u2019\u201b\u02bc\uff07"
_INVISIBLE: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff]"
)
_BEYOND: Final = re.compile("[^\x00-\uffff]")
# Where single characters decompose to one ASCII character, or are digits of another script.
_COMPATIBLE: Final = ((0x00AA, 0x00BA), (0x0660, 0x0D6F), (0x2070, 0x24FF), (0xFF01, 0xFF5E))
_STYLED: Final = (0x1D400, 0x1D7FF)


class View(Struct, frozen=True):
    """`text` is what to search; `origin[i]` is where its character i came from.

    `origin` is one longer than `text`, and None where nothing moved.
    """

    text: str
    origin: Sequence[int] | None

    def back(self, start: int, end: int) -> tuple[int, int]:
        """The offsets, in what was written, of the view's characters `start` to `end`."""
        if self.origin is None or start >= end:
            return start, end
        return self.origin[start], self.origin[end - 1] + 1


def normalised(text: str) -> View:
    """`text` with look-alikes resolved and invisible characters left out."""
    if text.isascii():
        return View(text, None)
    return _without(_plain(text), _INVISIBLE, {})


def folded(text: str) -> View:
    """`normalised`, and in lower case without diacritics, for comparing names."""
    if text.isascii():
        return View(text.lower(), None)
    return _without(_plain(text).translate(_fold_table()), _FOLD_SPECIAL, _LIGATURES)


_LIGATURES: Final = {"ß": "ss", "æ": "ae", "œ": "oe", "ﬁ": "fi", "ﬂ": "fl", "ﬀ": "ff"}
_FOLD_SPECIAL: Final = re.compile(f"{_INVISIBLE.pattern}|[\u0300-\u036f]|[{''.join(_LIGATURES)}]")


def _without(text: str, special: re.Pattern[str], written: dict[str, str]) -> View:
    if text.isascii():
        return View(text, None)
    parts: list[str] = []
    origin = array("L")
    last = 0
    for match in special.finditer(text):
        parts.append(text[last : match.start()])
        origin.extend(range(last, match.start()))
        replacement = written.get(match[0], "")
        parts.append(replacement)
        origin.extend([match.start()] * len(replacement))
        last = match.end()
    if not parts:
        return View(text, None)
    parts.append(text[last:])
    origin.extend(range(last, len(text) + 1))
    return View("".join(parts), origin)


def _plain(text: str) -> str:
    table = _table()
    if _BEYOND.search(text):
        return text.translate(table)
    return _disguised().sub(lambda match: table[ord(match[0])], text)


@cache
def _disguised() -> re.Pattern[str]:
    # A class within the basic plane is a bitmap; one character beyond makes it a list.
    return re.compile(f"[{re.escape(''.join(chr(code) for code in _table() if code < 0x10000))}]")


@cache
def _table() -> dict[int, str]:
    table = {ord(char): plain for char, plain in _LOOKALIKES.items()}
    table |= {ord(char): " " for char in _BLANKS}
    table |= {ord(char): "-" for char in _DASHES}
    table |= {ord(char): "'" for char in _QUOTES}
    for code in _codes((*_COMPATIBLE, _STYLED)):
        plain = unicodedata.normalize("NFKC", chr(code))
        decimal = unicodedata.decimal(chr(code), None)
        if decimal is not None:
            table[code] = str(decimal)
        elif len(plain) == 1 and plain.isascii():
            table[code] = plain
    return table


@cache
def _fold_table() -> dict[int, str]:
    table = {ord(char): char.lower() for char in map(chr, range(0x41, 0x5B))}
    for code in _codes(((0x00C0, 0x024F), (0x1E00, 0x1EFF), (0x0370, 0x058F))):
        lower = chr(code).lower()
        base = unicodedata.normalize("NFD", lower)[:1]
        table[code] = base if len(lower) == 1 else lower[0]
    return table | {ord("ø"): "o", ord("Ø"): "o", ord("ł"): "l", ord("Ł"): "l", ord("đ"): "d"}


def _codes(ranges: Iterable[tuple[int, int]]) -> Iterable[int]:
    for low, high in ranges:
        yield from range(low, high + 1)
