"""What a text says once it is decoded: spaced-out, reversed, shifted, escaped, encoded pieces.

Each disguise gives itself away cheaply (a long run, single letters, a known word in its
disguised form), so an ordinary text costs a look at its words and no more.
"""

import base64
import binascii
import itertools
import re
from collections.abc import Iterator, Set
from typing import Final

from msgspec import Struct

_TELLTALES: Final = [
    "ignore",
    "disregard",
    "forget",
    "instructions",
    "instruction",
    "previous",
    "assistant",
    "prompt",
    "language",
    "important",
    "message",
    "system",
    "confirmation",
    "without",
    "password",
    "immediately",
]
_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz"
_LEET: Final = {"i": "i1!", "o": "o0", "e": "e3", "s": "s5", "a": "a4", "t": "t7", "l": "l1"}
_UNLEET: Final = str.maketrans("0134578!@$", "oieastbias")
_SINGLES: Final = frozenset(letter.encode() for letter in _ALPHABET)
_HEX_SIGNS: Final = frozenset((b"65", b"0x65", b"x65"))
_SPACED: Final = re.compile(r"(?<!\w)\w(?:[^\w\n]{1,3}\w(?!\w)){9,}")
_HEX: Final = re.compile(r"(?:(?:0x|\\x)?[0-9a-f]{2}[ ,:;]{0,2}){14,}")
_LONG: Final = re.compile(r"\S{20,}")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]{20,20000}={0,2}")
_ESCAPE: Final = re.compile(
    r"%[0-9a-f]{2}|&#x[0-9a-f]{1,5};?|&#[0-9]{1,6};?|\\u[0-9a-f]{4}|\\x[0-9a-f]{2}"
    r"|&(?:lt|gt|quot|amp|nbsp);|=[0-9a-f]{2}|\\n",
    re.IGNORECASE,
)
_NAMED: Final = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&amp;": "&", "&nbsp;": " ", "\\n": "\n"}
_NEAR: Final = 40
_LINE: Final = re.compile(r"[^\n]+")


class Piece(Struct, frozen=True):
    """A stretch of a text, from `start` up to `end`, and what it says decoded.

    `run_on` says that the blanks between words are lost.
    """

    start: int
    end: int
    says: str
    run_on: bool = False


def disguised(text: str, folded: str, words: Set[bytes]) -> Iterator[Piece]:
    """The decoded pieces of a text. `words` are the folded text's, in UTF-8."""
    if len(_SINGLES & words) >= 5:
        for spaced in _SPACED.finditer(folded):
            yield from _closed_up(spaced)
    if not words.isdisjoint(_GIVEAWAYS):
        yield from _turned(folded, words)
    if max(map(len, words), default=0) >= 14 or not words.isdisjoint(_HEX_SIGNS):
        yield from _encoded(text, folded)
    if "&" in text or "\\" in text or text.count("%") > 3 or text.count("=") > 7:
        yield from _escaped(text)
    if folded.count("\n") * 12 > len(folded) > 40:
        yield Piece(0, len(text), text.replace("\n", ""))


def _closed_up(spaced: re.Match[str]) -> Iterator[Piece]:
    said = spaced[0]
    words = ["".join(c for c in part if c.isalnum()) for part in re.split(r"[^\w\n]{2,3}", said)]
    yield Piece(spaced.start(), spaced.end(), " ".join(words))
    yield Piece(spaced.start(), spaced.end(), "".join(words), run_on=True)


def _turned(folded: str, words: Set[bytes]) -> Iterator[Piece]:
    """Lines written backwards, with shifted letters, or with digits for letters."""
    ways = {_GIVEAWAYS[word] for word in words & _GIVEAWAYS.keys()}
    for line in _LINE.finditer(folded):
        for way in sorted(ways):
            says = line[0]
            if way == _LEET_WAY:
                says = says.translate(_UNLEET)
            elif way == _REVERSED_WAY:
                says = says[::-1]
            else:
                says = says.translate(_shift(-way))
            yield Piece(line.start(), line.end(), says)


def _encoded(text: str, folded: str) -> Iterator[Piece]:
    for long in _LONG.finditer(text):
        for run in _BASE64.finditer(text, long.start(), long.end()):
            says = _from_base64(run[0])
            if says:
                yield Piece(run.start(), run.end(), says)
            yield Piece(run.start(), run.end(), run[0].lower(), run_on=True)
    for run in _HEX.finditer(folded):
        digits = re.sub(r"0x|\\x|[^0-9a-f]", "", run[0])
        raw = bytes.fromhex(digits[: len(digits) // 2 * 2])
        yield Piece(run.start(), run.end(), raw.decode("utf-8", "replace"))


def _from_base64(run: str) -> str:
    stem = run.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        raw = base64.b64decode(stem + "=" * (-len(stem) % 4))
    except (binascii.Error, ValueError):
        return ""
    says = raw.decode("utf-8", "replace")
    plain = sum(letter.isalnum() or letter in " .,:;'\n<>/!" for letter in says)
    return says if plain * 10 >= len(says) * 8 else ""


def _escaped(text: str) -> Iterator[Piece]:
    """Stretches with several escapes close together, with all of them resolved."""
    first = last = count = 0
    for escape in _ESCAPE.finditer(text):
        if count and escape.start() - last > _NEAR:
            if count > 1:
                yield _resolved(text, first, last)
            count = 0
        if not count:
            first = escape.start()
        last, count = escape.end(), count + 1
    if count > 1:
        yield _resolved(text, first, min(len(text), last + _NEAR))


def _resolved(text: str, start: int, end: int) -> Piece:
    start = max(0, start - _NEAR)
    return Piece(start, end, _ESCAPE.sub(_letter, text[start:end]))


def _letter(escape: re.Match[str]) -> str:
    said = escape[0].lower()
    if said in _NAMED:
        return _NAMED[said]
    base = 10 if said[:2] == "&#" and said[2] != "x" else 16
    code = int(re.sub(r"^(%|&#x?|\\u|\\x|=)|;$", "", said), base)
    return chr(code) if code < 0x110000 else " "


def _shift(by: int) -> dict[int, int]:
    return {
        ord(letter): ord(_ALPHABET[(place + by) % 26]) for place, letter in enumerate(_ALPHABET)
    }


_REVERSED_WAY: Final = 100
_LEET_WAY: Final = 101


def _giveaways() -> dict[bytes, int]:
    """Telltale words as each way of turning letters writes them."""
    ways: dict[bytes, int] = {}
    for word in _TELLTALES:
        for by in range(1, 26):
            ways[word.translate(_shift(by)).encode()] = by
        ways[word[::-1].encode()] = _REVERSED_WAY
        for letters in itertools.product(*(_LEET.get(letter, letter) for letter in word)):
            written = "".join(letters)
            if written != word and "!" not in written:
                ways[written.encode()] = _LEET_WAY
    for word in _TELLTALES:
        ways.pop(word.encode(), None)
    return ways


_GIVEAWAYS: Final = _giveaways()
