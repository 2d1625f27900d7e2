"""Several nats-servers as one bus: each holds all of the ledger, and a majority goes on without the
rest.

They find one another by routes over TLS, under an authority of their own. A server that ends is
started again on its data, at its ports, so that what the components were told stays true.
Source: NATS documentation, "Clustering" and "JetStream clustering".
"""

import asyncio
import contextlib
import json
import logging
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, Self

from bus.errors import ServerError
from bus.server import HOST, Server, Trust
from bus.tls import RouteTls, TlsFiles

PAUSE_S: Final = 0.2
LONGEST_PAUSE_S: Final = 5.0

_LOG = logging.getLogger("anyteam.bus")


class Cluster:
    """A running cluster. `url` lists where clients connect, with commas between."""

    def __init__(self, start: "_Start", members: list[Server]) -> None:
        self.members = members
        self._start = start
        self._failing: set[int] = set()
        self._minders = [
            asyncio.ensure_future(self._mind(number)) for number in range(len(members))
        ]
        self._lost: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    @property
    def url(self) -> str:
        """`tls://127.0.0.1:<port>,tls://127.0.0.1:<port>,...`."""
        return ",".join(member.url for member in self.members)

    @classmethod
    async def start(
        cls,
        folder: Path,
        *,
        size: int,
        trust: Trust,
        tls: TlsFiles,
        routes: RouteTls,
        sync_interval: str = "always",
    ) -> Self:
        """Start `size` servers on the data in `folder`, one below it for each.

        They answer; who leads may still be open. Raises what `Server.start` raises.
        """

        ports = _free_ports(size)

        async def start(number: int, before: Server | None) -> Server:
            name = f"anyteam-{number + 1}"
            return await Server.start(
                folder / name,
                trust=trust,
                tls=tls,
                port=before.port if before is not None else None,
                sync_interval=sync_interval,
                config_extra=_config(routes, ports, number),
                name=name,
            )

        starts = [asyncio.ensure_future(start(number, None)) for number in range(size)]
        try:
            return cls(start, await asyncio.gather(*starts))
        except BaseException:
            for one in starts:
                one.cancel()
            ends = await asyncio.gather(*starts, return_exceptions=True)
            await asyncio.gather(*(one.stop() for one in ends if isinstance(one, Server)))
            raise

    async def stop(self) -> None:
        """End every server. Raises `StopFailed`."""
        for minder in self._minders:
            minder.cancel()
        await asyncio.gather(*self._minders, return_exceptions=True)
        await asyncio.gather(*(member.stop() for member in self.members))

    async def ended(self) -> int:
        """Wait until most of the servers cannot be started again; the exit code of one of them."""
        return await asyncio.shield(self._lost)

    async def _mind(self, number: int) -> None:
        """Start one member again whenever it ends."""
        pause = PAUSE_S
        while True:
            member = self.members[number]
            code = await member.ended()
            _LOG.warning("nats-server anyteam-%d ended (exit code %d)", number + 1, code)
            await member.stop()
            await asyncio.sleep(pause)
            try:
                self.members[number] = await self._start(number, member)
                pause = PAUSE_S
                self._failing.discard(number)
            except ServerError as error:
                _LOG.error("nats-server anyteam-%d: %s", number + 1, error)
                pause = min(2 * pause, LONGEST_PAUSE_S)
                if pause == LONGEST_PAUSE_S:
                    self._failing.add(number)
                if 2 * len(self._failing) > len(self.members) and not self._lost.done():
                    self._lost.set_result(code)


def members_in(folder: Path) -> list[Path]:
    """The folders of the servers that a cluster has had in `folder`."""
    return sorted(folder.glob("anyteam-*"))


_Start = Callable[[int, Server | None], Awaitable[Server]]
"""Starts the member of this number, at the port of the one it follows."""


def _free_ports(count: int) -> list[int]:
    """Ports that nobody has now: every server must be told of the others' before it starts."""
    with contextlib.ExitStack() as held:
        found = [held.enter_context(socket.create_server((HOST, 0))) for _ in range(count)]
        return [int(one.getsockname()[1]) for one in found]


def _config(tls: RouteTls, ports: list[int], own: int) -> str:
    certificate, key = tls.pair
    quote = json.dumps
    others = [port for number, port in enumerate(ports) if number != own]
    routes = ", ".join(quote(f"nats-route://{HOST}:{other}") for other in others)
    return f"""\
cluster: {{
  name: anyteam
  listen: "{HOST}:{ports[own]}"
  routes: [{routes}]
  no_advertise: true
  tls: {{
    cert_file: {quote(str(certificate))}
    key_file: {quote(str(key))}
    ca_file: {quote(str(tls.ca))}
    verify: true
    min_version: "1.2"
    timeout: 5
  }}
}}
"""
