"""One endpoint being sent to: takes what comes next, waits until it is due, posts, notes.

A lane pulls: nothing is read from the ledger for it before the message ahead is settled, so a slow
receiver slows its own lane down and fills no memory. All decisions are `progress`'s.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Final, Protocol

from msgspec import Struct

from projections.webhooks.endpoint import Attempt, DeadLetter, Endpoint, Kept, Step
from projections.webhooks.feed import Feed
from projections.webhooks.payload import Placed, message_id, payload_of
from projections.webhooks.progress import (
    Outcome,
    Place,
    Progress,
    Result,
    Rules,
    Status,
    begin,
    due_at,
    in_words,
    passed_over,
    put_off,
    settled,
)
from projections.webhooks.signature import headers_of
from schemas.events import Event
from schemas.names import SECOND

BREATH: Final = 256
"""After so many entries that are not meant for the endpoint, others have their turn."""


class Clock(Struct, frozen=True):
    """Where a lane's time and chance come from: `now` in ns, `chance` in [0, 1)."""

    now: Callable[[], int]
    chance: Callable[[], float]
    until: Callable[[int], Awaitable[None]]


class SigningKey(Struct, frozen=True):
    """An HMAC key, and until when (ns) it signs."""

    key: bytes
    until: int | None

    def __repr__(self) -> str:
        return f"SigningKey(until={self.until})"


class Posts(Protocol):
    """A line to a receiver."""

    async def post(self, body: bytes, headers: dict[str, str]) -> Result:
        """The receiver's answer, or why there is none."""
        ...


class Notes(Protocol):
    """Where a lane says what became of its endpoint."""

    def note(self, step: Step) -> None:
        """Take it in."""
        ...

    async def room(self) -> None:
        """Wait until more may be noted."""
        ...


class Lane:
    """See the module's docstring. `progress` is the state so far."""

    def __init__(
        self,
        kept: Kept,
        keys: Sequence[SigningKey],
        *,
        feed: Feed,
        line: Posts,
        notes: Notes,
        rules: Rules,
        clock: Clock,
    ) -> None:
        self.progress: Progress = kept.progress
        self._endpoint: Endpoint = kept.endpoint
        self._generation = kept.generation
        self._keys = keys
        self._feed = feed
        self._line = line
        self._notes = notes
        self._rules = rules
        self._clock = clock

    async def run(self) -> None:
        """Send until the endpoint is not active any more. Raises `LedgerDiverged`."""
        await self._feed.live.wait()
        self._note(await self._begun())
        while self._active and self.progress.again:
            await self._send_again(self.progress.again[0])
        if self._active:
            await self._send_on()

    @property
    def _active(self) -> bool:
        return self.progress.status is Status.ACTIVE

    async def _begun(self) -> Progress:
        """Where to go on. A ledger that is not the one that was sent from is not gone on with."""
        before, size = self.progress.previous, self._feed.index
        if before is not None:
            known = await self._feed.at(before.index) if before.index <= size else None
            if known is None or known.place != before:
                reason = f"the ledger has no entry {before.index}, or another than was sent"
                return put_off(self.progress, reason)
        return begin(self.progress, size)

    async def _send_on(self) -> None:
        over = 0
        async with aclosing(self._feed.after(self.progress.after or 0)) as entries:
            async for placed in entries:
                event = placed.event
                if event is None or not self._endpoint.filter.admits(event):
                    self._note(passed_over(self.progress, placed.index))
                    over += 1
                    if over % BREATH == 0:
                        await asyncio.sleep(0)
                    continue
                body = payload_of(placed, event, self.progress.previous, self._endpoint.filter)
                await self._deliver(placed, event, body)
                if not self._active:
                    return

    async def _send_again(self, index: int) -> None:
        """A dead letter, out of order: it makes no claim about what came before it."""
        placed = await self._feed.at(index)
        assert placed.event is not None
        body = payload_of(placed, placed.event, None, self._endpoint.filter)
        await self._deliver(placed, placed.event, body)

    async def _deliver(self, placed: Placed, event: Event, body: bytes) -> None:
        """Attempt after attempt, until the message is settled or the endpoint is off."""
        name = message_id(placed)
        while True:
            await self._notes.room()
            due = due_at(self.progress)
            assert due is not None
            if due > self._clock.now():
                await self._clock.until(due)
            at = self._clock.now()
            headers = headers_of(name, at // SECOND, body, self._signing(at))
            result = await self._line.post(body, headers)
            now = self._clock.now()
            before = self.progress.trouble
            number = before.failures + 1 if before is not None else 1
            progress, outcome = settled(
                self.progress, placed.place, result, now, self._clock.chance(), self._rules
            )
            attempt = Attempt(
                at=at,
                index=placed.index,
                message_id=name,
                type=event.type,
                number=number,
                outcome=outcome,
                took_ms=(now - at) // 1_000_000,
                detail=in_words(result),
            )
            dead = DeadLetter(
                index=placed.index,
                type=event.type,
                at=now,
                attempts=number,
                reason=in_words(result),
            )
            self._note(
                progress,
                attempts=(attempt,),
                dead=(dead,) if outcome is Outcome.DEAD else (),
                settled=(placed.place,) if outcome is Outcome.DELIVERED else (),
            )
            if outcome is not Outcome.RETRY:
                return

    def _signing(self, now: int) -> list[bytes]:
        return [one.key for one in self._keys if one.until is None or one.until > now]

    def _note(
        self,
        progress: Progress,
        attempts: tuple[Attempt, ...] = (),
        dead: tuple[DeadLetter, ...] = (),
        settled: tuple[Place, ...] = (),
    ) -> None:
        self.progress = progress
        self._notes.note(
            Step(
                name=self._endpoint.name,
                generation=self._generation,
                progress=progress,
                attempts=attempts,
                dead=dead,
                settled=settled,
            )
        )
