"""Entries as they go to PostgreSQL: gathered one by one into the text that COPY reads. Pure.

In a table that keeps what happened a row is a line at once. In one that keeps what stands, a batch
says one thing for each key: a column's last word, or its first where that is what counts.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from msgspec import Struct

from bus.decider import Entry
from projections.postgres.lines import line_of
from projections.postgres.staging import Plan
from projections.rows import Row

MOST_ENTRIES: Final = 1_000
MOST_CHARACTERS: Final = 16 * 1024 * 1024
"""A load of large entries is handed over sooner, so that memory is bounded."""


class Part(Struct, frozen=True):
    """What is copied at once: `data` for one table.

    `straight` goes into the table itself; everything else is staged and merged, where `first` says
    whether a column's first word counts.
    """

    table: str
    data: bytes
    straight: bool = False
    first: bool = False


class Load(Struct, frozen=True):
    """Entries in order, at least one, and all that they come to."""

    entries: tuple[Entry, ...]
    parts: tuple[Part, ...]


class Gathering:
    """Gathers one load. `workspace` is written before every line that goes straight in; None
    where row security has everything merged."""

    def __init__(self, plans: Mapping[str, Plan], workspace: str | None) -> None:
        self._plans = plans
        self._workspace = workspace
        self._entries: list[Entry] = []
        self._size = 0
        self._lines: dict[str, list[str]] = {}
        self._standing: dict[str, dict[tuple[bool, tuple[Any, ...]], dict[str, Any]]] = {}

    @property
    def empty(self) -> bool:
        """Whether nothing was added."""
        return not self._entries

    @property
    def full(self) -> bool:
        """Whether it is time to hand it over."""
        return len(self._entries) >= MOST_ENTRIES or self._size >= MOST_CHARACTERS

    def add(self, entry: Entry, rows: Iterable[Row]) -> None:
        """Take one more entry, after those before it."""
        self._entries.append(entry)
        for row in rows:
            plan = self._plans[row.table]
            if plan.standing:
                self._stand(plan, row)
                continue
            line = line_of(plan.writers, row.values)
            self._size += len(line)
            lines = self._lines.get(row.table)
            if lines is None:
                self._lines[row.table] = [line]
            else:
                lines.append(line)

    def load(self) -> Load:
        """All of it."""
        return Load(tuple(self._entries), tuple(self._parts()))

    def _stand(self, plan: Plan, row: Row) -> None:
        known = self._standing.setdefault(row.table, {})
        key = (row.first, tuple([row.values[name] for name in plan.keys]))
        said = {name: value for name, value in row.values.items() if value is not None}
        if (old := known.get(key)) is not None:
            said = said | old if row.first else old | said
        known[key] = said

    def _parts(self) -> Iterator[Part]:
        for table, lines in self._lines.items():
            straight = self._workspace is not None and self._plans[table].kept
            yield Part(table, self._text(lines, straight), straight)
        for table, known in self._standing.items():
            writers = self._plans[table].writers
            # First words, then last ones: what was said first never takes the place of the last.
            for first in (True, False):
                lines = [
                    line_of(writers, v) for (of_first, _), v in known.items() if of_first is first
                ]
                if lines:
                    yield Part(table, self._text(lines, False), first=first)

    def _text(self, lines: list[str], straight: bool) -> bytes:
        if not straight:
            return ("\n".join(lines) + "\n").encode()
        before = f"{self._workspace}\t"
        return (before + f"\n{before}".join(lines) + "\n").encode()
