"""What a text cannot hold, told at a glance, so that no pattern need look for it.

Each disguise has something that it cannot be without: a long run of certain signs, so many
digits. A glance looks for that in the text's bytes, each mapped to whether it belongs to the run.
The rule: a glance may see what is not there, and never misses what is. That something is there,
only the patterns say.
"""

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
_IN_CODES: Final = _DIGITS + b".-"
_JOINING: Final = b"-._"
_RUN_OF_16: Final = b"k" * 16
_RUN_OF_40: Final = b"k" * 40
_FEWEST_CODED: Final = 12
"""Of digits, dots and dashes: the least that a number or sign for each of twelve letters takes."""
_FEWEST_JOINED: Final = 4


class Glance(Struct, frozen=True):
    """What a text may hold. False: it is not there.

    `run`: 16 letters or signs of base64 together. `hex`: 16 hexadecimal digits together, but for
    what is written between them. `long`: 40 characters without a blank. `apart`: single letters
    or digits that stand apart. `coded`: a number or a sign for each letter. `joined`: four signs
    that join words.
    """

    run: bool
    hex: bool
    long: bool
    apart: bool
    coded: bool
    joined: bool


def may_hold_run(text: str) -> bool:
    """`Glance.run` alone."""
    return _RUN_OF_16 in text.encode(errors="replace").translate(_BASE64)


@lru_cache(maxsize=64)
def glance(text: str) -> Glance:
    """One look at `text`, at a cost linear in its length. Never raises."""
    signs = text.encode(errors="replace")
    foreign = not text.isascii()
    return Glance(
        _RUN_OF_16 in signs.translate(_BASE64),
        _RUN_OF_16 in signs.translate(_HEX, _BETWEEN_HEX),
        _RUN_OF_40 in signs.translate(_VISIBLE),
        foreign or b" k k " in signs.translate(_APART),
        foreign
        or len(signs) - len(signs.translate(None, _IN_CODES)) >= _FEWEST_CODED
        or "\\u" in text,
        foreign or len(signs) - len(signs.translate(None, _JOINING)) >= _FEWEST_JOINED,
    )
