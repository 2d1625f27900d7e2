"""The feed: every entry in order from anywhere, and a stream that changes is found out."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest

from bus.errors import LedgerDiverged
from ledger.chain import first_head, leaf_of, next_head
from projections.webhooks.feed import BLOCK, Feed
from projections.webhooks.payload import Placed
from tests.ledgers import event_of
from tests.unit.projections.webhooks.ledgers import LONG, Stream, feed_of

pytestmark = pytest.mark.asyncio

SIZE = len(LONG.entries)
DEADLINE_S = 20.0


@asynccontextmanager
async def running(feed: Feed) -> AsyncIterator[asyncio.Task[None]]:
    """The feed at work, its stream read to the end."""
    task = asyncio.ensure_future(feed.run())
    try:
        async with asyncio.timeout(DEADLINE_S):
            await feed.live.wait()
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def read(feed: Feed, after: int, until: int) -> list[Placed]:
    found = []
    async with asyncio.timeout(DEADLINE_S), aclosing(feed.after(after)) as entries:
        async for placed in entries:
            found.append(placed)
            if placed.index == until:
                break
    return found


@pytest.mark.parametrize("window_bytes", [1, 20_000, 1 << 20])
@pytest.mark.parametrize("after", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, SIZE - 1])
async def test_all_entries_after_any_index_come_in_order(after: int, window_bytes: int) -> None:
    feed = feed_of(Stream(LONG), window_bytes=window_bytes)
    async with running(feed):
        found = await read(feed, after, SIZE)
    assert [placed.index for placed in found] == list(range(after + 1, SIZE + 1))
    assert [placed.event for placed in found] == [event_of(e) for e in LONG.entries[after:]]


async def test_heads_are_those_of_the_chain_read_once_or_again() -> None:
    head = first_head(LONG.workspace)
    heads = [head := next_head(head, leaf_of(entry.body)) for entry in LONG.entries]
    feed = feed_of(Stream(LONG), window_bytes=1)
    async with running(feed):
        found = await read(feed, 0, SIZE)
    assert [placed.head for placed in found] == heads


async def test_a_reader_at_the_end_gets_what_comes() -> None:
    stream = Stream(LONG, size=100)
    feed = feed_of(stream)
    async with running(feed):
        waiting = asyncio.ensure_future(read(feed, 100, 103))
        stream.grow(103)
        assert [placed.index for placed in await waiting] == [101, 102, 103]
    assert stream.readers == 1


async def test_garbage_is_an_entry_without_an_event_however_it_is_read() -> None:
    for window_bytes in (1, 1 << 20):
        stream = Stream(LONG)
        stream.harm = lambda index, body: b"garbage" if index == SIZE - 70 else body
        feed = feed_of(stream, window_bytes=window_bytes)
        async with running(feed):
            placed = await feed.at(SIZE - 70)
        assert (placed.event, placed.leaf) == (None, leaf_of(b"garbage"))


@pytest.mark.parametrize("change", ["drop", "flip", "swap"])
async def test_a_stream_that_is_another_when_read_again_is_not_believed(change: str) -> None:
    stream = Stream(LONG)
    feed = feed_of(stream, window_bytes=1)
    bodies = {entry.index: entry.body for entry in LONG.entries}

    def harmed(index: int, body: bytes) -> bytes | None:
        if change == "drop":
            return None if index == 10 else body
        if change == "swap":
            return bodies[{10: 11, 11: 10}.get(index, index)]
        return body[:-1] + bytes([body[-1] ^ 1]) if index == 10 else body

    async with running(feed):
        stream.harm = harmed
        with pytest.raises(LedgerDiverged):
            await read(feed, 0, SIZE)


async def test_nothing_of_a_changed_block_is_given_before_it_is_found_out() -> None:
    stream = Stream(LONG)
    feed = feed_of(stream, window_bytes=1)
    found = []
    async with running(feed):
        stream.harm = lambda index, body: LONG.entries[0].body if index == BLOCK + 3 else body
        with pytest.raises(LedgerDiverged):
            async with aclosing(feed.after(0)) as entries:
                async for placed in entries:
                    found.append(placed.index)
    assert found == list(range(1, BLOCK + 1))


async def test_an_entry_dropped_the_first_time_ends_the_feed() -> None:
    stream = Stream(LONG)
    stream.harm = lambda index, body: None if index == 50 else body
    feed = feed_of(stream)
    with pytest.raises(LedgerDiverged):
        await asyncio.wait_for(feed.run(), DEADLINE_S)
    assert feed.index == 49
