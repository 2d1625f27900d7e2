"""The shell: drives one node on NATS. All of a component's I/O on the bus is here.

It feeds the node entries in stream order, publishes what the node says, hands effects to
the performer, and wakes the node when its state wants time to pass. It decides nothing.
Any error of the bus, and any effect that raises, ends the shell: a component in doubt
stops, and its next incarnation finds in the ledger what is owed.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from bus.client import Client
from bus.commands import Command, Perform, Publish
from bus.consume import CaughtUp, Message, follow
from bus.decider import Effect
from bus.errors import BusError, StreamUnavailable
from bus.node import Node
from bus.outbox import Outbox
from bus.publish import Conflict, Stored, Turned, publish
from bus.roles import stream_of
from schemas.envelope import decode_envelope
from schemas.events import decode_event

CROSSING_S = 60.0
"""How long a publisher waits for its own reader to cross into the next epoch."""

_LOG = logging.getLogger("anyteam.bus")

Performer = Callable[[Effect], Awaitable[object]]
Observer = Callable[[int, str, bytes], None]
Feed = Callable[[Effect, object], None]


class Shell:
    """One node on one connection.

    `consumer` and `filter_subject` are what the identity may read with (`bus.follow`).
    `observe` is called with every entry before the node folds it, `on_ready` once the
    stream's end was reached and the node decides. From then on entries may gather for `rest_s`
    (s) before they are taken, unless something of this node's own is on its way: whom nobody waits
    for need not be woken for each.
    """

    def __init__(
        self,
        node: Node[Any],
        client: Client,
        perform: Performer,
        *,
        consumer: str,
        filter_subject: str | None = None,
        outbox: Outbox | None = None,
        observe: Observer | None = None,
        on_ready: Callable[[], None] = lambda: None,
        rest_s: float = 0.0,
    ) -> None:
        self._node = node
        self._client = client
        self._perform = perform
        self._consumer = consumer
        self._filter = filter_subject
        self._outbox = outbox
        # What else was said stands in the ledger, and nobody will ask where.
        node.sought = (
            frozenset(kept.event_id for kept in outbox.kept())
            if outbox is not None
            else frozenset()
        )
        self._observe = observe
        self._on_ready = on_ready
        self._rest_s = rest_s
        self._saying = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._epoch = 0
        self._entered = asyncio.Event()
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at: int | None = None

    async def run(self) -> None:
        """Go on until cancelled or until something fails; raises what failed."""
        self._start(self._read())
        try:
            await self._failed
        finally:
            if self._alarm is not None:
                self._alarm.cancel()
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def feed(self, effect: Effect, result: object) -> None:
        """Tell the node of something outside that no effect of its own asked for.

        To be called once the node has said, by an effect, that it decides.
        """
        self._obey(self._node.done(effect, result, time.time_ns()))

    async def _read(self) -> None:
        stream = follow(
            self._client,
            stream="LEDGER",
            filter_subject=self._filter,
            consumer=self._consumer,
            throwaway=self._filter is None,
            after=self._node.index,
            on_epoch=self._enter,
            rest=self._rest,
        )
        restored: int | None = None
        tried = 0
        caught_up = False
        async for message in stream:
            now = time.time_ns()
            if isinstance(message, CaughtUp):
                caught_up = True
            else:
                self._take(message, now)
            if caught_up and restored is None and tried != self._epoch:
                tried = self._epoch
                restored = await self._restore()
            if not self._node.live and restored is not None and self._node.index >= restored:
                self._obey(self._node.go_live(now))
                self._on_ready()

    def _rest(self) -> float:
        return self._rest_s if self._node.live and not self._saying else 0.0

    def _take(self, message: Message, now: int) -> None:
        if self._observe is not None:
            self._observe(message.index, message.subject, message.body)
        self._obey(self._node.take(message.index, message.subject, message.body, now))

    async def _restore(self) -> int | None:
        """Publish again what the stream does not hold of the outbox; the index to fold up to.

        It was on its way when the last incarnation ended, or the broker has lost it. It goes
        under its old signature, before anything new is decided. None where the ledger's epoch
        turned meanwhile: once the next is read this is due again.
        """
        last = 0
        if self._outbox is None:
            return last
        for kept in self._outbox.kept():
            if kept.event_id in self._node.own:
                self._outbox.stored(kept.event_id, self._node.own[kept.event_id])
                continue
            if self._is_past(kept.body):
                self._outbox.discard(kept.event_id)
                continue
            message = Publish(kept.event_id, kept.message_id, kept.subject, kept.body, None)
            answer = await publish(self._client, message, stream=stream_of(self._epoch))
            if isinstance(answer, Turned):
                return None
            if isinstance(answer, Stored) and not answer.duplicate:
                _LOG.warning("published %s again, at %d", kept.subject, answer.index)
                self._outbox.stored(kept.event_id, answer.index)
                last = max(last, answer.index)
        return last

    def _is_past(self, body: bytes) -> bool:
        """Whether the producer's chain has gone on past this event: it lies before a snapshot, and
        so under a seal, or another one took its number."""
        envelope = decode_envelope(body)
        event = decode_event(envelope.payload)
        head = self._node.trust.head(envelope.key_id, event.run)
        return head is not None and event.n <= head.n

    def _obey(self, commands: list[Command]) -> None:
        """Begin each, in this order: an effect may be there to end one before it."""
        for command in commands:
            if isinstance(command, Publish):
                self._start(self._publish(command))
            else:
                self._start(self._do(command))
        self._set_alarm()

    async def _publish(self, message: Publish) -> None:
        if self._outbox is not None:
            self._outbox.add(message)
        self._saying += 1
        answer = await self._store(message)
        self._saying -= 1
        now = time.time_ns()
        if answer is None:
            if self._outbox is not None:
                self._outbox.stored(message.event_id, self._node.index)
            return
        if isinstance(answer, Stored):
            if self._outbox is not None:
                self._outbox.stored(message.event_id, answer.index)
            commands = self._node.acked(message.event_id, answer.index, answer.duplicate, now)
        else:
            if self._outbox is not None:
                self._outbox.discard(message.event_id)
            commands = self._node.conflicted(message.event_id, answer.last, now)
        self._obey(commands)

    async def _store(self, message: Publish) -> Stored | Conflict | None:
        """Publish into the epoch that is being read. Where that has turned, the old one is read to
        its end first: None where the event was stored there, for no stream remembers another's.
        """
        while True:
            epoch = self._epoch
            answer = await publish(self._client, message, stream=stream_of(epoch))
            if not isinstance(answer, Turned):
                return answer
            await self._epoch_after(epoch)
            if not self._node.awaits(message.event_id):
                return None

    def _enter(self, epoch: int) -> None:
        self._epoch = epoch
        self._entered.set()
        self._entered = asyncio.Event()

    async def _epoch_after(self, epoch: int) -> None:
        try:
            async with asyncio.timeout(CROSSING_S):
                while self._epoch <= epoch:
                    await self._entered.wait()
        except TimeoutError as error:
            raise StreamUnavailable(
                f"the ledger's epoch {epoch} is over, and the next cannot be read",
                fix="run `anyteam epoch turn` again",
            ) from error

    async def _do(self, command: Perform) -> None:
        result = await self._perform(command.effect)
        self._obey(self._node.done(command.effect, result, time.time_ns()))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if self._failed.done():
            return
        if task.cancelled():
            # Not by `run`, which has its end first. What it did nobody does now: it may be the
            # reader, and a shell without one stands still for good and looks well.
            error: BaseException | None = BusError(
                "a part of the work was given up from within", fix="start the component again"
            )
        else:
            error = task.exception()
        if error is not None:
            self._failed.set_exception(error)

    def _set_alarm(self) -> None:
        due = self._node.wake_at() if self._node.live else None
        if due == self._alarm_at:
            return
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        self._alarm_at = due
        if due is not None:
            delay = max(due - time.time_ns(), 0) / 1e9
            self._alarm = asyncio.get_running_loop().call_later(min(delay, 3600.0), self._ring)

    def _ring(self) -> None:
        # A due time that stays (a publish still under way) is asked about again, not spun on.
        self._alarm_at = None
        due = self._node.wake_at()
        if due is not None and due > time.time_ns():
            self._set_alarm()
            return
        self._obey_and_pause(self._node.tick(time.time_ns()), due)

    def _obey_and_pause(self, commands: list[Command], due: int | None) -> None:
        self._obey(commands)
        if self._node.wake_at() == due and self._alarm is not None:
            self._alarm.cancel()
            self._alarm = asyncio.get_running_loop().call_later(0.25, self._ring)
