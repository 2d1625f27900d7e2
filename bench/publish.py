"""Events signed and published durably, beside bare publishes of the same bytes."""

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable

import uvloop

from bench.house import bare_bus
from bus.commands import Publish
from bus.connection import connect
from bus.eventloop import quiet_tls_close
from bus.publish import Stored, publish
from bus.tls import client_context
from crypto.eventids import new_event_id
from crypto.signing import Signer
from schemas.authority import subject_of
from schemas.envelope import encode_envelope
from schemas.events import Actor, Event, encode_event, event_digest
from schemas.names import NO_DIGEST, Classification, Role
from schemas.runs import HaltReleased, HaltScope

IN_FLIGHT = 256


def measure(options: argparse.Namespace) -> dict[str, float]:
    """`per_s`, `floor_per_s`, `ratio`."""
    quiet_tls_close()
    return measured(options.events)


def measured(events: int, in_flight: int = IN_FLIGHT) -> dict[str, float]:
    """`measure` with so many on their way at once."""
    return uvloop.run(_measure(events, in_flight))


async def _measure(events: int, in_flight: int) -> dict[str, float]:
    async with bare_bus() as bus:
        client = await connect(
            bus.server.url,
            bus.user(Role.ADMIN, "admin"),
            client_context(bus.tls),
            name="bench",
        )
        signer, head = Signer.generate(), NO_DIGEST
        sample = _event(0, head, "x")

        async def bare(number: int) -> None:
            await client.request(subject_of(sample), body, timeout=30)

        numbers = iter(range(events))

        async def signed(number: int) -> None:
            nonlocal head
            event = _event(next(numbers), head, "x")
            payload = encode_event(event)
            head = event_digest(payload)
            sent = encode_envelope(signer.envelope(payload))
            message = Publish(event.id, event.id, subject_of(event), sent, None)
            assert isinstance(await publish(client, message), Stored)

        body = encode_envelope(signer.envelope(encode_event(sample)))
        try:
            await _rate(bare, events // 10, in_flight)
            floor = await _rate(bare, events, in_flight)
            ours = await _rate(signed, events, in_flight)
        finally:
            await client.close()
    return {"per_s": ours, "floor_per_s": floor, "ratio": ours / floor}


async def _rate(act: Callable[[int], Awaitable[None]], times: int, in_flight: int) -> float:
    """`act` done `times` times with `in_flight` under way, per second."""
    room = asyncio.Semaphore(in_flight)

    async def one(number: int) -> None:
        async with room:
            await act(number)

    started = time.perf_counter()
    await asyncio.gather(*(one(number) for number in range(times)))
    return times / (time.perf_counter() - started)


def _event(n: int, prev: bytes, reason: str) -> Event:
    now = time.time_ns()
    return Event(
        id=new_event_id(now),
        workspace="floor",
        run=None,
        actor=Actor(Role.ADMIN, "bench"),
        n=n,
        prev=prev,
        causes=(),
        seen=0,
        at=now,
        classification=Classification.INTERNAL,
        body=HaltReleased(scope=HaltScope.RUN, target="r", reason=reason * 300),
    )
