"""Verification ahead of the store: the very entries that one process alone would give."""

import contextlib
from collections.abc import AsyncIterator, Iterator
from itertools import islice
from pathlib import Path

import msgspec
import pytest

from bus.decider import Entry
from ledger.export import ExportedEntry
from projections.ahead import CHUNK, rebuild
from tests.projected import entries_of, verify
from tests.stories import SignedLedger, Story


def ledger(runs: int) -> SignedLedger:
    story = Story("acme")
    story.found()
    for number in range(runs):
        run = story.begin(f"r-{number}")
        proposal = run.propose()
        run.give(proposal)
        action = run.start(proposal)
        run.complete(run.receipt(action, run.finish(action)))
    return story.ledger()


async def found(entries: tuple[ExportedEntry, ...]) -> AsyncIterator[ExportedEntry]:
    for entry in entries:
        yield entry


class Shelf:
    """A store that keeps what it takes, in loads of a hundred entries, after `index`."""

    def __init__(self, index: int = 0) -> None:
        self.index = index
        self.held: list[Entry] = []

    def position(self) -> int:
        return self.index

    def loads(self, entries: Iterator[Entry]) -> Iterator[list[Entry]]:
        while some := list(islice(entries, 100)):
            yield some

    def take(self, load: list[Entry]) -> None:
        self.held += load


async def kept(
    told: SignedLedger, entries: tuple[ExportedEntry, ...], cores: int, after: int = 0
) -> list[Entry]:
    shelf = Shelf(after)
    await rebuild(told.workspace, told.root_public, found(entries), shelf, cores=cores)
    return shelf.held


@pytest.mark.parametrize("cores", [1, 2])
async def test_it_gives_what_one_process_gives_across_several_chunks(cores: int) -> None:
    told = ledger(90)
    assert len(told.entries) > CHUNK
    assert await kept(told, told.entries, cores) == entries_of(told)


@pytest.mark.parametrize("cores", [1, 2])
async def test_a_forged_entry_is_refused_and_the_rest_goes_on(cores: int) -> None:
    told = ledger(3)
    bad = len(told.entries) - 2
    body = bytearray(told.entries[bad].body)
    body[-1] ^= 1
    entries = list(told.entries)
    entries[bad] = msgspec.structs.replace(entries[bad], body=bytes(body))
    assert await kept(told, tuple(entries), cores) == verify(told, entries)


async def test_what_the_store_holds_is_verified_and_passed_over() -> None:
    told = ledger(2)
    assert await kept(told, told.entries, 1, after=20) == entries_of(told)[20:]


async def test_an_error_of_the_source_comes_through_after_all_that_came_before_it() -> None:
    told = ledger(2)

    async def broken() -> AsyncIterator[ExportedEntry]:
        yield told.entries[0]
        raise ConnectionError("the stream is gone")

    shelf, before = Shelf(), children()
    with pytest.raises(ConnectionError, match="the stream is gone"):
        await rebuild(told.workspace, told.root_public, broken(), shelf, cores=2)
    assert children() <= before


async def test_an_error_of_the_store_ends_the_reading_and_the_helpers() -> None:
    told = ledger(90)

    class Full(Shelf):
        def take(self, load: list[Entry]) -> None:
            raise OSError("no space left")

    before = children()
    with pytest.raises(OSError, match="no space left"):
        await rebuild(told.workspace, told.root_public, found(told.entries), Full(), cores=2)
    assert children() <= before


async def test_a_store_that_cannot_make_anything_of_an_entry_says_so() -> None:
    told = ledger(2)

    class Picky(Shelf):
        def loads(self, entries: Iterator[Entry]) -> Iterator[list[Entry]]:
            yield [next(entries)]
            raise KeyError("a bug of ours")

    shelf, before = Picky(), children()
    with pytest.raises(KeyError, match="a bug of ours"):
        await rebuild(told.workspace, told.root_public, found(told.entries), shelf, cores=2)
    assert shelf.held == entries_of(told)[:1] and children() <= before


def children() -> set[str]:
    """This process's children that are there, by process id."""
    found: set[str] = set()
    for task in Path("/proc/self/task").glob("*/children"):
        # A thread may end meanwhile; its children are then another's.
        with contextlib.suppress(OSError):
            found.update(task.read_text().split())
    return found
