"""Entries of the ledger as they stand in the stream: read, never trusted.

A few are asked for one by one, since a reader of the stream is sent hundreds ahead. What is on the
bus no more comes from the archive, by such a reader.
"""

import asyncio
from typing import Final

from msgspec import Struct

from bus.client import Client
from bus.consume import CaughtUp, follow
from bus.consumer import message_at
from bus.pull import Message
from bus.roles import LEDGER, stream_of

_FEW: Final = 256


class Entry(Struct, frozen=True):
    """One entry."""

    index: int
    subject: str
    body: bytes


async def entries(client: Client, first: int, last: int, epoch: int = 1) -> list[Entry]:
    """The entries from `first` to `last`, as far as the stream has them; `epoch` is the ledger's
    present one, as far as is known.
    """
    if last < first:
        return []
    if last - first < _FEW:
        found = await _asked_for(client, list(range(first, last + 1)), epoch)
        if found is not None:
            return found
    return await _read(client, first, last)


async def _asked_for(client: Client, wanted: list[int], epoch: int) -> list[Entry] | None:
    """Each by its index, the latest epoch first; None where one is in no epoch on the bus."""
    found: dict[int, Message] = {}
    for number in range(epoch, 0, -1):
        stream = stream_of(number)
        last = await message_at(client, stream, wanted[-1])
        if last is None:
            continue
        before = await asyncio.gather(*(message_at(client, stream, i) for i in wanted[:-1]))
        found |= {message.index: message for message in (*before, last) if message is not None}
        wanted = [index for index in wanted if index not in found]
        if not wanted:
            return [Entry(i, found[i].subject, found[i].body) for i in sorted(found)]
    return None


async def _read(client: Client, first: int, last: int) -> list[Entry]:
    found: list[Entry] = []
    stream = follow(
        client,
        stream=LEDGER,
        filter_subject=None,
        consumer="console",
        throwaway=True,
        after=first - 1,
    )
    async for message in stream:
        if isinstance(message, CaughtUp) or message.index > last:
            break
        found.append(Entry(message.index, message.subject, message.body))
        if message.index == last:
            break
    return found
