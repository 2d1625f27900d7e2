"""Verification ahead of the store: the very entries that one process alone would give."""

from collections.abc import AsyncIterator

import msgspec
import pytest

from ledger.export import ExportedEntry
from projections.ahead import CHUNK, ahead
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


@pytest.mark.parametrize("cores", [1, 2])
async def test_it_gives_what_one_process_gives_across_several_chunks(cores: int) -> None:
    told = ledger(90)
    assert len(told.entries) > CHUNK
    read = ahead(told.workspace, told.root_public, found(told.entries), cores=cores)
    assert [entry async for entry in read] == entries_of(told)


@pytest.mark.parametrize("cores", [1, 2])
async def test_a_forged_entry_is_refused_and_the_rest_goes_on(cores: int) -> None:
    told = ledger(3)
    bad = len(told.entries) - 2
    body = bytearray(told.entries[bad].body)
    body[-1] ^= 1
    entries = list(told.entries)
    entries[bad] = msgspec.structs.replace(entries[bad], body=bytes(body))
    read = ahead(told.workspace, told.root_public, found(tuple(entries)), cores=cores)
    assert [entry async for entry in read] == verify(told, entries)


async def test_what_the_store_holds_is_verified_and_passed_over() -> None:
    told = ledger(2)
    read = ahead(told.workspace, told.root_public, found(told.entries), cores=1, after=20)
    assert [entry async for entry in read] == entries_of(told)[20:]


async def test_an_error_of_the_source_comes_through_and_leaves_no_helper() -> None:
    told = ledger(2)

    async def broken() -> AsyncIterator[ExportedEntry]:
        yield told.entries[0]
        raise ConnectionError("the stream is gone")

    with pytest.raises(ConnectionError, match="the stream is gone"):
        async for _ in ahead(told.workspace, told.root_public, broken(), cores=2):
            pass
