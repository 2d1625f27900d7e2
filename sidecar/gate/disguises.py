"""What a text says once it is decoded: spaced-out, reversed, shifted, escaped, encoded pieces.

Each disguise gives itself away cheaply (a long run, single letters, a known word in its
disguised form), so an ordinary text costs a look at its words and no more.
"""

import base64
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
SINGLES: Final = frozenset(letter.encode() for letter in _ALPHABET)
_CODED: Final = frozenset((b"101", b"105", b"110"))
_HEX_SIGNS: Final = frozenset((b"65", b"0x65", b"x65"))
_HEX_RUN: Final = re.compile(r"[0-9a-fA-F]{28,}")
_BITS: Final = frozenset((b"01100101", b"01101001", b"01101110"))
_SPACED: Final = re.compile(r"(?<!\w)\w(?:[^\w\n]{1,3}\w(?!\w)){9,}")
_HEX: Final = re.compile(r"(?:(?:0x|\\x)?[0-9a-f]{2}[ ,:;]{0,2}){14,}")
_CODES: Final = re.compile(r"(?:\b\d{2,3}[ ,;]{1,2}){13,}\d{2,3}\b")
_BINARY: Final = re.compile(r"(?:[01]{8}[ ,]{0,2}){14,}")
_MORSE: Final = re.compile(r"(?:[.-]{1,5}(?: / | )){12,}[.-]{1,5}")
_BASE32: Final = re.compile(r"[A-Z2-7]{24,20000}={0,6}")
_JOINED: Final = re.compile(r"(?<![\w+])[^\W_]+(?:[_+][^\W_]+){3,}")
_LONG: Final = re.compile(r"\S{20,}")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]{20,20000}={0,2}")
_ESCAPE: Final = re.compile(
    r"%[0-9a-f]{2}|&#x[0-9a-f]{1,6};?|&#[0-9]{1,7};?|\\u[0-9a-f]{4}|\\x[0-9a-f]{2}"
    r"|&(?:lt|gt|quot|amp|nbsp);|=[0-9a-f]{2}|\\n",
    re.IGNORECASE,
)
_NAMED: Final = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&amp;": "&", "&nbsp;": " ", "\\n": "\n"}
_PLAIN: Final = bytes(
    code for code in range(0x100) if code >= 0x80 or chr(code).isalnum() or code in b" .,:;'\n<>/!"
)
_NEAR: Final = 40
_NARROW: Final = re.compile(r"\n(?:[^\n]{1,12}\n){4,}[^\n]{0,12}")
_LINE: Final = re.compile(r"[^\n]+")


class Piece(Struct, frozen=True):
    """A stretch of a text, from `start` up to `end`, and what it says decoded.

    `run_on` says that the blanks between words are lost, `last` that nothing is below.
    """

    start: int
    end: int
    says: str
    run_on: bool = False
    last: bool = False


def disguised(text: str, folded: str, words: Set[bytes], longest: int) -> Iterator[Piece]:
    """The decoded pieces of a text. `words` are its telling ones, in UTF-8, `longest` is the
    length of its longest.
    """
    if len(SINGLES & words) >= 5:
        for spaced in _SPACED.finditer(folded):
            yield from _closed_up(spaced)
    if "_" in text or "+" in text:
        for joined in _JOINED.finditer(folded):
            yield Piece(*joined.span(), re.sub(r"[_+]", " ", joined[0]), last=True)
    turned = words & _TURNED
    if len(words & _BACKWARDS) > 1:
        turned |= {_REVERSED}
    if turned:
        yield from _turned(folded, {_WAYS[word] for word in turned})
    if longest >= 16:
        yield from _encoded(text)
    if not words.isdisjoint(_HEX_SIGNS):
        for run in _HEX.finditer(folded):
            yield _from_hex(run)
    if words >= _CODED or not words.isdisjoint(_BITS):
        yield from _numbered(folded)
    if " / " in text:
        yield from _tapped(text)
    if "&" in text or "\\" in text or text.count("%") > 3 or text.count("=") > 7:
        yield from _escaped(text)
    if text.count("\n") > 3:
        for narrow in _NARROW.finditer(f"\n{text}"):
            start, end = narrow.span()
            yield Piece(start, end - 1, narrow[0].replace("\n", ""))


def _closed_up(spaced: re.Match[str]) -> Iterator[Piece]:
    said = spaced[0]
    words = ["".join(c for c in part if c.isalnum()) for part in re.split(r"[^\w\n]{2,3}", said)]
    yield Piece(spaced.start(), spaced.end(), " ".join(words))
    yield Piece(spaced.start(), spaced.end(), "".join(words), run_on=True)


def _turned(folded: str, ways: Set[int]) -> Iterator[Piece]:
    """Lines written backwards, with shifted letters, or with digits for letters."""
    for line in _LINE.finditer(folded):
        for way in sorted(ways):
            says = line[0]
            if way == _LEET_WAY:
                says = says.translate(_UNLEET)
            elif way == _REVERSED_WAY:
                says = says[::-1]
            else:
                says = says.translate(_SHIFTS[way])
            yield Piece(line.start(), line.end(), says, last=True)


def _encoded(text: str) -> Iterator[Piece]:
    for long in _LONG.finditer(text):
        for run in _BASE64.finditer(text, long.start(), long.end()):
            says = _from_base64(run[0])
            if says:
                yield Piece(run.start(), run.end(), says)
            yield Piece(run.start(), run.end(), run[0].lower(), run_on=True)
        for run in _BASE32.finditer(text, long.start(), long.end()):
            says = _from_base32(run[0])
            if says:
                yield Piece(run.start(), run.end(), says)
        for run in _HEX_RUN.finditer(text, long.start(), long.end()):
            yield _from_hex(run)


def _from_hex(run: re.Match[str]) -> Piece:
    digits = re.sub(r"0x|\\x|[^0-9a-f]", "", run[0].lower())
    raw = bytes.fromhex(digits[: len(digits) // 2 * 2])
    return Piece(run.start(), run.end(), _plain(raw))


def _numbered(folded: str) -> Iterator[Piece]:
    for run in _CODES.finditer(folded):
        codes = [int(code) for code in re.findall(r"\d{2,3}", run[0])]
        yield Piece(run.start(), run.end(), "".join(map(chr, codes)))
    for run in _BINARY.finditer(folded):
        octets = [int(octet, 2) for octet in re.findall(r"[01]{8}", run[0])]
        yield Piece(run.start(), run.end(), "".join(map(chr, octets)))


def _tapped(text: str) -> Iterator[Piece]:
    for run in _MORSE.finditer(text):
        words = (word.split() for word in run[0].split(" / "))
        says = " ".join("".join(_TAPPED.get(sign, "?") for sign in word) for word in words)
        yield Piece(run.start(), run.end(), says, last=True)


def _from_base32(run: str) -> str:
    stem = run.rstrip("=")
    try:
        raw = base64.b32decode(stem + "=" * (-len(stem) % 8))
    except ValueError:
        return ""
    return _plain(raw)


def _from_base64(run: str) -> str:
    stem = run.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        raw = base64.b64decode(stem + "=" * (-len(stem) % 4))
    except ValueError:
        return ""
    return _plain(raw)


def _plain(raw: bytes) -> str:
    """What the bytes say, nothing if they are no text."""
    strange = len(raw.translate(None, _PLAIN))
    return raw.decode("utf-8", "replace") if strange * 5 <= len(raw) else ""


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


_SHIFTS: Final = {by: _shift(-by) for by in range(1, 26)}
_SIGNS: Final = (
    ".- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- "
    "-. --- .--. --.- .-. ... - ..- ...- .-- -..- -.-- --.."
)
_TAPPED: Final = dict(zip(_SIGNS.split(), _ALPHABET, strict=True))
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


_WAYS: Final = _giveaways()
_TURNED: Final = frozenset(_WAYS)
_REVERSED: Final = b"snoitcurtsni"
_BACKWARDS: Final = frozenset(
    b"eht dna uoy ruoy siht dnes esaelp tsum htiw morf resu lla uot".split()
)
GIVEAWAYS: Final = frozenset((*_BACKWARDS, *_WAYS, *_HEX_SIGNS, *_CODED, *_BITS))
"""The words that `disguised` must be told of."""
