"""Text that reads like instructions to a machine."""

import re
from typing import Final

from msgspec import Struct

_BLOCK: Final = re.compile(
    r"<(information|system|instructions?|important)>.{0,20000}?</\1>", re.IGNORECASE | re.DOTALL
)
_PHRASE: Final = re.compile(
    r"[^.!?\n]{0,400}\b(?:ignore|disregard|forget) (?:all |any )?(?:previous|prior|earlier|above)\b"
    r"[^.!?\n]{0,400}",
    re.IGNORECASE,
)


class Marked(Struct, frozen=True):
    """A span and why it is marked."""

    start: int
    end: int
    reason: str


def suspicious(text: str) -> tuple[Marked, ...]:
    """The marked spans of `text`, sorted, none overlapping."""
    found = [Marked(m.start(), m.end(), "block") for m in _BLOCK.finditer(text)]
    found += [Marked(m.start(), m.end(), "phrase") for m in _PHRASE.finditer(text)]
    kept: list[Marked] = []
    for one in sorted(found, key=lambda m: (m.start, -m.end)):
        if not kept or one.start >= kept[-1].end:
            kept.append(one)
    return tuple(kept)
