"""What a text cannot hold, told at a glance, so that no pattern need look for it.

Each disguise has something that it cannot be without: a long run of certain signs, so many
digits. A glance looks for that in the text's bytes, each mapped to whether it belongs to the run.
The rule: a glance may see what is not there, and never misses what is. That something is there,
only the patterns say.
"""

import string
from typing import Final

_ALNUM: Final = (string.ascii_letters + string.digits).encode()
_FEWEST_CODED: Final = 12
"""Of digits, dots and dashes: the least that a number or sign for each of twelve letters takes."""


def _table(kept: bytes, blanks: bytes | None = None) -> bytes:
    """Maps `kept` to one sign, `blanks` (else all the rest) to a blank, what is left to another."""
    return bytes(
        ord("k") if code in kept else ord(" ") if blanks is None or code in blanks else ord("?")
        for code in range(0x100)
    )


_BASE64: Final = _table(_ALNUM + b"+/_-")
_HEX: Final = _table(string.hexdigits.encode())
_BETWEEN_HEX: Final = b" :,x\\"
_VISIBLE: Final = _table(bytes(range(0x21, 0x7F)) + bytes(range(0x80, 0x100)))
_APART: Final = _table(_ALNUM + b"_", b" .-")
_OF_CODES: Final = string.digits.encode() + b".-"
_RUN_OF_16: Final = b"k" * 16
_RUN_OF_40: Final = b"k" * 40


def may_hold_base64(text: str) -> bool:
    """False where no 16 signs of base64, or letters, stand together."""
    return _RUN_OF_16 in text.encode(errors="replace").translate(_BASE64)


def may_hold_hex(text: str) -> bool:
    """False where no 16 hexadecimal digits stand together, but for what is written between."""
    return _RUN_OF_16 in text.encode(errors="replace").translate(_HEX, _BETWEEN_HEX)


def may_hold_long(text: str) -> bool:
    """False where no 40 characters stand together without a blank."""
    return _RUN_OF_40 in text.encode(errors="replace").translate(_VISIBLE)


def may_stand_apart(text: str) -> bool:
    """False where no two single letters or digits follow each other, apart."""
    return not text.isascii() or b" k k " in text.encode().translate(_APART)


def may_be_coded(text: str) -> bool:
    """False where there is too little of what letters are written with as numbers or signs."""
    if not text.isascii() or "\\u" in text:
        return True
    signs = text.encode()
    return len(signs) - len(signs.translate(None, _OF_CODES)) >= _FEWEST_CODED
