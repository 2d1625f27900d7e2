"""What a text cannot hold, told at a glance, so that no pattern need look for it.

Each disguise has something that it cannot be without: a long run of certain signs, so many
digits. A glance looks for that in the text's bytes, each mapped to whether it belongs to the run.
The rule: a glance may see what is not there, and never misses what is, in the text or in any part
of it: so one glance at all that is said tells off each argument. That something is there, only the
patterns say.
"""

import re
import string
from functools import lru_cache
from typing import Final

from msgspec import Struct

_LETTERS: Final = string.ascii_letters.encode()
_DIGITS: Final = string.digits.encode()


def _table(kept: bytes, blanks: bytes | None = None) -> bytes:
    """Maps `kept` to one sign, `blanks` (else all the rest) to a blank, what is left to another."""
    return bytes(
        ord("k") if code in kept else ord(" ") if blanks is None or code in blanks else ord("?")
        for code in range(0x100)
    )


_BASE64: Final = _table(_LETTERS + _DIGITS + b"+/_-")
_HEX: Final = _table(string.hexdigits.encode())
_BETWEEN_HEX: Final = b" :,x\\"
_VISIBLE: Final = _table(bytes(range(0x21, 0x7F)) + bytes(range(0x80, 0x100)))
_APART: Final = _table(_LETTERS + _DIGITS + b"_", b" .-")
_JOINING: Final = b"-._"
_MIDDLE_DOT: Final = "\u00b7"
_FOREIGN: Final = re.compile(r"[^\x00-\x7f]+")
_RUN_OF_16: Final = b"k" * 16
_RUN_OF_40: Final = b"k" * 40
_FEWEST_DIGITS: Final = 24
"""Of numbers for twelve letters, of two digits at least; six letters in bits take thirty."""
_FEWEST_SIGNS: Final = 12
"""Dots and dashes of twelve letters."""
_FEWEST_JOINED: Final = 4


class Glance(Struct, frozen=True):
    """What a text may hold. False: it is not there.

    `encoded`: what `normal.decodings` decodes. `run`: 16 letters or signs of base64 together.
    `hex`: 16 hexadecimal digits together, but for what is written between them. `long`: 40
    characters without a blank. `apart`: single letters or digits that stand apart. `coded`: a
    number or a sign for each letter. `joined`: four signs that join words.
    """

    encoded: bool
    run: bool
    hex: bool
    long: bool
    apart: bool
    coded: bool
    joined: bool


def may_hold_run(text: str) -> bool:
    """`Glance.run` alone."""
    return _RUN_OF_16 in text.encode(errors="replace").translate(_BASE64)


def in_one(text: str) -> str:
    """The lines of `text`, where they are several, as one run of text."""
    lines = text.splitlines()
    return "".join(map(str.strip, lines)) if len(lines) > 1 else ""


@lru_cache(maxsize=64)
def foreign(text: str) -> frozenset[str]:
    """The signs of `text` that are not of ASCII, each once."""
    return frozenset("".join(_FOREIGN.findall(text)))


@lru_cache(maxsize=64)
def glance(text: str) -> Glance:
    """One look at `text`, at a cost linear in its length. Never raises."""
    signs = text.encode(errors="replace")
    digits = len(signs) - len(signs.translate(None, _DIGITS))
    joining = len(signs) - len(signs.translate(None, _JOINING))
    strange = () if text.isascii() else foreign(text)
    # Quotation marks, dashes and blanks of any script are no letters and join no words.
    told_apart = any(map(str.isalnum, strange)) or _MIDDLE_DOT in strange
    run = _RUN_OF_16 in signs.translate(_BASE64)
    in_hex = _RUN_OF_16 in signs.translate(_HEX, _BETWEEN_HEX)
    return Glance(
        run or in_hex or b"%" in signs or b"&" in signs or may_hold_run(in_one(text)),
        run,
        in_hex,
        _RUN_OF_40 in signs.translate(_VISIBLE),
        told_apart or b" k k " in signs.translate(_APART),
        told_apart or digits >= _FEWEST_DIGITS or joining >= _FEWEST_SIGNS or b"\\u" in signs,
        told_apart or joining >= _FEWEST_JOINED,
    )
