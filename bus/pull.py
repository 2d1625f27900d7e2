"""What one throw-away pull consumer gives, until it falls silent.

Nothing is acknowledged. Each connection epoch has one from the next index; a missed heartbeat, a
reconnect, a request that ran out with nothing delivered, or the consumer's deletion ends it, and
`bus.consume` makes a new one. Source: NATS ADR-37 (pull consumers).
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, Callable
from typing import Final

from msgspec import Struct

from bus.client import Client, ConnectionClosedError, Msg
from bus.errors import StreamUnavailable
from bus.roles import API

_BATCH: Final = 512
_EXPIRES_S: Final = 20.0
_HEARTBEAT_S: Final = 2.0
_WORDS: Final = 9
_FIELDS: Final = 4
_PLACE: Final = slice(5, 9)
_PLACE_IN_DOMAIN: Final = slice(7, 11)
"""Where a reply subject has the stream's sequence, the consumer's, the time, and what is pending:
`$JS.ACK.` (`domain.account.`) `stream.consumer.delivered.sequence.sequence.time.pending`."""


class Message(Struct, frozen=True):
    """One entry as the broker gave it. `pending` is how many it says are still to come."""

    index: int
    subject: str
    body: bytes
    pending: int


def at_once() -> float:
    """For who takes each entry as it comes."""
    return 0.0


async def pull(
    client: Client, stream: str, name: str, rest: Callable[[], float] = at_once
) -> AsyncGenerator[Message, None]:
    """Messages of one consumer until it falls silent, or the connection is another or over.

    Once all that waited was given, what comes next may gather for `rest` (s), which is asked then.
    """
    inbox = client.new_inbox()
    queue: asyncio.Queue[Msg | None] = asyncio.Queue()
    try:
        subscription = await client.subscribe(inbox, cb=queue.put)
    except ConnectionClosedError:
        # Whoever makes the next consumer is told.
        return
    silence = _Silence(queue, _HEARTBEAT_S * 3)
    ask = f"{API}.CONSUMER.MSG.NEXT.{stream}.{name}"
    want = json.dumps(
        {
            "batch": _BATCH,
            "expires": int(_EXPIRES_S * 1e9),
            "idle_heartbeat": int(_HEARTBEAT_S * 1e9),
        }
    ).encode()
    reconnects = client.stats["reconnects"]
    owed, idle = 0, True
    try:
        while client.stats["reconnects"] == reconnects:
            if owed < _BATCH // 2:
                await client.publish(ask, want, reply=inbox)
                owed += _BATCH
            silence.since = silence.now()
            message = await queue.get()
            silence.since = None
            if message is None:
                return
            headers = message.headers or {}
            # Entries bear their own subject; a header of that name in one is its author's word.
            status = headers.get("Status") if message.subject == inbox else None
            if status is None:
                owed, idle = owed - 1, False
                index, pending = place_of(message)
                yield Message(index, message.subject, message.data, pending)
                if not message.data:
                    # An answer without a body is the last one that comes across accounts: what
                    # the server still sends for what was asked is lost.
                    return
                if pending == 0 and queue.empty() and (seconds := rest()):
                    await asyncio.sleep(seconds)
            elif status == "408":
                # The request ran out; the broker says how much of it was not delivered.
                owed -= int(headers.get("Nats-Pending-Messages", _BATCH))
                if idle:
                    return
                idle = True
            elif status != "100":
                # The consumer or its stream is gone, or the server goes down.
                return
    except ConnectionClosedError:
        return
    finally:
        silence.end()
        with contextlib.suppress(ConnectionClosedError):
            await subscription.unsubscribe()


class _Silence:
    """Puts None into a queue whose reader has waited for `limit_s` (s); `since` is when it began to
    wait, None while it does not. One timer for as long as it reads, for one that is set and taken
    back at each entry is most of what waiting for it costs.
    """

    def __init__(self, queue: asyncio.Queue[Msg | None], limit_s: float) -> None:
        self.since: float | None = None
        self._queue = queue
        self._limit = limit_s
        self._loop = asyncio.get_running_loop()
        self.now = self._loop.time
        self._timer = self._loop.call_later(limit_s, self._look)

    def end(self) -> None:
        """Nobody reads any more."""
        self._timer.cancel()

    def _look(self) -> None:
        waited = 0.0 if self.since is None else self.now() - self.since
        if waited >= self._limit:
            self._queue.put_nowait(None)
            waited = 0.0
        self._timer = self._loop.call_later(self._limit - waited, self._look)


def place_of(message: Msg) -> tuple[int, int]:
    """(index in the stream, how many are still to come), as the reply subject says (NATS ADR-15).

    The client's own reading of it makes a date of the time, which nobody here asks for. Raises
    `StreamUnavailable` where it says no such thing.
    """
    words = message.reply.split(".")
    fields = words[_PLACE] if len(words) == _WORDS else words[_PLACE_IN_DOMAIN]
    if words[:2] != ["$JS", "ACK"] or len(fields) != _FIELDS or not all(map(str.isdecimal, fields)):
        raise StreamUnavailable(f"a message of a consumer has the reply subject {message.reply!r}")
    index, _, _, pending = fields
    return int(index), int(pending)
