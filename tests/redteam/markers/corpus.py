"""Marked injections and ordinary business texts, as they stand in `tuned` and `held_out`.

`tuned` was there to better the markers by. `held_out` was written and committed before the
markers were mended, by one who had seen them; later wordings were added with its texts in mind,
so that its figure flatters: 80 % were caught at the first measurement. Both are hard on purpose.
In a text `⟦` and `⟧` enclose what was injected; without them all of it was.
`{{base64: a text}}` is written out as in the red-team cases.
"""

import itertools
import re
import tomllib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Final, Literal

import msgspec
from msgspec import Struct

from sidecar.gate.markers import Marked
from tests.redteam.encodings import written

Split = Literal["tuned", "held_out"]
SPLITS: Final[tuple[Split, ...]] = ("tuned", "held_out")
HERE: Final = Path(__file__).parent
_MARKS: Final = re.compile("[⟦⟧]")


class Injection(Struct, frozen=True):
    """A text in which `start` up to `end` was injected."""

    group: str
    text: str
    start: int
    end: int


class Ordinary(Struct, frozen=True):
    """A text that people write to people."""

    group: str
    text: str


class _Group(Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    injections: tuple[str, ...] = ()
    ordinary: tuple[str, ...] = ()


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    group: tuple[_Group, ...]


class _Parts(Struct, frozen=True, forbid_unknown_fields=True):
    count: int
    greetings: tuple[str, ...]
    sentences: tuple[str, ...]
    ends: tuple[str, ...]


@lru_cache
def injections(split: Split) -> tuple[Injection, ...]:
    """The marked injections of a split, in the order of the files."""
    return tuple(
        _injection(group.name, text) for group in _groups(split) for text in group.injections
    )


@lru_cache
def ordinary(split: Split) -> tuple[Ordinary, ...]:
    """The ordinary texts of a split, those that are composed of written parts last."""
    plain = (Ordinary(group.name, text) for group in _groups(split) for text in group.ordinary)
    parts = msgspec.convert(_read(HERE / split / "composed.toml"), _Parts)
    return (*plain, *_composed(parts))


def caught(one: Injection, marked: tuple[Marked, ...]) -> bool:
    """Whether the spans cover every letter, digit and sign of what was injected."""
    covered = {place for span in marked for place in range(span.start, span.end)}
    return all(place in covered or one.text[place].isspace() for place in range(one.start, one.end))


def _groups(split: Split) -> Iterator[_Group]:
    for path in sorted((HERE / split).glob("*.toml")):
        if path.name != "composed.toml":
            yield from msgspec.convert(_read(path), _File).group


def _read(path: Path) -> object:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _injection(group: str, text: str) -> Injection:
    said = written(text)
    start, end = (said.find(mark) for mark in "⟦⟧")
    if start < 0:
        return Injection(group, said, 0, len(said))
    return Injection(group, _MARKS.sub("", said), start, end - 1)


def _composed(parts: _Parts) -> Iterator[Ordinary]:
    """Mails of two or three sentences; no two have the same pair of first sentences."""
    many = len(parts.sentences)
    pairs = ((at, (at + gap) % many) for gap in itertools.count(1, 7) for at in range(many))
    for number, (first, second) in enumerate(itertools.islice(pairs, parts.count)):
        said = [parts.sentences[first], parts.sentences[second]]
        if number % 3 == 0:
            said.append(parts.sentences[(second + 31) % many])
        body = (" " if number % 2 else "\n\n").join(said)
        greeting = parts.greetings[number % len(parts.greetings)]
        end = parts.ends[number % len(parts.ends)]
        yield Ordinary("composed", f"{greeting}\n\n{body}\n\n{end}")
