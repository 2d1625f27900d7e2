"""The projector: reads on while its store writes, in batches as large as have come in meanwhile.

It decides nothing and publishes nothing. Any error of the bus or of the store ends it; its next
incarnation goes on from the store's position. What cannot be projected is no error: the store
sets it aside.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Final

from bus.decider import Entry
from projections.store import Store

BATCH: Final = 2_000
_AHEAD: Final = 2 * BATCH


async def project(
    read: AsyncIterator[Entry], store: Store, *, on_applied: Callable[[int], None] = lambda _: None
) -> None:
    """Hand all that `read` gives to `store`, until `read` ends. Raises what either raises.

    `on_applied` is told the index of the last entry after each batch.
    """
    waiting: asyncio.Queue[Entry | None] = asyncio.Queue(_AHEAD)
    reading = asyncio.ensure_future(_read(read, waiting))
    try:
        more = True
        while more:
            batch, more = await _batch(waiting)
            if batch:
                await asyncio.to_thread(store.apply, batch)
                on_applied(batch[-1].index)
        await reading
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


async def _read(read: AsyncIterator[Entry], waiting: asyncio.Queue[Entry | None]) -> None:
    try:
        async for entry in read:
            await waiting.put(entry)
    finally:
        await waiting.put(None)


async def _batch(waiting: asyncio.Queue[Entry | None]) -> tuple[list[Entry], bool]:
    """What has come in, at least one entry unless that was all; whether more will come."""
    batch: list[Entry] = []
    entry = await waiting.get()
    while entry is not None:
        batch.append(entry)
        if len(batch) == BATCH or waiting.empty():
            return batch, True
        entry = waiting.get_nowait()
    return batch, False
