"""Entries of the ledger as they stand in the stream: read, never trusted."""

from msgspec import Struct

from bus.client import Client
from bus.consume import CaughtUp, follow
from bus.roles import LEDGER


class Entry(Struct, frozen=True):
    """One entry."""

    index: int
    subject: str
    body: bytes


async def entries(client: Client, first: int, last: int) -> list[Entry]:
    """The entries from `first` to `last`, as far as the stream has them."""
    found: list[Entry] = []
    if last < first:
        return found
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
