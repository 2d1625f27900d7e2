"""Text as the gate compares it: folded, in words, and with what hides in it brought out.

Two texts that a person or a mail server would take for the same must compare equal here:
case, compatibility forms (Unicode NFKC, UAX 15), zero-width and other format characters,
percent, HTML, base64 and hexadecimal encodings. Look-alike letters are not folded away: a
look-alike address is another address, and `sidecar.gate.destination` says so.
"""

import base64
import html
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

import Stemmer

from sidecar.gate.glance import foreign, glance, in_one, may_hold_run

_FORMAT: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff]"
)
"""Format characters, the tag letters among them."""
_WORD: Final = re.compile(r"[^\W_]+")
_IN_WORDS: Final = bytes(
    ord(sign) if sign.isascii() and sign.isalnum() else ord(" ") for sign in map(chr, range(0x100))
)
"""ASCII, with a blank for what is in no word."""
_RUN: Final = 16
_BASE64: Final = re.compile(rf"[A-Za-z0-9+/_-]{{{_RUN},}}={{0,2}}")
# Patterns that run on every text begin with a class of characters: the engine skips to it.
_HEX: Final = re.compile(r"[0-9a-fA-F][0-9a-fA-F](?:[ :,]*(?:0x|\\x)?[0-9a-fA-F]{2}){7,}")
_BETWEEN_HEX: Final = re.compile(r"0x|\\x|[ :,]")
_NO_TEXT: Final = bytes((*range(0x20), *range(0x7F, 0x100)))
_PERCENT: Final = re.compile(r"%[0-9a-fA-F]{2}")
_APART: Final = re.compile(r"[ .-]\w[ .-]\w[ .-]")
_LETTERED: Final = re.compile(r"\w(?<!\w\w)[ .-](?:\w[ .-]){3,}\w(?!\w)")
_TAG_LETTERS: Final = {0xE0000 + code: chr(code) for code in range(0x20, 0x7F)}
_LOOK_ALIKE: Final = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u0501\u043a\u043c\u0442\u043d\u0432"
    "\u03b1\u03bf\u03c1\u03bd\u03b9\u03ba\u03c5\u03c7\u03c4",
    "aeopcyxijsdkmthbaopvikuxt",
)
_LOOKS_LATIN: Final = re.compile(f"[{''.join(map(chr, _LOOK_ALIKE))}]")
_DEPTH: Final = 3
_FEWEST: Final = 6
_APIECE: Final = 32
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"
_TURNED: Final = _LETTERS[13:] + _LETTERS[:13]
_ROT13: Final = str.maketrans(_LETTERS + _LETTERS.upper(), _TURNED + _TURNED.upper())
_STEMMER: Final = Stemmer.Stemmer("english")

COMMON: Final = frozenset(
    """a about above after again all also am an and any are as at be because been before being
    below between both but by can could did do does doing done down during each few for from
    further get give go had has have having he her here hers him his how i if in into is it its
    just let like make may me might more most must my new no nor not now of off on once one only
    or other our out over own per please s same see she should so some such t take than that the
    their them then there these they this those through to too two under until up us use very was
    we were what when where which while who whom why will with would you your yours dear hi hello
    thanks thank regards best sincerely mr ms mrs re fw fwd subject com www http https html
    """.split()  # noqa: SIM905
)
"""Words that say nothing about where a text comes from."""


def fold(text: str) -> str:
    """`text` in compatibility form (NFKC), without format characters, case folded."""
    return text.lower() if text.isascii() else _fold_foreign(text)


@lru_cache(maxsize=256)
def _fold_foreign(text: str) -> str:
    if _FORMAT.search("".join(foreign(text))):
        text = _FORMAT.sub("", text.translate(_TAG_LETTERS))
    plain = unicodedata.normalize("NFKC", text).casefold()
    return _WORD.sub(_one_script, plain) if _LOOKS_LATIN.search(plain) else plain


def _one_script(match: re.Match[str]) -> str:
    """A word that mixes Latin letters with look-alikes of another script, in Latin alone."""
    word = match[0]
    if word.isascii() or not any("a" <= c <= "z" for c in word):
        return word
    return word.translate(_LOOK_ALIKE)


def words(text: str) -> list[str]:
    """The words of `text`, folded; digits count as letters."""
    return list(words_of(fold(text)))


@lru_cache(maxsize=64)
def words_of(folded: str) -> tuple[str, ...]:
    """The words of a text that is folded already."""
    if folded.isascii() or not any(map(str.isalnum, foreign(folded))):
        return tuple(folded.encode("ascii", "replace").translate(_IN_WORDS).decode().split())
    return tuple(_WORD.findall(folded))


@lru_cache(maxsize=1024)
def spaced(text: str) -> str:
    """The words of `text` between single blanks, blanks at both ends: phrases are substrings."""
    return f" {' '.join(words_of(fold(text)))} "


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """The stem of an English word (Porter's second stemmer); a number or code is its own."""
    return str(_STEMMER.stemWord(word)) if word.isalpha() else word


def stems(said: Iterable[str]) -> list[str]:
    """The stems of words that are all letters."""
    return list(_STEMMER.stemWords(list(said)))


def telling(word: str) -> bool:
    """Whether a folded word says something about where a text comes from."""
    if len(word) > 3:
        return word not in COMMON
    return len(word) > 1 and not word.isalpha()


@lru_cache(maxsize=1024)
def telling_stems(text: str) -> frozenset[str]:
    """The stems of the telling words of `text`."""
    return frozenset(filter(None, map(_telling_stem, words_of(fold(text)))))


@lru_cache(maxsize=65_536)
def _telling_stem(word: str) -> str:
    return stem(word) if telling(word) else ""


@lru_cache(maxsize=512)
def decodings(text: str) -> tuple[str, ...]:
    """What `text` says when its encoded parts are decoded, up to three layers deep.

    Empty where nothing in it is encoded; of very many parts the last are given as one.
    Rot-13 and reversal are tried by `sidecar.gate.flows`, which knows what to look for.
    """
    if not glance(text).encoded:
        return ()
    found: list[str] = []
    level = [text]
    for _ in range(_DEPTH):
        level = [said for one in level for said in _decoded(one) if said not in found]
        if not level:
            break
        found += level[:_APIECE]
        if len(level) > _APIECE:
            found.append("\n".join(level[_APIECE:]))
    return tuple(found)


def rotated(text: str) -> str:
    """`text` under rot-13."""
    return text.translate(_ROT13)


def shifted(text: str, by: int) -> str:
    """`text` with its letters moved on by `by` places."""
    turned = _LETTERS[by:] + _LETTERS[:by]
    return text.translate(str.maketrans(_LETTERS + _LETTERS.upper(), turned + turned.upper()))


def unspaced(text: str) -> str | None:
    """`text` with letters that stand apart (`s e c r e t`) joined, or None where none do."""
    # What stands between the first letter and the last is looked for first: it costs less.
    if not glance(text).apart or not _APART.search(text) or not _LETTERED.search(text):
        return None
    text = re.sub(r"(?<=\w) {2,}(?=\w)", " \u2003 ", text)
    return _LETTERED.sub(lambda m: re.sub(r"[ .-]", "", m[0]), text)


def _decoded(text: str) -> list[str]:
    said: list[str] = []
    if "%" in text and _PERCENT.search(text):
        said.append(
            _PERCENT.sub(_percent, text).encode("latin-1", "replace").decode("utf-8", "replace")
        )
    if "&" in text and (plainer := html.unescape(text)) != text:
        said.append(plainer)
    seen = glance(text)
    for run in _runs_of_base64(text) if seen.run else ():
        for part in (run, *(run.split("/") if "/" in run else ())):
            if len(part) >= 12:
                said += _readable(_from_base64(part))
    joined = in_one(text)
    for run in _runs_of_base64(joined) if may_hold_run(joined) else ():
        said += _readable(_from_base64(run))
    for match in _HEX.finditer(text) if seen.hex else ():
        run = match[0]
        said += _from_hex(run) or [one for part in run.split() for one in _from_hex(part)]
    return said


def _runs_of_base64(text: str) -> list[str]:
    return [run for one in text.split() if len(one) >= _RUN for run in _BASE64.findall(one)]


def _from_hex(run: str) -> list[str]:
    # Words such as `be` and `see` beside a code pass for a part of it, and say nothing.
    return _readable(bytes.fromhex(_BETWEEN_HEX.sub("", run)).strip(_NO_TEXT))


def _percent(match: "re.Match[str]") -> str:
    return chr(int(match[0][1:], 16))


def _from_base64(text: str) -> bytes:
    body = text.rstrip("=").replace("-", "+").replace("_", "/")
    # One letter over is less than a byte; padding over is ignored.
    return base64.b64decode((body[:-1] if len(body) % 4 == 1 else body) + "===")


def _readable(raw: bytes) -> list[str]:
    """`raw` as text where it is text: all printable, and more than a chance hit."""
    if len(raw) < _FEWEST:
        return []
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return []
    return [text] if all(c.isprintable() or c.isspace() for c in text) else []
