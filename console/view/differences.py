"""What an action would change: what the run last read of its object, beside what would be written.

A reading aid from the run's own record: the sidecar executed each read, and this is what came back,
at its time. Nothing is read anew, so what the tool holds by now may differ; who shows it says when
it was read. Of an object that was not read there is nothing to compare with.
"""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

from schemas.tools import Effect, Tool

MOST_LINES: Final = 400
"""Longer texts are shown whole, not compared."""

_CONTEXT: Final = 2
_NAMES: Final = ("id",)


class Held(Struct, frozen=True):
    """What a tool gave the run: its arguments, its result, and when (ns since the epoch)."""

    tool: str
    arguments: Mapping[str, Any]
    result: Any
    at: int


class Line(Struct, frozen=True):
    """A line of a text that would change; `kind` is same, gone, new, or left out between."""

    kind: Literal["same", "gone", "new", "between"]
    text: str


class Change(Struct, frozen=True):
    """A field that would be written. `before` is None where nothing of it was read; `lines` are
    there for texts of several lines.
    """

    field: str
    before: str | None
    after: str
    lines: tuple[Line, ...] = ()

    @property
    def same(self) -> bool:
        """Whether it would stay as it is."""
        return self.before == self.after


class Difference(Struct, frozen=True):
    """All that would be written, beside what `tool` gave of the object at `at`."""

    tool: str
    at: int
    changes: tuple[Change, ...]


def difference(tool: Tool | None, arguments: object, reads: Iterable[Held]) -> Difference | None:
    """What this call would change, by the first of `reads` that holds its object; else None.

    `reads` come the latest first. None is asked for where there is nothing to compare.
    """
    if tool is None or tool.effect is Effect.READ or not isinstance(arguments, dict):
        return None
    naming = {name: arguments[name] for name in (*tool.objects, *tool.paths) if name in arguments}
    named = {name: value for name, value in naming.items() if isinstance(value, str | int)}
    if not named:
        return None
    for held in reads:
        record = _record(held, named)
        if record is not None:
            written = dict(_written(arguments, naming))
            changes = tuple(
                _change(field, record, value, alone=len(written) == 1)
                for field, value in written.items()
            )
            return Difference(held.tool, held.at, changes) if changes else None
    return None


def _record(held: Held, named: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The record that the result holds of the object, or the whole result of reading just that."""
    for record in _records(held.result):
        if all(
            any(record.get(key) == value for key in (name, *_NAMES))
            for name, value in named.items()
        ):
            return record
    asked = list(held.arguments.values())
    if isinstance(held.result, dict) and all(value in asked for value in named.values()):
        return held.result
    return None


def _records(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from _records(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _records(inner)


def _written(arguments: Mapping[str, Any], naming: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Every field that would be written; an argument that is an object stands for its fields."""
    for name, value in arguments.items():
        if name in naming:
            continue
        if isinstance(value, dict):
            yield from value.items()
        else:
            yield name, value


def _change(field: str, record: Mapping[str, Any], value: Any, *, alone: bool) -> Change:
    known = field in record
    # A text that is written whole is read as `text`, whatever the argument is called.
    field_read = "text" if alone and not known and isinstance(record.get("text"), str) else field
    before = _text(record[field_read]) if field_read in record else None
    after = _text(value)
    return Change(field, before, after, tuple(_lines(before or "", after)))


def _lines(before: str, after: str) -> Iterator[Line]:
    old, new = before.splitlines(), after.splitlines()
    if max(len(old), len(new)) < 2 or max(len(old), len(new)) > MOST_LINES:
        return
    groups = difflib.SequenceMatcher(a=old, b=new, autojunk=False).get_grouped_opcodes(_CONTEXT)
    for number, group in enumerate(groups):
        if number:
            yield Line("between", "")
        for what, i, j, k, m in group:
            yield from (Line("same" if what == "equal" else "gone", text) for text in old[i:j])
            if what != "equal":
                yield from (Line("new", text) for text in new[k:m])


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return msgspec.json.encode(value).decode()
