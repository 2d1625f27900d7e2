"""One throw-away pull consumer on one stream: made, and pulled from until it falls silent.

Nothing is acknowledged. Each connection epoch has one from the next index; a missed heartbeat, a
reconnect, a request that ran out with nothing delivered, or the consumer's deletion ends it, and
`bus.consume` makes a new one. Source: NATS ADR-37 (pull consumers).
"""

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncGenerator, Callable
from typing import Final

from msgspec import Struct
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_fixed

from bus.asking import ask
from bus.client import Client, ConnectionClosedError, Msg, NatsTimeout, NoRespondersError
from bus.errors import ConsumerThere, StreamUnavailable
from bus.roles import API

_BATCH: Final = 512
_EXPIRES_S: Final = 20.0
_HEARTBEAT_S: Final = 2.0
_NO_STREAM: Final = 10059
_NO_MESSAGE: Final = 10037
_THERE: Final = 10148
_LEADER_S: Final = 20.0
_GONE_S: Final = 5.0
"""How long the server may take until a consumer that it was to remove is gone."""
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


Filter = str | tuple[str, ...] | None
"""The subjects that are read: those of one filter, of several, or all."""


async def create(client: Client, stream: str, name: str, only: Filter, after: int) -> int | None:
    """Make the consumer; how many entries after `after` wait. None where there is no such stream.

    Raises `ConsumerThere` where there is another of that name, and `StreamUnavailable` where the
    server refuses, or does not answer.
    """
    config: dict[str, object] = {
        "name": name,
        "ack_policy": "none",
        "deliver_policy": "by_start_sequence",
        "opt_start_seq": after + 1,
        "inactive_threshold": 60_000_000_000,
        "mem_storage": True,
        "num_replicas": 1,
    }
    subject = f"{API}.CONSUMER.CREATE.{stream}.{name}"
    if isinstance(only, str):
        config["filter_subject"] = only
        subject += f".{only}"
    elif only is not None:
        config["filter_subjects"] = only
    body = json.dumps({"stream_name": stream, "config": config, "action": "create"}).encode()
    reply = await _request(client, subject, body)
    problem = reply.get("error")
    if isinstance(problem, dict):
        if problem.get("err_code") == _NO_STREAM:
            return None
        refused = ConsumerThere if problem.get("err_code") == _THERE else StreamUnavailable
        raise refused(f"{subject}: {problem.get('description')}")
    pending = reply.get("num_pending", 0)
    return pending if isinstance(pending, int) else 0


async def replace(client: Client, stream: str, name: str, only: Filter, after: int) -> int | None:
    """`create`, of a name that may be left over at another place: that one is removed first.

    Asked again for a while where it is there all the same: a server was seen to say that it had
    removed one, and to find it there at once after.
    """
    again = AsyncRetrying(
        retry=retry_if_exception_type(ConsumerThere),
        wait=wait_fixed(0.05),
        stop=stop_after_delay(_GONE_S),
        reraise=True,
    )
    waiting = None
    async for attempt in again:
        with attempt:
            await delete(client, stream, name)
            waiting = await create(client, stream, name, only, after)
    return waiting


async def delete(client: Client, stream: str, name: str) -> None:
    """Remove the consumer, where it is there."""
    await _request(client, f"{API}.CONSUMER.DELETE.{stream}.{name}", b"")


async def leave(client: Client, stream: str, name: str) -> None:
    """Have the consumer removed, without waiting for the answer: the server does it by itself some
    time after nobody pulls, and until then counts it.
    """
    with contextlib.suppress(ConnectionClosedError):
        subject = f"{API}.CONSUMER.DELETE.{stream}.{name}"
        await client.publish(subject, b"", reply=client.new_inbox())


async def last_of(client: Client, stream: str) -> int | None:
    """The sequence of the stream's last message. None where there is no such stream.

    Raises `StreamUnavailable` where the server refuses, or does not answer.
    """
    subject = f"{API}.STREAM.INFO.{stream}"
    reply = await _request(client, subject, b"")
    problem = reply.get("error")
    if isinstance(problem, dict):
        if problem.get("err_code") == _NO_STREAM:
            return None
        raise StreamUnavailable(f"{subject}: {problem.get('description')}")
    state = reply.get("state")
    last = state.get("last_seq") if isinstance(state, dict) else None
    return last if isinstance(last, int) else 0


async def message_at(client: Client, stream: str, index: int) -> Message | None:
    """The stream's message at a sequence. None where there is no such message, or no such stream.

    Raises `StreamUnavailable` where the server refuses, or does not answer.
    """
    subject = f"{API}.STREAM.MSG.GET.{stream}"
    reply = await _request(client, subject, json.dumps({"seq": index}).encode())
    problem, message = reply.get("error"), reply.get("message")
    if isinstance(problem, dict):
        if problem.get("err_code") in (_NO_STREAM, _NO_MESSAGE):
            return None
        raise StreamUnavailable(f"{subject}: {problem.get('description')}")
    if not isinstance(message, dict) or message.get("seq") != index:
        raise StreamUnavailable(f"{subject}: no message in the answer")
    body = base64.b64decode(message.get("data", ""))
    return Message(index, str(message["subject"]), body, 0)


async def _request(client: Client, subject: str, body: bytes) -> dict[str, object]:
    """The answer. While the servers of a cluster settle who leads there is none: asked again."""
    retrying = AsyncRetrying(
        retry=retry_if_exception_type((NatsTimeout, NoRespondersError)),
        wait=wait_fixed(0.1),
        stop=stop_after_delay(_LEADER_S if len(client.servers) > 1 else 0.0),
        reraise=True,
    )
    try:
        async for attempt in retrying:
            with attempt:
                answer = await ask(client, subject, body, timeout_s=5)
    except (NatsTimeout, NoRespondersError, ConnectionClosedError) as error:
        raise StreamUnavailable(
            f"no answer on {subject}",
            fix="check that the server is up and that this identity may read the stream",
        ) from error
    reply: dict[str, object] = json.loads(answer.data)
    return reply


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
