"""Parts of the credentials that a run has read: none leaves in pieces.

A credential is known by its windows of six signs that mix letters and digits, whatever their
case and whatever stands between them. Words and plain numbers are no such window, so that a
password made of words marks no ordinary text.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from classify.credentials import credentials_in

_SIGNS: Final = 6
_NAMED_SO: Final = re.compile(r"(?i)pass(?:word|wd|phrase|code)|secret|credential")
_BETWEEN: Final = re.compile(r"[\W_]+")


def secret_windows(key: str, text: str) -> Iterator[str]:
    """The windows of every credential in `text`, which stands in a field named `key`."""
    said = f"{key}: {text}" if _NAMED_SO.search(key) else text
    for span in credentials_in(said):
        yield from _windows(span.text)


def part_of_secret(known: Mapping[str, int], text: str) -> str:
    """The first of the windows in `known` that `text` holds, or nothing."""
    if not known:
        return ""
    return next((window for window in _windows(text) if window in known), "")


def _windows(text: str) -> Iterator[str]:
    signs = _BETWEEN.sub("", text).casefold()
    for start in range(len(signs) - _SIGNS + 1):
        window = signs[start : start + _SIGNS]
        if not window.isalpha() and not window.isdigit():
            yield window
