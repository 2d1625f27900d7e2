"""The ledger as the webhooks see it: each entry verified once, readable from any index on.

One reader verifies the stream from its beginning and keeps the newest entries, and of all others
a chain head for every `BLOCK`. Whoever is further behind reads the stream again, and what comes
then is held against those heads before it is used: the same chain is the same bytes, so no
signature is checked twice, and a broker that answers otherwise the second time is found out.
Source: DESIGN.md section 5 (chain head).
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Final

from bus.consume import CaughtUp, Message
from bus.errors import LedgerDiverged
from crypto.errors import Broken, Rejected
from crypto.trust import Trust
from ledger.chain import first_head, leaf_of, next_head
from projections.webhooks.payload import Placed
from schemas.envelope import decode_envelope
from schemas.events import decode_event, event_digest

BLOCK: Final = 64
WINDOW_BYTES: Final = 16 * 1024 * 1024

Follow = Callable[[int], AsyncGenerator[Message | CaughtUp, None]]
"""Reads the stream after an index: every entry in order, and `CaughtUp` at its first end."""


class Feed:
    """See the module's docstring. `index` is the last entry verified, `live` whether the end
    that the stream had at the beginning is reached.
    """

    def __init__(self, trust: Trust, follow: Follow, *, window_bytes: int = WINDOW_BYTES) -> None:
        self.index = 0
        self.live = asyncio.Event()
        self._trust = trust
        self._follow = follow
        self._room = window_bytes
        self._head = first_head(trust.workspace)
        self._marks = [self._head]
        self._refused: set[int] = set()
        self._window: deque[tuple[Placed, int]] = deque()
        self._bytes = 0
        self._grown = asyncio.Event()

    async def run(self) -> None:
        """Read and verify for ever. Raises `LedgerDiverged` where the stream is not whole."""
        async with aclosing(self._follow(0)) as entries:
            async for message in entries:
                if isinstance(message, CaughtUp):
                    self.live.set()
                else:
                    self._take(message)

    async def after(self, index: int) -> AsyncGenerator[Placed, None]:
        """Every entry after `index`, in order, for ever.

        Raises `LedgerDiverged` where the stream, read again, is another than before.
        """
        while True:
            await self.reached(index + 1)
            start = self._window[0][0].index
            if index + 1 >= start:
                placed = self._window[index + 1 - start][0]
                index = placed.index
                yield placed
                continue
            async with aclosing(self._reread(index)) as again:
                async for placed in again:
                    index = placed.index
                    yield placed

    async def reached(self, index: int) -> None:
        """Wait until the entry at `index` is verified."""
        while self.index < index:
            await self._grown.wait()

    async def at(self, index: int) -> Placed:
        """The entry at `index`, once the ledger has it."""
        async with aclosing(self.after(index - 1)) as entries:
            return await anext(entries)

    def _take(self, message: Message) -> None:
        if message.index != self.index + 1:
            raise LedgerDiverged(
                f"entry {message.index} comes after entry {self.index}",
                fix="the broker dropped entries; run `anyteam verify`",
            )
        leaf = leaf_of(message.body)
        head = next_head(self._head, leaf)
        try:
            verified = self._trust.accept(message.subject, message.body)
        except Rejected as error:
            if isinstance(error, Broken) and error.suspect and self.live.is_set():
                raise LedgerDiverged(
                    f"entry {message.index} breaks the chain of its producer: {error.what}",
                    fix="the broker dropped or reordered entries; run `anyteam verify`",
                ) from error
            self._refused.add(message.index)
            placed = Placed(message.index, head, leaf, b"", None)
        else:
            placed = Placed(message.index, head, leaf, verified.digest, verified.event)
        self.index, self._head = message.index, head
        if self.index % BLOCK == 0:
            self._marks.append(head)
        self._keep(placed, len(message.body))
        # Whoever waits is woken, and whoever comes later waits for the next one.
        self._grown.set()
        self._grown = asyncio.Event()

    def _keep(self, placed: Placed, size: int) -> None:
        self._window.append((placed, size))
        self._bytes += size
        while self._bytes > self._room and len(self._window) > 1:
            self._bytes -= self._window.popleft()[1]

    async def _reread(self, after: int) -> AsyncGenerator[Placed, None]:
        """Entries after `after` up to the window, each block once its chain is the known one."""
        block = after // BLOCK
        head, last = self._marks[block], block * BLOCK
        held: list[Placed] = []
        async with aclosing(self._follow(last)) as entries:
            async for message in entries:
                if isinstance(message, CaughtUp):
                    continue
                if message.index != last + 1:
                    raise LedgerDiverged(
                        f"entry {message.index} comes after entry {last}, read again",
                        fix="the broker dropped entries; run `anyteam verify`",
                    )
                last, leaf = message.index, leaf_of(message.body)
                head = next_head(head, leaf)
                held.append(self._known(message, head, leaf))
                if not self._is_known(last, head):
                    continue
                for placed in held:
                    if placed.index > after:
                        yield placed
                held.clear()
                if last + 1 >= self._window[0][0].index:
                    return

    def _is_known(self, index: int, head: bytes) -> bool:
        """Whether a chain read again up to `index` can be held against the one that was verified.

        Raises `LedgerDiverged` where it is another.
        """
        known = self._head_at(index)
        if known is not None and known != head:
            raise LedgerDiverged(
                f"the stream up to entry {index} is another than when it was verified",
                fix="the broker changed entries; run `anyteam verify`",
            )
        return known is not None

    def _known(self, message: Message, head: bytes, leaf: bytes) -> Placed:
        """An entry read again. Nothing of it counts before its block's chain is the known one."""
        if message.index in self._refused:
            return Placed(message.index, head, leaf, b"", None)
        payload = decode_envelope(message.body).payload
        return Placed(message.index, head, leaf, event_digest(payload), decode_event(payload))

    def _head_at(self, index: int) -> bytes | None:
        if index % BLOCK == 0:
            return self._marks[index // BLOCK]
        start = self._window[0][0].index
        return self._window[index - start][0].head if index >= start else None
