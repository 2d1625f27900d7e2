"""Events posted to a receiver by the webhooks' own process, beside a bare HTTP client's loop.

Ours is the whole way on a real installation: events come into the ledger faster than they are
posted, are read, verified, signed, posted in order, and noted in the database. The floor posts
the same bytes to the same receiver, one after the other, with the same client and nothing else.
"""

import argparse
import asyncio
import contextlib
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import uvloop
from msgspec import Struct

from bench.house import SETTINGS
from bench.publish import IN_FLIGHT
from bus.commands import Publish
from bus.eventloop import quiet_tls_close
from bus.folder import DataFolder
from bus.publish import Stored, publish
from console.session import Session, session
from console.supervisor import Supervisor
from crypto.eventids import new_event_id
from crypto.keyfile import read_key
from crypto.signing import pae
from projections.webhooks.administration import add_endpoint
from projections.webhooks.endpoint import TlsChoice
from projections.webhooks.filters import Filter
from projections.webhooks.payload import Placed, payload_of
from projections.webhooks.progress import Place
from projections.webhooks.signature import headers_of
from projections.webhooks.store import Store
from schemas.authority import subject_of
from schemas.envelope import PAYLOAD_TYPE, Envelope, encode_envelope
from schemas.events import Actor, Event, encode_event, event_digest
from schemas.names import NO_DIGEST, Classification, Role
from schemas.runs import HaltReleased, HaltScope
from schemas.settings import WebhookSettings

_WEBHOOKS = '\n[webhooks]\nprivate = ["127.0.0.1"]\n'


def measure(options: argparse.Namespace) -> dict[str, float]:
    """`per_s`, `floor_per_s`, `ratio`: messages a second to one endpoint."""
    quiet_tls_close()
    return uvloop.run(_measure(options.events))


class Receiver(Struct, frozen=True):
    """The receiver's process."""

    process: asyncio.subprocess.Process
    port: int

    async def rate_of(self, messages: int) -> float:
        """How many a second the next so many messages came at, once they are there."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(f"{messages}\n".encode())
        return (messages - 1) / float(await self.process.stdout.readline())


async def _measure(events: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="anyteam-bench-") as home:
        folder = DataFolder(Path(home))
        (folder.root / "files").mkdir()
        folder.settings_file.write_text(SETTINGS.format(max_actions=200) + _WEBHOOKS)
        components = {"webhooks": ("projections.webhooks",)}
        supervisor = Supervisor(folder, lambda text: None, components=components)
        async with _receiver() as receiver:
            try:
                await supervisor.up()
                async with session(folder.root, Role.ADMIN, content=False) as opened:
                    floor = await _floor(receiver, events)
                    await _begun(folder, receiver.port)
                    posted = asyncio.ensure_future(receiver.rate_of(events))
                    await _put(opened, events)
                    ours = await posted
            finally:
                await supervisor.down()
    return {"per_s": ours, "floor_per_s": floor, "ratio": ours / floor}


async def _floor(receiver: Receiver, events: int) -> float:
    """The same bytes, posted by a bare client."""
    event = _event(Actor(Role.ADMIN, "ada"), 0, NO_DIGEST)
    digest = event_digest(encode_event(event))
    placed = Placed(1_000, digest, digest, digest, event)
    body = payload_of(placed, event, Place(999, digest), Filter())
    headers = headers_of(f"evt_{digest.hex()}", 1_800_000_000, body, [digest])
    headers["content-type"] = "application/json"
    url = f"http://127.0.0.1:{receiver.port}/hook"
    async with httpx.AsyncClient(trust_env=False) as client:
        for number in range(events + events // 10):
            if number == events // 10:
                await receiver.rate_of(number)
                measured = asyncio.ensure_future(receiver.rate_of(events))
            (await client.post(url, content=body, headers=headers)).raise_for_status()
        return await measured


async def _begun(folder: DataFolder, port: int) -> None:
    """Have an endpoint added, and seen by the component."""
    store = Store(folder.webhook_file, folder.settings().workspace)
    try:
        add_endpoint(
            store,
            read_key(folder.webhook_key_file),
            folder.settings().workspace,
            WebhookSettings(private=("127.0.0.1",)),
            name="bench",
            url=f"http://127.0.0.1:{port}/hook",
            chosen=Filter(),
            tls=TlsChoice(),
            start=None,
            secret="",
            now=time.time_ns(),
        )
        while store.get("bench").progress.after is None:
            await asyncio.sleep(0.05)
    finally:
        store.close()


async def _put(opened: Session, events: int) -> None:
    """So many events of the admin's into the ledger, as fast as it takes them."""
    pen = opened.pen(Role.ADMIN, None)
    head = opened.reader.trust.head(pen.key_id, None)
    n, prev = (head.n + 1, head.digest) if head is not None else (0, NO_DIGEST)
    room = asyncio.Semaphore(IN_FLIGHT)

    async def put(message: Publish) -> None:
        async with room:
            assert isinstance(await publish(opened.client, message), Stored)

    messages = []
    for number in range(events):
        event = _event(pen.actor, n + number, prev)
        payload = encode_event(event)
        prev = event_digest(payload)
        body = encode_envelope(Envelope(payload, pen.key_id, pen.sign(pae(PAYLOAD_TYPE, payload))))
        messages.append(Publish(event.id, event.id, subject_of(event), body, None))
    await asyncio.gather(*(put(message) for message in messages))


@contextlib.asynccontextmanager
async def _receiver() -> AsyncIterator[Receiver]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.receiver"),
        cwd=Path(__file__).parents[1],
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        yield Receiver(process, int(await process.stdout.readline()))
    finally:
        process.stdin.close()
        await process.wait()


def _event(actor: Actor, n: int, prev: bytes) -> Event:
    now = time.time_ns()
    return Event(
        id=new_event_id(now),
        workspace="acme",
        run=None,
        actor=actor,
        n=n,
        prev=prev,
        causes=(),
        seen=0,
        at=now,
        classification=Classification.INTERNAL,
        body=HaltReleased(scope=HaltScope.RUN, target="r-1", reason="x" * 300),
    )
