"""A throw-away pull consumer on one stream, made and removed; and what a stream is asked beside.

A cluster does not answer while its servers settle who leads, and was seen to make a consumer and
never to answer for it (compare nats-server #8350): who makes one there asks again, under another
name where any will do.
"""

import base64
import contextlib
import json
import secrets
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

from msgspec import Struct
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_fixed

from bus.asking import ask
from bus.client import Client, ConnectionClosedError, NatsTimeout, NoRespondersError
from bus.errors import ConsumerThere, StreamUnavailable
from bus.pull import Message
from bus.roles import API

_NO_STREAM: Final = 10059
_NO_MESSAGE: Final = 10037
_THERE: Final = 10148
_LEADER_S: Final = 20.0
_GONE_S: Final = 5.0
"""How long the server may take until a consumer that it was to remove is gone."""
_PASSING: Final = (NatsTimeout, NoRespondersError)

Filter = str | tuple[str, ...] | None
"""The subjects that are read: those of one filter, of several, or all."""

_Answer = TypeVar("_Answer")


class Made(Struct, frozen=True):
    """A consumer that was made under `name`; `waiting` entries are there for it."""

    name: str
    waiting: int


async def create(client: Client, stream: str, stem: str, only: Filter, after: int) -> Made | None:
    """Make a consumer whose name begins with `stem`, for what comes after index `after`. None where
    there is no such stream.

    Raises `StreamUnavailable` where the server refuses, or does not answer.
    """

    async def once() -> Made | None:
        name = f"{stem}-{secrets.token_hex(6)}"
        waiting = await _create(client, stream, name, only, after)
        return None if waiting is None else Made(name, waiting)

    return await _patiently(client, f"a consumer of {stream} for {stem}", once)


async def replace(client: Client, stream: str, name: str, only: Filter, after: int) -> int | None:
    """Make the consumer of this name, in place of one that may be left over at another place; how
    many entries wait for it. None where there is no such stream. Raises as `create` does.

    Asked again for a while where it is there all the same: a server was seen to say that it had
    removed one, and to find it there at once after.
    """

    async def once() -> int | None:
        await _once(client, f"{API}.CONSUMER.DELETE.{stream}.{name}", b"")
        return await _create(client, stream, name, only, after)

    return await _patiently(client, f"the consumer {name} of {stream}", once, _GONE_S)


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


async def _create(client: Client, stream: str, name: str, only: Filter, after: int) -> int | None:
    """Ask once. Raises `ConsumerThere` where there is another of that name."""
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
    reply = await _once(client, subject, body)
    problem = reply.get("error")
    if isinstance(problem, dict):
        if problem.get("err_code") == _NO_STREAM:
            return None
        refused = ConsumerThere if problem.get("err_code") == _THERE else StreamUnavailable
        raise refused(f"{subject}: {problem.get('description')}")
    pending = reply.get("num_pending", 0)
    return pending if isinstance(pending, int) else 0


async def _request(client: Client, subject: str, body: bytes) -> dict[str, object]:
    async def once() -> dict[str, object]:
        return await _once(client, subject, body)

    return await _patiently(client, subject, once)


async def _patiently(
    client: Client,
    what: str,
    once: Callable[[], Coroutine[Any, Any, _Answer]],
    patience_s: float = 0.0,
) -> _Answer:
    """What `once` comes to. While the servers of a cluster settle who leads it is not answered, and
    done again; and anywhere for `patience_s`."""
    several = len(client.servers) > 1
    retrying = AsyncRetrying(
        retry=retry_if_exception_type((*_PASSING, ConsumerThere)),
        wait=wait_fixed(0.1),
        stop=stop_after_delay(_LEADER_S if several else patience_s),
        reraise=True,
    )
    try:
        return await retrying(once)
    except (*_PASSING, ConnectionClosedError) as error:
        raise StreamUnavailable(
            f"no answer on {what}",
            fix="check that the server is up and that this identity may read the stream",
        ) from error


async def _once(client: Client, subject: str, body: bytes) -> dict[str, object]:
    answer = await ask(client, subject, body, timeout_s=5)
    reply: dict[str, object] = json.loads(answer.data)
    return reply
