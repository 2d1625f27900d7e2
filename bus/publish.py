"""Publishing with pipelined acknowledgements: many messages on their way, each awaited.

A message counts as stored only when JetStream has acknowledged it as durable. A lost
acknowledgement is answered by sending the same bytes under the same message id again,
which the stream recognises. A lost fence race is told apart from every other failure.
"""

import asyncio
from typing import Final

import msgspec
from msgspec import Struct
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_exponential

from bus.asking import ask
from bus.client import Client, ConnectionClosedError, NatsTimeout, NoRespondersError
from bus.commands import Publish
from bus.errors import PublishRefused, StreamUnavailable

_WRONG_LAST_SEQUENCE: Final = (10071, 10164)
_WRONG_STREAM: Final = 10060
_NO_LEADER: Final = (10008, 10009)
_ACK_TIMEOUT_S: Final = 5.0


class _Problem(Struct, frozen=True):
    err_code: int = 0
    description: str = ""


class _Reply(Struct, frozen=True):
    """JetStream's answer to a publish (its JSON schema `io.nats.jetstream.api.v1.pub_ack`)."""

    seq: int = 0
    duplicate: bool = False
    error: _Problem | None = None


_REPLY: Final = msgspec.json.Decoder(_Reply)


class _NoLeader(Exception):
    """The servers of a cluster are choosing who leads the stream."""


_PASSING: Final = (NatsTimeout, NoRespondersError, _NoLeader)
"""What another attempt may get over."""


class Stored(Struct, frozen=True):
    """Durable at `index`. `duplicate` where the stream had this message id already."""

    index: int
    duplicate: bool


class Conflict(Struct, frozen=True):
    """The fence's last sequence is `last`, not the one expected."""

    last: int


class Turned(Struct, frozen=True):
    """The subject is taken by another stream than the one asked for: the ledger's epoch has turned.
    Nothing was stored there; an earlier attempt of this message may have been, in the old one.
    """


async def publish(
    client: Client, message: Publish, *, stream: str | None = None, patience_s: float = 30.0
) -> Stored | Conflict | Turned:
    """Store one message, in `stream` where one is named, and wait until it is durable.

    Raises `PublishRefused` where the server says no (permission, full disk, size), and
    `StreamUnavailable` where no answer came within `patience_s`.
    """
    headers = {"Nats-Msg-Id": message.message_id}
    if stream is not None:
        headers["Nats-Expected-Stream"] = stream
    if message.fence is not None:
        headers["Nats-Expected-Last-Subject-Sequence"] = str(message.fence[1])
        headers["Nats-Expected-Last-Subject-Sequence-Subject"] = message.fence[0]
    began = asyncio.get_running_loop().time()
    try:
        try:
            reply = await _once(client, message, headers)
        except _PASSING:
            left = patience_s - (asyncio.get_running_loop().time() - began)
            reply = await _again(client, message, headers, left)
    except (*_PASSING, ConnectionClosedError) as error:
        raise StreamUnavailable(
            f"no acknowledgement for {message.subject} within {patience_s:.0f} s",
            fix="check that the bus is up and that this identity may publish there",
        ) from error
    return _read(reply, message)


async def _once(client: Client, message: Publish, headers: dict[str, str]) -> _Reply:
    answer = await ask(
        client, message.subject, message.body, timeout_s=_ACK_TIMEOUT_S, headers=headers
    )
    reply = _REPLY.decode(answer.data)
    if reply.error is not None and reply.error.err_code in _NO_LEADER:
        raise _NoLeader
    return reply


async def _again(
    client: Client, message: Publish, headers: dict[str, str], patience_s: float
) -> _Reply:
    """The same until it is answered, or patience ends. Few messages come here, and the others go
    without what it costs to set this up.
    """
    retrying = AsyncRetrying(
        retry=retry_if_exception_type(_PASSING),
        wait=wait_exponential(multiplier=0.05, max=2.0),
        stop=stop_after_delay(patience_s),
        reraise=True,
    )
    async for attempt in retrying:
        with attempt:
            reply = await _once(client, message, headers)
    return reply


def _read(reply: _Reply, message: Publish) -> Stored | Conflict | Turned:
    problem = reply.error
    if problem is None:
        return Stored(reply.seq, reply.duplicate)
    if problem.err_code in _WRONG_LAST_SEQUENCE:
        digits = problem.description.rpartition(":")[2].strip()
        return Conflict(int(digits) if digits.isdigit() else 0)
    if problem.err_code == _WRONG_STREAM:
        return Turned()
    raise PublishRefused(
        f"the stream refused {message.subject}: {problem.description}",
        fix="nothing was recorded, so nothing was done; mend the cause and start again",
    )
