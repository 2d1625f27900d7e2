"""The floor of a gated action: its durable hops between its processes, and nothing in them.

`python -m bench.floor ROLE` is one of the processes; it reads its boot line from standard input.
Each run's runtime publishes and its judge answers, the sidecar answers one after the other, each
hop durable before the next; who else reads an installation's ledger reads here too. Unsigned
bytes as long as the real ones, the same bus, the same durability. Each body begins with the
time (ns) at which its action began.
"""

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import Final

import msgspec
import uvloop
from msgspec import Struct

from bench.house import Bus
from bus.client import Client
from bus.component import say_ready
from bus.connection import connect
from bus.consume import CaughtUp, Message, follow
from bus.eventloop import quiet_tls_close
from bus.identity import UserIdentity
from bus.lifeline import stdin_reader
from bus.roles import run_subject
from bus.tls import TlsFiles, client_context
from schemas.names import Role

_STAMP: Final = 8


class Shape(Struct, frozen=True):
    """The hops of one action. `sizes` are the bytes of each topic's message, in the hops' order:
    the runtime's, the judge's, and the sidecar's. The next action begins at the one on `goes_on`;
    `readers` follow the whole ledger and say nothing.
    """

    sizes: dict[str, int]
    goes_on: str
    readers: tuple[Role, ...] = ()


BARE: Final = Shape(dict.fromkeys(("proposal", "verdict", "action", "receipt"), 608), "receipt")
"""What was the floor at first: four hops between three processes."""


class Boot(Struct, frozen=True):
    """What one of the processes is given."""

    url: str
    tls: str
    jwt: str
    seed: str
    public: str
    run: str
    shape: Shape
    actions: int
    in_flight: int


@contextlib.asynccontextmanager
async def hops(
    bus: Bus, shape: Shape, *, runs: int, actions: int, in_flight: int = 1
) -> AsyncIterator[None]:
    """The processes of `runs` runs at work, each for `actions` actions."""
    started: list[asyncio.subprocess.Process] = []
    names = [f"run-{number}" for number in range(runs)]
    wanted = [(role, "all") for role in (*shape.readers, Role.SIDECAR)]
    wanted += [(role, name) for role in (Role.JUDGE, Role.RUNTIME) for name in names]
    try:
        for role, run in wanted:
            user = bus.user(role, run)
            boot = Boot(
                bus.server.url,
                str(bus.tls.folder),
                user.jwt,
                user.seed,
                user.public,
                run,
                shape,
                actions,
                in_flight,
            )
            started.append(await _start(role, boot))
        for process in started[-runs:]:
            assert process.stdin is not None
            process.stdin.write(b"go\n")
        yield
    finally:
        for process in started:
            if process.returncode is None:
                process.terminate()
            await process.wait()


async def _start(role: Role, boot: Boot) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bench.floor",
        role.value,
        cwd=Path(__file__).parents[1],
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(msgspec.json.encode(boot) + b"\n")
    assert await process.stdout.readline() == b"ready\n"
    return process


async def _serve(role: Role) -> None:
    reader = await stdin_reader()
    boot = msgspec.json.decode(await reader.readline(), type=Boot)
    identity = UserIdentity(boot.jwt, boot.seed, boot.public)
    context = client_context(TlsFiles(Path(boot.tls)))
    client = await connect(boot.url, identity, context, name=role.value)
    if role is Role.RUNTIME:
        await _lead(client, boot, reader)
    else:
        await _answer(client, boot, role)


async def _answer(client: Client, boot: Boot, role: Role) -> None:
    first, second, *others = boot.shape.sizes
    asked, answers = {
        Role.JUDGE: (first, [second]),
        Role.SIDECAR: (second, others),
    }.get(role, ("", []))
    tasks: set[asyncio.Task[None]] = set()

    async def one(message: Message) -> None:
        for topic in answers:
            await _put(client, boot, message.subject, topic, message.body[:_STAMP])

    async for message in _follow(client, boot, role):
        if isinstance(message, CaughtUp):
            say_ready()
        elif message.subject.endswith(f".{asked}"):
            task = asyncio.ensure_future(one(message))
            tasks.add(task)
            task.add_done_callback(tasks.discard)


async def _lead(client: Client, boot: Boot, reader: asyncio.StreamReader) -> None:
    left = boot.actions
    tasks: set[asyncio.Task[None]] = set()
    own = run_subject("floor", boot.run)
    first = next(iter(boot.shape.sizes))

    def propose() -> None:
        nonlocal left
        if left > 0:
            left -= 1
            now = time.time_ns().to_bytes(_STAMP, "big")
            task = asyncio.ensure_future(_put(client, boot, own, first, now))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    async for message in _follow(client, boot, Role.RUNTIME):
        if isinstance(message, CaughtUp):
            say_ready()
            await reader.readline()
            for _ in range(boot.in_flight):
                propose()
        elif message.subject.endswith(f".{boot.shape.goes_on}"):
            propose()


def _follow(client: Client, boot: Boot, role: Role) -> AsyncGenerator[Message | CaughtUp, None]:
    of_a_run = role in (Role.RUNTIME, Role.JUDGE)
    return follow(
        client,
        stream="LEDGER",
        filter_subject=run_subject("floor", boot.run) if of_a_run else None,
        consumer=boot.public if of_a_run else role.value,
        throwaway=not of_a_run,
    )


async def _put(client: Client, boot: Boot, near: str, topic: str, stamp: bytes) -> None:
    """Publish to `topic` of the run that the subject `near` is of."""
    subject = f"{near.rpartition('.')[0]}.{topic}"
    answer = await client.request(subject, stamp.ljust(boot.shape.sizes[topic], b"x"), timeout=30)
    assert "error" not in json.loads(answer.data), answer.data


if __name__ == "__main__":
    quiet_tls_close()
    uvloop.run(_serve(Role(sys.argv[1])))
