"""Three real servers as one bus: each is killed in turn as somebody writes, and nothing is lost."""

import asyncio
import contextlib
import os
import re
import signal
import ssl
import time
from collections.abc import AsyncIterator
from pathlib import Path

from bus.client import Client
from bus.cluster import Cluster
from bus.commands import Publish
from bus.connection import connect, disconnect
from bus.consume import CaughtUp, follow
from bus.provision import Site, Workspace, ensure_operator, provision_workspace, query
from bus.publish import Stored, publish
from bus.server import HOST
from bus.tls import client_context, ensure_route_tls, ensure_tls
from schemas.names import Role

DEADLINE_S = 90.0


@contextlib.asynccontextmanager
async def clustered(home: Path) -> AsyncIterator[tuple[Cluster, Site, Workspace]]:
    tls = ensure_tls(home / "tls")
    cluster = await Cluster.start(
        home / "nats",
        size=3,
        trust=ensure_operator(home / "operator"),
        tls=tls,
        routes=ensure_route_tls(home / "tls"),
    )
    try:
        site = Site(home / "operator", cluster.url, client_context(tls), replicas=3)
        yield cluster, site, await provision_workspace(site, "acme")
    finally:
        await cluster.stop()


async def joined(site: Site, acme: Workspace, role: Role) -> Client:
    now = int(time.time())
    user = acme.mint(role, role.value, now=now, expires=now + 600)
    return await connect(site.url, user, site.tls, name=role.value)


async def test_what_a_cluster_acknowledged_outlives_each_of_its_servers(tmp_path: Path) -> None:
    told: list[tuple[int, bytes]] = []
    over = asyncio.Event()

    async def write(client: Client) -> None:
        while not over.is_set():
            body = f"entry {len(told)}".encode()
            name = f"message-{len(told)}"
            stored = await publish(client, Publish(name, name, "ws.acme.admin.halt", body, None))
            assert isinstance(stored, Stored)
            told.append((stored.index, body))

    async with asyncio.timeout(DEADLINE_S), clustered(tmp_path) as (cluster, site, acme):
        writer = await joined(site, acme, Role.ADMIN)
        writing = asyncio.ensure_future(write(writer))
        leader = await leading(writer)
        for name in sorted(("anyteam-1", "anyteam-2", "anyteam-3"), key=lambda one: one != leader):
            number = int(name.rpartition("-")[2]) - 1
            before, written = cluster.members[number], len(told)
            os.kill(before.pid, signal.SIGKILL)
            while cluster.members[number] is before or len(told) < written + 20:
                await asyncio.wait({writing}, timeout=0.05)
                assert not writing.done()
        over.set()
        await writing
        reader = await joined(site, acme, Role.REP)
        kept = await whole(reader)
        await disconnect(writer)
        await disconnect(reader)
    assert [kept[index] for index, _ in told] == [body for _, body in told]
    assert [index for index, _ in told] == sorted({index for index, _ in told})
    assert sorted(kept) == list(range(1, len(kept) + 1))
    assert sorted(kept.values()) == sorted(body for _, body in told)


async def leading(client: Client) -> str:
    answer = await query(client, "$JS.ledger.API.STREAM.INFO.LEDGER")
    assert answer["config"]["num_replicas"] == 3
    return str(answer["cluster"]["leader"])


async def whole(client: Client) -> dict[int, bytes]:
    kept: dict[int, bytes] = {}
    stream = follow(client, stream="LEDGER", filter_subject=None, consumer="rep", throwaway=True)
    async with contextlib.aclosing(stream) as messages:
        async for message in messages:
            if isinstance(message, CaughtUp):
                break
            kept[message.index] = message.body
    return kept


async def test_no_client_has_a_certificate_that_a_route_takes(tmp_path: Path) -> None:
    tls = tmp_path / "tls"
    async with asyncio.timeout(DEADLINE_S), clustered(tmp_path):
        config = (tmp_path / "nats" / "anyteam-1" / "server.conf").read_text()
        found = re.search(r'listen: "127\.0\.0\.1:([0-9]+)"', config)
        assert found is not None
        for name in ("client", "runs", "server"):
            assert await spoken(int(found[1]), tls, name) == b""
        assert (await spoken(int(found[1]), tls, "route")).startswith(b"INFO")


async def spoken(port: int, tls: Path, name: str) -> bytes:
    """What a route says to somebody with this certificate; nothing to whom it does not believe."""
    context = ssl.create_default_context(cafile=str(tls / "route-ca.crt"))
    context.load_cert_chain(tls / f"{name}.crt", tls / f"{name}.key")
    try:
        reader, writer = await asyncio.open_connection(HOST, port, ssl=context)
    except OSError:
        return b""
    try:
        return await reader.readline()
    except OSError:
        return b""
    finally:
        writer.close()
