"""What a text looks like, whatever its letters are: skeletons and scripts (UTS 39).

The Unicode consortium's table of confusable characters comes from `confusable_homoglyphs`.
"""

import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from confusable_homoglyphs import (  # type: ignore[import-untyped]
    categories,
    confusables,
)

from sidecar.destinations.names import unicode_form

_ASCII_FORMS: Final = str.maketrans("013457", "oleast")
_DIGRAPHS: Final = {"rn": "m", "vv": "w", "cl": "d"}
# Small letters of other alphabets that pass for Latin ones in a word, beyond UTS 39's classes.
_FOREIGN: Final = dict(zip("кмнптгцьвғκητωμ", "kmhntrubbfkntwu", strict=True))
# Scripts that are written together: UTS 39 section 5.2, highly restrictive.
_TOGETHER: Final = (
    frozenset({"LATIN", "HAN", "HIRAGANA", "KATAKANA"}),
    frozenset({"LATIN", "HAN", "BOPOMOFO"}),
    frozenset({"LATIN", "HAN", "HANGUL"}),
)


@lru_cache(maxsize=4096)
def skeleton(text: str) -> str:
    """What `text` looks like: equal for texts that the eye takes for each other.

    UTS 39 section 4 in its relation, not its letters: a class of confusable characters is
    written as its ASCII lower-case member where it has one. Accents are dropped, and the
    ASCII look-alikes of small print are folded: 0 o, 1 i l, 3 e, 4 a, 5 s, 7 t, rn m, vv w,
    cl d.
    """
    text = text.lower()
    if not text.isascii():
        table = _classes()
        text = "".join(table.get(character, character) for character in text)
        decomposed = unicodedata.normalize("NFKD", text)
        kept = (c for c in decomposed if unicodedata.category(c) not in ("Mn", "Cf"))
        text = "".join(table.get(character, character) for character in kept).lower()
    text = text.translate(_ASCII_FORMS).replace("i", "l")
    for pair, single in _DIGRAPHS.items():
        text = text.replace(pair, single)
    return text


def joined(look: str, further: str) -> str:
    """The skeleton of two texts in one, from theirs: a pair may form where they meet."""
    pair = look[-1:] + further[:1]
    return look[:-1] + _DIGRAPHS[pair] + further[1:] if pair in _DIGRAPHS else look + further


def mixed_scripts(host: str) -> bool:
    """Whether a label of a canonical `host` mixes scripts that are not written together."""
    if "xn--" not in host:
        return False
    return any(_mixed(label) for label in unicode_form(host).split(".") if not label.isascii())


def _mixed(label: str) -> bool:
    scripts = {str(categories.alias(character)) for character in label} - {"COMMON", "INHERITED"}
    return len(scripts) > 1 and not any(scripts <= together for together in _TOGETHER)


@lru_cache(maxsize=1)
def _classes() -> Mapping[str, str]:
    """Each confusable character's class, as its ASCII member in lower case or its first."""
    above: dict[str, str] = {}

    def root(text: str) -> str:
        while (parent := above.setdefault(text, text)) != text:
            text = parent
        return text

    for text, alike in confusables.confusables_data.items():
        for other in alike:
            above[root(text)] = root(other["c"])
    members: dict[str, list[str]] = {}
    for text in above:
        members.setdefault(root(text), []).append(text)
    table: dict[str, str] = {}
    for group in members.values():
        shown = min(
            group, key=lambda text: (not text.isascii(), not text.islower(), len(text), text)
        )
        table |= {text: shown.lower() for text in group if len(text) == 1 and not text.isascii()}
    return table | _FOREIGN
