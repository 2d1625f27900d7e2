"""What to erase of a person: which content of the ledger speaks of them, by the words given.

Pure. A text speaks of a person where one of the words stands in it, in whatever case and form of
letters, or in what it says decoded; a mailbox also with a tag. What speaks of them in other words
alone is found by taking the whole of the runs in which they are spoken of.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from bus.decider import Recorded
from crypto.sealing import content_fields, scope_of
from schemas.content import Sealed, opened
from schemas.erasure import ContentErased, ContentField
from schemas.memories import MemoryRetained
from sidecar.gate.normal import decodings, fold

_WORD_BEFORE: Final = r"(?<![^\W_])"
_WORD_AFTER: Final = r"(?![^\W_])"


class Mention(Struct, frozen=True, kw_only=True):
    """A place that speaks of a person and is no content: it stays readable."""

    index: int
    type: str
    field: str


class Found(Struct, frozen=True, kw_only=True):
    """`fields` are to be erased, in the ledger's order. `clear` are the places that cannot be."""

    fields: tuple[ContentField, ...]
    clear: tuple[Mention, ...]


class Words:
    """The words that name one person."""

    def __init__(self, words: Iterable[str]) -> None:
        said = [fold(word).strip() for word in words]
        self._pattern = re.compile("|".join(_pattern(word) for word in said if word))
        self._any = any(said)

    def name(self, text: str) -> bool:
        """Whether `text` names the person."""
        if not self._any:
            return False
        readings = (text, *decodings(text))
        return any(self._pattern.search(fold(reading)) for reading in readings)

    def named_in(self, value: object) -> bool:
        """Whether any text in a JSON value does."""
        return any(self.name(text) for _, text in _texts(value, ""))


def search(past: Iterable[Recorded], words: Iterable[str], *, whole_runs: bool = False) -> Found:
    """What of the ledger speaks of the person whom `words` name.

    A claim of the memory that is erased is erased too where it was recalled. What does not open
    cannot be searched, and is left out: it was erased before.
    """
    entries = list(past)
    terms = list(words)
    content = {field: said for entry in entries for field, said in _content(entry)}
    while True:
        named = Words(terms)
        hit = {field for field, said in content.items() if said and named.named_in(said)}
        if whole_runs:
            runs = {field.run for field in hit}
            hit = {field for field, said in content.items() if said and field.run in runs}
        claims = [claim for claim in _claims(entries, hit) if claim not in terms]
        if not claims:
            break
        terms += claims
    return Found(
        fields=tuple(field for field in content if field in hit),
        clear=tuple(_clear(entries, Words(words))),
    )


def staying(past: Iterable[Recorded], gone: Iterable[ContentField]) -> tuple[ContentField, ...]:
    """The other content of the runs that `gone` belongs to, but for what was erased before."""
    entries, erased = list(past), set(gone)
    runs = {field.run for field in erased}
    erased |= erased_in(entries)
    every = (field for entry in entries for field, _ in _content(entry))
    return tuple(field for field in every if field.run in runs and field not in erased)


def erased_in(past: Iterable[Recorded]) -> frozenset[ContentField]:
    """Every field that the ledger says was erased."""
    bodies = (entry.event.body for entry in past)
    return frozenset(
        field for body in bodies if isinstance(body, ContentErased) for field in body.fields
    )


def _content(entry: Recorded) -> Iterator[tuple[ContentField, Any]]:
    """The sealed content of an entry, with what it says where it opens."""
    event, published = entry.event, entry.published
    scope = scope_of(event)
    if scope is None:
        return
    for name in content_fields(type(event.body)):
        if not isinstance(getattr(published.body, name), Sealed):
            continue
        said = getattr(event.body, name)
        field = ContentField(run=scope, event=event.id, name=name)
        if isinstance(said, Sealed):
            yield field, None
        else:
            # A hostile runtime may have written what is no JSON.
            yield field, opened(said) or said.data.decode(errors="replace")


def _claims(entries: list[Recorded], hit: set[ContentField]) -> Iterator[str]:
    for entry in entries:
        body, run = entry.event.body, entry.event.run
        if isinstance(body, MemoryRetained) and run is not None:
            if ContentField(run=run, event=entry.event.id, name="text") in hit:
                yield body.claim


def _clear(entries: list[Recorded], words: Words) -> Iterator[Mention]:
    for entry in entries:
        body = entry.published.body
        content = content_fields(type(body))
        for name in body.__struct_fields__:
            if name in content:
                continue
            value = msgspec.to_builtins(getattr(body, name), builtin_types=(bytes,))
            for path, text in _texts(value, name):
                if words.name(text):
                    yield Mention(index=entry.index, type=entry.event.type, field=path)


def _texts(value: object, path: str) -> Iterator[tuple[str, str]]:
    """Every text in a JSON value with its path, names of fields and bytes as text among them."""
    stack: list[tuple[str, object]] = [(path, value)]
    while stack:
        at, one = stack.pop()
        if isinstance(one, str):
            yield at, one
        elif isinstance(one, bytes):
            yield at, one.decode(errors="replace")
        elif isinstance(one, Mapping):
            for key, inner in one.items():
                yield at, str(key)
                stack.append((f"{at}.{key}" if at else str(key), inner))
        elif isinstance(one, list | tuple):
            stack.extend((f"{at}[{place}]", inner) for place, inner in enumerate(one))


def _pattern(word: str) -> str:
    local, at, domain = word.rpartition("@")
    if at and local:
        said = rf"{re.escape(local)}(?:\+[^\s@]*)?@{re.escape(domain)}"
    else:
        said = r"\s+".join(re.escape(part) for part in word.split())
    return f"{_WORD_BEFORE}{said}{_WORD_AFTER}"
