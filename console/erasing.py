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


class Search:
    """What of the ledger speaks of the person whom `words` name; or all content of those runs.

    A claim of the memory that is erased is erased too where it was recalled. What does not open
    cannot be searched, and is left out: it was erased before. The ledger is read as often as it
    says when it is to `begin`: what is found last may concern what was read first.
    """

    def __init__(self, words: Iterable[str], *, whole_runs: bool = False) -> None:
        self._words = list(words)
        self._person = self._named = Words(self._words)
        self._whole_runs = whole_runs
        self._claims: list[str] = []
        self._hits: dict[ContentField, int] = {}
        self._clear: dict[Mention, None] = {}
        self._known: tuple[frozenset[str], frozenset[str]] | None = None

    def begin(self) -> bool:
        """Begin a reading of the ledger from its beginning. False where no other one is wanted: the
        last found nothing that what it read before may speak of.
        """
        runs = frozenset(field.run for field in self._hits) if self._whole_runs else frozenset()
        known = frozenset(self._claims), runs
        changed, self._known = known != self._known, known
        return changed

    def take(self, entry: Recorded) -> None:
        """Look through the next entry."""
        _, whole = self._known or (frozenset[str](), frozenset[str]())
        for field, said in _content(entry):
            if said and field not in self._hits and (field.run in whole or self._names(said)):
                self._hits[field] = entry.index
                self._name_claim(entry, field)
        for mention in _clear(entry, self._person):
            self._clear[mention] = None

    def found(self) -> Found:
        """What was found so far."""
        fields = sorted(self._hits, key=lambda field: self._hits[field])
        return Found(fields=tuple(fields), clear=tuple(self._clear))

    def _names(self, said: object) -> bool:
        return self._named.named_in(said)

    def _name_claim(self, entry: Recorded, field: ContentField) -> None:
        body = entry.event.body
        if isinstance(body, MemoryRetained) and field.name == "text":
            self._claims.append(body.claim)
            self._named = Words((*self._words, *self._claims))


class Staying:
    """The other content of the runs that `gone` belongs to, but for what was erased before."""

    def __init__(self, gone: Iterable[ContentField]) -> None:
        self._gone = set(gone)
        self._runs = {field.run for field in self._gone}
        self._fields: dict[ContentField, None] = {}

    def take(self, entry: Recorded) -> None:
        """Fold the next entry."""
        self._gone.update(erased_by(entry))
        self._fields |= {field: None for field, _ in _content(entry) if field.run in self._runs}

    def fields(self) -> tuple[ContentField, ...]:
        """All of it, in the ledger's order."""
        return tuple(field for field in self._fields if field not in self._gone)


def erased_by(entry: Recorded) -> tuple[ContentField, ...]:
    """The fields that this entry says were erased."""
    body = entry.event.body
    return body.fields if isinstance(body, ContentErased) else ()


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


def _clear(entry: Recorded, words: Words) -> Iterator[Mention]:
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
