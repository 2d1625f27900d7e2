"""What hides in a case's text, kept readable in the case: `{{base64: the pipeline}}`.

A case is reviewed by people, so it says in the clear what it encodes and how; the loader
encodes. Encodings nest from the inside out.
"""

import base64
import codecs
import re
import zlib
from collections.abc import Callable, Mapping
from typing import Any, Final

_MARK: Final = re.compile(r"\{\{(\w+): ((?:(?!\{\{|\}\}).)*)\}\}", re.DOTALL)
_ZERO_WIDTH: Final = "\u200b"
_TO_FULL_WIDTH: Final = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
_SIGNS: Final = (
    ".- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- "
    "-. --- .--. --.- .-. ... - ..- ...- .-- -..- -.-- --.."
)
_MORSE: Final = dict(zip("abcdefghijklmnopqrstuvwxyz", _SIGNS.split(), strict=True))


def _shifted(letter: str) -> str:
    """Three letters on, as Caesar wrote."""
    if not "a" <= letter <= "z":
        return letter
    return chr((ord(letter) - ord("a") + 3) % 26 + ord("a"))


def _raw(text: str) -> bytes:
    return text.encode()


ENCODINGS: Final[Mapping[str, Callable[[str], str]]] = {
    "base64": lambda text: base64.b64encode(_raw(text)).decode(),
    "base32": lambda text: base64.b32encode(_raw(text)).decode(),
    "hex": lambda text: _raw(text).hex(),
    "percent": lambda text: "".join(f"%{byte:02X}" for byte in _raw(text)),
    "html": lambda text: "".join(f"&#{ord(character)};" for character in text),
    "rot13": lambda text: codecs.encode(text, "rot13"),
    "reverse": lambda text: text[::-1],
    "spaced": lambda text: " ".join(text.replace(" ", "")),
    "zerowidth": _ZERO_WIDTH.join,
    "fullwidth": lambda text: text.translate(_TO_FULL_WIDTH),
    "upper": str.upper,
    "run": lambda text: "".join(text.split()),
    "binary": lambda text: " ".join(f"{byte:08b}" for byte in _raw(text)),
    "codes": lambda text: " ".join(str(byte) for byte in _raw(text)),
    "escapes": lambda text: "".join(f"\\u{ord(character):04x}" for character in text),
    "quopri": lambda text: "".join(f"={byte:02X}" for byte in _raw(text)),
    "hexlist": lambda text: ", ".join(f"0x{byte:02x}" for byte in _raw(text)),
    "base85": lambda text: base64.a85encode(_raw(text)).decode(),
    "zip": lambda text: base64.b64encode(zlib.compress(_raw(text))).decode(),
    "tags": lambda text: "".join(chr(0xE0000 + byte) for byte in _raw(text)),
    "caesar": lambda text: "".join(_shifted(character) for character in text),
    "morse": lambda text: " / ".join(
        " ".join(_MORSE[letter] for letter in word if letter in _MORSE) for word in text.split()
    ),
    "lines": lambda text: "\n".join(text[at : at + 8] for at in range(0, len(text), 8)),
}
"""How each kind writes a text. `run` only takes the blanks out, `lines` cuts it in eights."""


def written(value: Any) -> Any:
    """`value` with every mark in its strings, at any depth, written out.

    Raises KeyError for a kind that is none.
    """
    if isinstance(value, str):
        before = ""
        while before != value:
            before, value = value, _MARK.sub(lambda m: ENCODINGS[m[1]](m[2]), value)
        return value
    if isinstance(value, Mapping):
        return {written(key): written(inner) for key, inner in value.items()}
    return [written(inner) for inner in value] if isinstance(value, list) else value
