"""A real server for process tests: one a session, with the workspace `acme` on it.

`bus` is the installation, `mint` makes a user of any role, `join` connects one and closes
it after the test. Nothing here sleeps: a test waits on what the server says, to a deadline.
"""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
import pytest_asyncio
from msgspec import Struct

from bus.client import Client
from bus.connection import connect
from bus.errors import BusError, ConnectionRefused, PermissionDenied
from bus.identity import UserIdentity
from bus.provision import Site, Workspace, ensure_operator, provision_workspace
from bus.server import Server
from bus.tls import TlsFiles, client_context, ensure_tls
from schemas.names import Role

DEADLINE_S: Final = 15.0
PATIENCE_S: Final = 3.0
"""How long to wait for a refusal before taking it that the server permits."""


class Bus(Struct, frozen=True):
    """A running installation: data folder, server, and the workspace `acme`."""

    home: Path
    server: Server
    tls: TlsFiles
    context: ssl.SSLContext
    site: Site
    acme: Workspace


class Member:
    """A connected user, with what the server told it."""

    def __init__(self, identity: UserIdentity) -> None:
        self.identity = identity
        self.problems: asyncio.Queue[BusError] = asyncio.Queue()
        self.client: Client

    async def ask(self, subject: str, body: bytes = b"", **headers: str) -> dict[str, Any]:
        """The server's JSON answer."""
        reply = await self.client.request(
            subject, body, timeout=DEADLINE_S, headers=headers or None
        )
        return msgspec.json.decode(reply.data, type=dict[str, Any])

    async def problem(self) -> BusError:
        """The next thing that went wrong."""
        async with asyncio.timeout(PATIENCE_S):
            return await self.problems.get()

    async def end(self) -> ConnectionRefused:
        """The server's word that this identity is over, whatever it said before."""
        async with asyncio.timeout(DEADLINE_S):
            while not isinstance(problem := await self.problems.get(), ConnectionRefused):
                pass
        return problem

    async def assert_cannot_publish(self, subject: str, body: bytes = b"{}") -> None:
        """The server says that this user may not publish on `subject`."""
        await self.client.publish(subject, body)
        await self._assert_denied(f'publish to "{subject}"')

    async def assert_cannot_subscribe(self, subject: str) -> None:
        """The server says that this user may not subscribe to `subject`."""
        await self.client.subscribe(subject)
        await self._assert_denied(f'subscription to "{subject}"')

    async def _assert_denied(self, deed: str) -> None:
        try:
            problem = await self.problem()
        except TimeoutError:
            pytest.fail(f"the server permitted {deed}")
        assert isinstance(problem, PermissionDenied)
        assert deed.lower() in problem.what.lower()


Mint = Callable[..., UserIdentity]
Join = Callable[..., Awaitable[Member]]


async def start_bus(home: Path, **options: Any) -> Bus:
    """An installation in `home`, made where missing, with its server running."""
    tls = ensure_tls(home / "tls")
    trust = ensure_operator(home / "operator")
    server = await Server.start(home / "nats", trust=trust, tls=tls, **options)
    try:
        context = client_context(tls)
        site = Site(home / "operator", server.url, context)
        acme = await provision_workspace(site, "acme", identities=home / "identities")
    except BaseException:
        await server.stop()
        raise
    return Bus(home, server, tls, context, site, acme)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def bus(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bus]:
    """One installation for all tests that do not harm it."""
    running = await start_bus(tmp_path_factory.mktemp("home"))
    yield running
    await running.server.stop()


@pytest.fixture(scope="session")
def mint(bus: Bus) -> Mint:
    """`mint(role, name, ttl_s=600, workspace=None)`: a new user."""

    def make(
        role: Role, name: str, *, ttl_s: int = 600, workspace: Workspace | None = None
    ) -> UserIdentity:
        now = int(time.time())
        return (workspace or bus.acme).mint(role, name, now=now, expires=now + ttl_s)

    return make


@pytest_asyncio.fixture(loop_scope="session")
async def join(bus: Bus, mint: Mint) -> AsyncIterator[Join]:
    """`await join(role, name, ...)`: a user as `mint` makes it, connected."""
    members: list[Member] = []

    async def enter(role: Role, name: str | None = None, **options: Any) -> Member:
        member = Member(mint(role, name or role.value, **options))
        member.client = await connect(
            bus.server.url,
            member.identity,
            bus.context,
            name=f"{role.value} under test",
            on_problem=member.problems.put_nowait,
        )
        members.append(member)
        return member

    yield enter
    for member in members:
        await member.client.close()
