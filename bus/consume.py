"""Ordered reading of a stream from any index on, with nothing acknowledged to the broker.

A reader's position is its own (what it has folded), never the broker's: the broker may
lie or lose. Each connection epoch has a throw-away pull consumer from the next index; a
missed heartbeat or a reconnect makes a new one. Source: NATS ADR-37 (pull consumers).
"""

import asyncio
import contextlib
import json
import secrets
from collections.abc import AsyncGenerator, AsyncIterator

from msgspec import Struct
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import ConnectionClosedError, NoRespondersError
from nats.errors import TimeoutError as NatsTimeout

from bus.asking import ask
from bus.errors import StreamUnavailable
from bus.roles import API

_BATCH = 512
_EXPIRES_S = 20.0
_HEARTBEAT_S = 5.0


class Message(Struct, frozen=True):
    """One entry as the broker gave it. `pending` is how many it says are still to come."""

    index: int
    subject: str
    body: bytes
    pending: int


class CaughtUp(Struct, frozen=True):
    """All that the stream held when reading began has been given."""


async def follow(
    client: Client,
    *,
    stream: str,
    filter_subject: str | None,
    consumer: str,
    throwaway: bool,
    after: int = 0,
) -> AsyncGenerator[Message | CaughtUp, None]:
    """Every entry after index `after`, in order, for ever; `CaughtUp` once at the first end.

    `consumer` is the name this user may create; with `throwaway` the beginning of a name.
    Raises `StreamUnavailable` where the stream or the permission to read it is missing.
    """
    last, told = after, False
    while True:
        name = f"{consumer}-{secrets.token_hex(6)}" if throwaway else consumer
        if not throwaway:
            # One name is all a run's user has; it may be left over at another position.
            stale = f"{API}.CONSUMER.DELETE.{stream}.{name}"
            await _request(client, stale, b"", missing_ok=True)
        waiting = await _create(client, stream, name, filter_subject, last)
        if waiting == 0 and not told:
            told = True
            yield CaughtUp()
        async for message in _pull(client, stream, name):
            if message.index <= last:
                continue
            last = message.index
            yield message
            if message.pending == 0 and not told:
                told = True
                yield CaughtUp()


async def _create(
    client: Client, stream: str, name: str, filter_subject: str | None, after: int
) -> int:
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
    if filter_subject is not None:
        config["filter_subject"] = filter_subject
        subject += f".{filter_subject}"
    body = json.dumps({"stream_name": stream, "config": config, "action": "create"}).encode()
    reply = await _request(client, subject, body, missing_ok=False)
    pending = reply.get("num_pending", 0)
    return pending if isinstance(pending, int) else 0


async def _request(
    client: Client, subject: str, body: bytes, *, missing_ok: bool
) -> dict[str, object]:
    try:
        answer = await ask(client, subject, body, timeout_s=5)
    except (NatsTimeout, NoRespondersError) as error:
        raise StreamUnavailable(
            f"no answer on {subject}",
            fix="check that the server is up and that this identity may read the stream",
        ) from error
    reply: dict[str, object] = json.loads(answer.data)
    problem = reply.get("error")
    if isinstance(problem, dict) and not missing_ok:
        raise StreamUnavailable(f"{subject}: {problem.get('description')}")
    return reply


async def _pull(client: Client, stream: str, name: str) -> AsyncIterator[Message]:
    """Messages of one consumer until it falls silent or the connection is another."""
    inbox = client.new_inbox()
    queue: asyncio.Queue[Msg] = asyncio.Queue()
    subscription = await client.subscribe(inbox, cb=queue.put)
    ask = f"{API}.CONSUMER.MSG.NEXT.{stream}.{name}"
    want = json.dumps(
        {
            "batch": _BATCH,
            "expires": int(_EXPIRES_S * 1e9),
            "idle_heartbeat": int(_HEARTBEAT_S * 1e9),
        }
    ).encode()
    reconnects = client.stats["reconnects"]
    owed = 0
    try:
        while client.stats["reconnects"] == reconnects:
            if owed < _BATCH // 2:
                await client.publish(ask, want, reply=inbox)
                owed += _BATCH
            try:
                # Not wait_for: in Python 3.11 it can swallow a cancellation as a message comes.
                async with asyncio.timeout(_HEARTBEAT_S * 3):
                    message = await queue.get()
            except TimeoutError:
                return
            headers = message.headers or {}
            status = headers.get("Status")
            if status is None:
                owed -= 1
                yield _message(message)
            elif status == "408":
                # The request ran out; the broker says how much of it was not delivered.
                owed -= int(headers.get("Nats-Pending-Messages", _BATCH))
            elif status != "100":
                return
    finally:
        with contextlib.suppress(ConnectionClosedError):
            await subscription.unsubscribe()


def _message(message: Msg) -> Message:
    metadata = message.metadata
    return Message(
        metadata.sequence.stream, message.subject, message.data, metadata.num_pending or 0
    )
