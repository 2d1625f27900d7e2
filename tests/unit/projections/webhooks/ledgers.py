"""A told ledger as the stream gives it, whole or harmed, to a feed of the webhooks."""

import asyncio
from collections.abc import AsyncGenerator, Callable

from bus.consume import CaughtUp, Message
from crypto.trust import Trust
from projections.webhooks.feed import Feed
from tests.ledgers import SignedLedger, small_ledger


class Stream:
    """A stream of `ledger`'s first entries; `grow` appends the next, `harm` changes what is given.

    Each reader gets the entries after its index, then `CaughtUp`, then what comes.
    """

    def __init__(self, ledger: SignedLedger, size: int | None = None) -> None:
        self.ledger = ledger
        self.size = len(ledger.entries) if size is None else size
        self.readers = 0
        self.harm: Callable[[int, bytes], bytes | None] = lambda index, body: body
        self._grown = asyncio.Event()

    def grow(self, size: int) -> None:
        """The stream has so many entries now."""
        self.size = size
        self._grown.set()
        self._grown = asyncio.Event()

    async def follow(self, after: int) -> AsyncGenerator[Message | CaughtUp, None]:
        """See `projections.webhooks.feed.Follow`."""
        self.readers += 1
        told = False
        while True:
            for entry in self.ledger.entries[after : self.size]:
                after = entry.index
                body = self.harm(entry.index, entry.body)
                if body is not None:
                    yield Message(entry.index, entry.subject, body, self.size - after)
            if not told:
                told = True
                yield CaughtUp()
            if after >= self.size:
                await self._grown.wait()


def feed_of(stream: Stream, *, window_bytes: int = 1 << 20) -> Feed:
    """A feed of the stream, not yet running."""
    trust = Trust(stream.ledger.workspace, stream.ledger.root_public)
    return Feed(trust, stream.follow, window_bytes=window_bytes)


LONG = small_ledger(runs=10)
"""Some 130 entries: more than a few blocks."""
