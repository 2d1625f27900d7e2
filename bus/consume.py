"""Ordered reading of a stream from any index on, with nothing acknowledged to the broker.

A reader's position is its own (what it has folded), never the broker's: the broker may lie or lose.
The ledger is read across its epochs, each a stream that takes up the count of the one before: a
stream is left for the next once that is there, for then it is closed and was read to its end. What
was dropped from the bus comes from the archive that the connection knows.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Final

from msgspec import Struct

from bus.client import Client
from bus.connection import archive_of
from bus.consumer import Filter, create, last_of, leave, replace
from bus.errors import LedgerDiverged, StreamUnavailable
from bus.pull import Message, at_once, pull
from bus.roles import LEDGER, stream_of

__all__ = ["CaughtUp", "Filter", "Message", "end_of_ledger", "follow"]

_MAX_EPOCHS: Final = 4_096
_BREATH: Final = 512


class CaughtUp(Struct, frozen=True):
    """All that the stream held when reading began has been given."""


async def follow(
    client: Client,
    *,
    stream: str,
    filter_subject: Filter,
    consumer: str,
    throwaway: bool,
    after: int = 0,
    on_epoch: Callable[[int], None] = lambda epoch: None,
    rest: Callable[[], float] = at_once,
) -> AsyncGenerator[Message | CaughtUp, None]:
    """Every entry after index `after`, in order, for ever; `CaughtUp` once at the first end.

    `consumer` is the name this user may create; with `throwaway` the beginning of a name. Of
    several filters in `filter_subject` an entry matches any; no two may overlap.
    `on_epoch` is told of each epoch of the ledger as it is entered; `rest` is that of
    `bus.pull.pull`.
    Raises `StreamUnavailable` where the stream or the permission to read it is missing, and
    `LedgerDiverged` where entries are missing that an unfiltered reader must be given.
    """
    place = _Place(client, stream, filter_subject, consumer, throwaway, after, rest)
    told, entered = False, 0
    try:
        while True:
            waiting = await place.begin()
            if place.epoch != entered:
                entered = place.epoch
                on_epoch(entered)
            if waiting is None:
                async for message in place.archived():
                    yield message
                continue
            if waiting == 0 and not told:
                told = True
                yield CaughtUp()
            async with contextlib.aclosing(place.pulled()) as messages:
                async for message in messages:
                    yield message
                    if message.pending == 0 and not told:
                        if await place.is_closed():
                            break
                        told = True
                        yield CaughtUp()
    finally:
        await place.leave()


class _Place:
    """Where one reader is: `last` is the index given last, `epoch` the one it reads."""

    def __init__(
        self,
        client: Client,
        stream: str,
        filter_subject: Filter,
        consumer: str,
        throwaway: bool,
        after: int,
        rest: Callable[[], float],
    ) -> None:
        self.last = after
        self.epoch = 1
        self._client = client
        self._is_ledger = stream == LEDGER
        self._stream = stream
        self._filter = filter_subject
        filters = (filter_subject,) if isinstance(filter_subject, str) else filter_subject or ()
        self._patterns = tuple(tuple(one.split(".")) for one in filters)
        self._consumer = consumer
        self._throwaway = throwaway
        self._rest = rest
        self._name = consumer
        self._passed = False
        self._made: tuple[str, str] | None = None
        self._archive = archive_of(client) if self._is_ledger else None

    async def begin(self) -> int | None:
        """Make a consumer where the next entry is or will be; how many entries wait there.

        None where it is in the archive alone.
        """
        while True:
            waiting = await self._create(self.epoch)
            if waiting is not None and self._passed:
                self._refuse_a_hole()
            if waiting is None:
                if self._archive is not None and self._archive.has(self.epoch):
                    return None
                self._pass_over()
            elif waiting or not await self.is_closed():
                return waiting
            elif waiting := await self._create(self.epoch):
                # It grew before it was closed; since then it cannot have.
                return waiting
            else:
                self.epoch += 1

    async def is_closed(self) -> bool:
        """Whether the next epoch's stream is there, so that this one takes no more entries."""
        return self._is_ledger and await self._create(self.epoch + 1, probe=True) is not None

    async def archived(self) -> AsyncGenerator[Message, None]:
        """What the archive has of this epoch; then the next one is due."""
        assert self._archive is not None
        for index, subject, body in self._archive.entries(self.epoch, self.last):
            if index % _BREATH == 0:
                await asyncio.sleep(0)
            if self._filter is not None and not self._wanted(subject):
                continue
            self._advance(index)
            yield Message(index, subject, body, 1)
        self.epoch += 1

    def _wanted(self, subject: str) -> bool:
        """As the server matches: `*` is any token, `>` at the end one token or more."""
        tokens = subject.split(".")
        return any(_matches(pattern, tokens) for pattern in self._patterns)

    async def pulled(self) -> AsyncGenerator[Message, None]:
        """What the consumer gives, until it ends."""
        async with contextlib.aclosing(
            pull(self._client, self._stream_of(self.epoch), self._name, self._rest)
        ) as messages:
            async for message in messages:
                if message.index > self.last:
                    self._advance(message.index)
                    yield message

    def _advance(self, index: int) -> None:
        if self._filter is None and index != self.last + 1:
            raise LedgerDiverged(
                f"entries {self.last + 1} to {index - 1} of {self._stream} are not on the bus",
                fix="bring back the archive of the epoch they are in, or run `anyteam verify`",
            )
        self.last = index

    async def _create(self, epoch: int, *, probe: bool = False) -> int | None:
        stream, name = self._stream_of(epoch), self._consumer
        if not self._throwaway:
            # One name is all a run's user has; it may be left over at another place.
            return await replace(self._client, stream, name, self._filter, self.last)
        made = await create(self._client, stream, name, self._filter, self.last)
        if made is None:
            return None
        await self.leave()
        self._made = (stream, made.name)
        if not probe:
            self._name = made.name
        return made.waiting

    async def leave(self) -> None:
        """Have the consumer that was made last removed, where it is one of many."""
        made, self._made = self._made, None
        if made is not None:
            await leave(self._client, *made)

    def _pass_over(self) -> None:
        """This epoch is nowhere: it may have been dropped, and the reader not need it."""
        if not self._is_ledger or self.epoch >= _MAX_EPOCHS:
            raise StreamUnavailable(
                f"there is no stream {self._stream}", fix="bring the installation up first"
            )
        self.epoch += 1
        self._passed = True

    def _refuse_a_hole(self) -> None:
        """An unfiltered reader will see what is missing; a run's began after what was dropped."""
        if self._filter is not None and self._throwaway:
            raise LedgerDiverged(
                f"the epochs of the ledger before {self.epoch} are not on the bus",
                fix="bring back their archive",
            )

    def _stream_of(self, epoch: int) -> str:
        return stream_of(epoch) if self._is_ledger else self._stream


def _matches(pattern: Sequence[str], tokens: Sequence[str]) -> bool:
    tail = pattern[-1] == ">"
    if len(tokens) < len(pattern) if tail else len(tokens) != len(pattern):
        return False
    return all(wanted in ("*", ">", token) for wanted, token in zip(pattern, tokens, strict=False))


async def end_of_ledger(client: Client) -> int:
    """The index of the ledger's last entry, 0 where it has none. Raises `StreamUnavailable`."""
    end: int | None = None
    for epoch in range(1, _MAX_EPOCHS + 1):
        last = await last_of(client, stream_of(epoch))
        if last is None and end is not None:
            return end
        end = end if last is None else last
    raise StreamUnavailable(f"there is no stream {LEDGER}", fix="bring the installation up first")
