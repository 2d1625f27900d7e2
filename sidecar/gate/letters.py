"""Text as a reader takes it: one plain letter for each, hidden characters out, places kept.

Folding keeps the length, so a place in the folded text is one in the original; where hidden
characters had to go, `Seen.places` maps back.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

_FOREIGN_LETTERS: Final = (
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u0501\u04bb\u051b\u051d"
    "\u04cf\u0432\u043a\u043c\u043d\u0442\u0433\u043f\u0446\u044c\u0437\u03b1\u03b2\u03b3"
    "\u03b5\u03b9\u03ba\u03bd\u03bf\u03c1\u03c4\u03c5\u03c7\u03c9\u03b7\u03bc\u2019\u2018"
    "\u201c\u201d\u201e\u00ab\u00bb\u2013\u2014\u00a0\u00df\u00e6\u0153\u00f8\u0111\u0142"
    "\u0131\u1d00\u0299\u1d04\u1d05\u1d07\ua730\u0262\u029c\u026a\u1d0a\u1d0b\u029f\u1d0d\u0274"
    "\u1d0f\u1d18\u0280\ua731\u1d1b\u1d1c\u1d20\u1d21\u028f\u1d22"
)
_READ_AS: Final = (
    'aeopcyxijsdhqwlbkmhtrnubzabyeiknoptuxwnu\'\'"""""-- saoodliabcdefghijklmnoprstuvwyz'
)
_ALIKE: Final = dict(zip(_FOREIGN_LETTERS, _READ_AS, strict=True))
_BLOCKS: Final = (
    (0x80, 0x24F),
    (0x370, 0x52F),
    (0x1E00, 0x1EFF),
    (0x2000, 0x200A),
    (0x2010, 0x2029),
    (0x202F, 0x205F),
    (0x2100, 0x218F),
    (0x2460, 0x24FF),
    (0x3000, 0x3000),
    (0xFF00, 0xFFEF),
    (0x1D400, 0x1D7FF),
    (0x1F110, 0x1F189),
)
_FOREIGN: Final = re.compile(r"[^\x00-\x7f]+")
_HIDDEN: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\ufe00-\ufe0f\ufeff\u0300-\u036f\U000e0000-\U000e0fff]+"
)


class Seen(Struct, frozen=True):
    """A text without hidden characters, in its own letters and folded, equally long.

    `places` gives the original place of each character, None where each is at its own.
    """

    text: str
    folded: str
    places: Sequence[int] | None

    def back(self, start: int, end: int) -> tuple[int, int]:
        """The original span of one in the folded text; `start` is below `end`."""
        if self.places is None:
            return start, end
        return self.places[start], self.places[end - 1] + 1


def seen(text: str) -> Seen:
    """`text` as it is read. Never raises."""
    if text.isascii():
        return Seen(text, text.lower(), None)
    places: list[int] | None = None
    if _HIDDEN.search(text):
        places, kept, at = [], [], 0
        for hidden in _HIDDEN.finditer(text):
            kept.append(text[at : hidden.start()])
            places.extend(range(at, hidden.start()))
            at = hidden.end()
        places.extend(range(at, len(text)))
        text = "".join((*kept, text[at:]))
    return Seen(text, folded(text), places)


def folded(text: str) -> str:
    """`text` in lower case, without accents and look-alikes, as long as before."""
    small = text.lower()
    if len(small) != len(text):
        small = "".join(letter.lower()[0] for letter in text)
    return _FOREIGN.sub(_plain, small)


def _plain(run: re.Match[str]) -> str:
    return run[0].translate(_TABLE)


def _table() -> dict[int, str]:
    table = {}
    for first, last in _BLOCKS:
        for code in range(first, last + 1):
            parts = unicodedata.normalize("NFKD", chr(code)).lower()
            plain = next((part for part in parts if part.isascii()), "")
            table[code] = plain or _ALIKE.get(parts[:1], parts[:1])
    table.update({ord(letter): alike for letter, alike in _ALIKE.items()})
    return table


_TABLE: Final = _table()
