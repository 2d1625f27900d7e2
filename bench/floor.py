"""The floor of a gated action: its four durable hops between three processes, nothing in them.

`python -m bench.floor ROLE` is one of the three; it reads its boot line from standard input.
Runtime publishes, judge answers, sidecar answers twice, each hop durable before the next;
the runtime sees the last. Unsigned bytes, the same bus, the same durability.
"""

import asyncio
import json
import sys
import time
from pathlib import Path

import msgspec
import uvloop
from msgspec import Struct

from bench.house import Bus
from bus.client import Client
from bus.component import say_ready
from bus.connection import connect
from bus.consume import CaughtUp, follow
from bus.eventloop import quiet_tls_close
from bus.identity import UserIdentity
from bus.lifeline import stdin_reader
from bus.roles import run_subject
from bus.tls import TlsFiles, client_context
from schemas.names import Role

RUN = "floor-run"
BODY = b"x" * 600


class Boot(Struct, frozen=True):
    """What one of the three processes is given."""

    url: str
    tls: str
    jwt: str
    seed: str
    public: str
    actions: int
    in_flight: int


async def hops(bus: Bus, actions: int, in_flight: int) -> tuple[list[float], float]:
    """(latency of each action in ms, actions a second)."""
    processes = []
    try:
        for role in (Role.JUDGE, Role.SIDECAR, Role.RUNTIME):
            user = bus.user(role, RUN)
            boot = Boot(
                bus.server.url,
                str(bus.tls.folder),
                user.jwt,
                user.seed,
                user.public,
                actions,
                in_flight,
            )
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "bench.floor",
                role.value,
                cwd=Path(__file__).parents[1],
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
            )
            processes.append(process)
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(msgspec.json.encode(boot) + b"\n")
            assert await process.stdout.readline() == b"ready\n"
        assert processes[-1].stdout is not None
        answer = json.loads(await processes[-1].stdout.readline())
        return answer["latencies"], answer["per_s"]
    finally:
        for process in processes:
            if process.returncode is None:
                process.terminate()
            await process.wait()


async def _serve(role: Role) -> None:
    boot = msgspec.json.decode(await (await stdin_reader()).readline(), type=Boot)
    identity = UserIdentity(boot.jwt, boot.seed, boot.public)
    context = client_context(TlsFiles(Path(boot.tls)))
    client = await connect(boot.url, identity, context, name=role.value)
    if role is Role.RUNTIME:
        await _lead(client, boot)
    else:
        await _answer(client, boot, role)


async def _answer(client: Client, boot: Boot, role: Role) -> None:
    asked, answers = ("proposal", ("verdict",))
    if role is Role.SIDECAR:
        asked, answers = ("verdict", ("action", "receipt"))
    tasks: set[asyncio.Task[None]] = set()

    async def one(body: bytes) -> None:
        for topic in answers:
            await _put(client, topic, body)

    async for message in _follow(client, boot, role):
        if isinstance(message, CaughtUp):
            say_ready()
        elif message.subject.endswith(f".{asked}"):
            task = asyncio.ensure_future(one(message.body))
            tasks.add(task)
            task.add_done_callback(tasks.discard)


async def _lead(client: Client, boot: Boot) -> None:
    sent: dict[bytes, float] = {}
    latencies: list[float] = []
    number = 0

    async def propose() -> None:
        nonlocal number
        body = number.to_bytes(8, "big") + BODY
        number += 1
        sent[body[:8]] = time.perf_counter()
        await _put(client, "proposal", body)

    started = 0.0
    tasks: set[asyncio.Task[None]] = set()
    async for message in _follow(client, boot, Role.RUNTIME):
        if isinstance(message, CaughtUp):
            say_ready()
            started = time.perf_counter()
            tasks = {asyncio.ensure_future(propose()) for _ in range(boot.in_flight)}
        elif message.subject.endswith(".receipt"):
            latencies.append((time.perf_counter() - sent.pop(message.body[:8])) * 1_000)
            if len(latencies) == boot.actions:
                break
            if number < boot.actions:
                tasks.add(asyncio.ensure_future(propose()))
    per_s = boot.actions / (time.perf_counter() - started)
    await asyncio.gather(*tasks)
    print(json.dumps({"latencies": latencies, "per_s": per_s}), flush=True)


def _follow(client: Client, boot: Boot, role: Role):  # type: ignore[no-untyped-def]
    whole = role is Role.SIDECAR
    return follow(
        client,
        stream="LEDGER",
        filter_subject=None if whole else run_subject("floor", RUN),
        consumer="bench" if whole else boot.public,
        throwaway=whole,
    )


async def _put(client: Client, topic: str, body: bytes) -> None:
    answer = await client.request(f"ws.floor.run.{RUN}.{topic}", body, timeout=30)
    assert "error" not in json.loads(answer.data), answer.data


if __name__ == "__main__":
    quiet_tls_close()
    uvloop.run(_serve(Role(sys.argv[1])))
