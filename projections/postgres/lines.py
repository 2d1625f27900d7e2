"""Values as the text that COPY reads, a line a row. Pure.

Written here and not by the driver, which looks for the way to write each value anew: a column's is
known beforehand. Source: PostgreSQL 18 documentation, COPY (text format), section 8.15 (arrays),
section 8.4 (bytea).
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec
from sqlalchemy import ARRAY, Boolean, Column, LargeBinary, Text
from sqlalchemy.dialects.postgresql import JSONB

Write = Callable[[Any], str]
"""One value, not None, in COPY's text."""

NULL: Final = "\\N"
_NUL, _PICTURE = "\x00", "\u2400"
_JSON: Final = msgspec.json.Encoder()

# The one character that PostgreSQL cannot store goes as its picture. One replacement after the
# other is a tenth of the time that `str.translate` takes.
_ESCAPES: Final = (("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r"), (_NUL, _PICTURE))


def storable(text: str) -> str:
    """`text` without the one character that PostgreSQL cannot store; its picture stands there."""
    return text.replace(_NUL, _PICTURE)


def copied(text: str) -> str:
    """`text` as a field of COPY's."""
    # Nearly every text is: what must be escaped is the backslash and four that do not print.
    if text.isprintable():
        return text if "\\" not in text else _doubled(text)
    text = _doubled(text)
    for character, escape in _ESCAPES:
        text = text.replace(character, escape)
    return text


def json_text(value: object) -> str:
    """`value` as JSON that PostgreSQL stores."""
    text = _JSON.encode(value).decode()
    if "\\u0000" not in text:
        return text
    return _JSON.encode(_clean(msgspec.to_builtins(value))).decode()


def writer_of(column: Column[Any]) -> Write:
    """How a column's values are written."""
    kind = column.type
    if isinstance(kind, JSONB):
        return _json
    if isinstance(kind, ARRAY):
        return _digests if isinstance(kind.item_type, LargeBinary) else _texts
    if isinstance(kind, Text):
        return copied
    if isinstance(kind, LargeBinary):
        return _bytes
    return _truth if isinstance(kind, Boolean) else str


def line_of(columns: Iterable[tuple[str, Write]], values: dict[str, Any]) -> str:
    """One row, without its line's end; what `values` does not name is NULL."""
    return "\t".join(
        [NULL if (value := values.get(name)) is None else write(value) for name, write in columns]
    )


def _bytes(value: bytes) -> str:
    return "\\\\x" + value.hex()


def _truth(value: bool) -> str:
    return "t" if value else "f"


def _doubled(text: str) -> str:
    return text.replace("\\", "\\\\")


def _json(value: object) -> str:
    # JSON escapes every other character that COPY would take for its own (RFC 8259, section 7).
    return _doubled(json_text(value))


def _texts(values: Iterable[str]) -> str:
    quoted = (value.replace("\\", "\\\\").replace('"', '\\"') for value in values)
    return copied(_array(quoted))


def _digests(values: Iterable[bytes]) -> str:
    # A backslash is doubled for the array, and again for COPY.
    return _array(["\\\\\\\\x" + value.hex() for value in values])


def _array(quoted: Iterable[str]) -> str:
    return "{" + ",".join([f'"{one}"' for one in quoted]) + "}"


def _clean(value: object) -> object:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {storable(str(key)): _clean(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(inner) for inner in value]
    return value
