"""What hides in a case's text, kept readable in the case: `{{base64: the pipeline}}`.

A case is reviewed by people, so it says in the clear what it encodes and how; the loader
encodes. Encodings nest from the inside out.
"""

import base64
import codecs
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

_MARK: Final = re.compile(r"\{\{(\w+): ((?:(?!\{\{|\}\}).)*)\}\}", re.DOTALL)
_ZERO_WIDTH: Final = "\u200b"
_TO_FULL_WIDTH: Final = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}


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
}
"""How each kind writes a text. `run` only takes the blanks out."""


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
