"""An installation in parts, each behind a link of its own: what the faults are done to.

Every component is a process that is started again whenever it ends, or does not come up in the time
that `console.supervisor` gives it, and reaches the bus through a proxy of its own: its data folder
is a view of the installation's, in which only the bus's address differs. The bus itself is a real
nats-server.
"""

import asyncio
import contextlib
import json
import os
import signal
import time
from collections.abc import AsyncIterator, Mapping
from typing import Final

from bus.cluster import Cluster
from bus.component import READING
from bus.errors import BusError
from bus.folder import DataFolder
from bus.server import Server
from console.epochs import recover
from console.installation import ensure_keys, settle, start_bus
from console.supervisor import COMPONENTS, READY_S, command_of
from crypto.kms import open_kms
from tests.faults.installation import below
from tests.faults.proxy import FAIR, Link

PAUSE_S: Final = 0.3
"""Before a component that has ended is started again."""

UP_S: Final = 60.0
PEOPLE: Final = ("clients", "reader")
"""Links of those who are no component: who says things, and who reads all the while."""

_RUN_MODULES: Final = {"runtime": ("agents", "runtime"), "judge": ("judge",)}


class Part:
    """One component: its process, whichever incarnation that is now. `starts` counts them, `slow`
    those that were killed since they did not come up."""

    def __init__(self, name: str, view: DataFolder, environ: Mapping[str, str]) -> None:
        self.name, self.view = name, view
        self.starts = 0
        self.slow = 0
        self.pid = 0
        self._since = 0.0
        self.ready = asyncio.Event()
        self._environ = dict(environ)
        self._keeper: asyncio.Task[None] | None = None
        self._process: asyncio.subprocess.Process | None = None

    def keep(self) -> None:
        """Start it, and from now on start it again whenever it ends."""
        self._keeper = asyncio.ensure_future(self._keep())

    async def up(self) -> None:
        """Wait until this incarnation, or the next, decides. Raises `TimeoutError`, and what keeps
        it from being started at all."""
        assert self._keeper is not None
        ready = asyncio.ensure_future(self.ready.wait())
        try:
            async with asyncio.timeout(UP_S):
                await asyncio.wait({ready, self._keeper}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ready.cancel()
        if self._keeper.done():
            self._keeper.result()

    def standing(self) -> str:
        """How it is, in a line: for whoever must find out why nothing goes on."""
        log = self.view.log(self.name)
        said = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
        up = "decides" if self.ready.is_set() else "does not decide"
        age = time.monotonic() - self._since
        last = said[-1] if said else "nothing"
        return f"{self.name} {up}, started {self.starts} times, {age:.0f} s ago, and said: {last}"

    def signal(self, number: signal.Signals) -> int:
        """Send its process a signal; 1 where there was one to take it."""
        if not self.pid:
            return 0
        try:
            os.kill(self.pid, number)
        except ProcessLookupError:
            return 0
        return 1

    async def down(self) -> None:
        """End it for good."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        if self._process is not None and self._process.returncode is None:
            self.signal(signal.SIGCONT)
            self.signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(20):
                    await self._process.wait()
            except TimeoutError:
                self._process.kill()
                await self._process.wait()

    async def _keep(self) -> None:
        log = self.view.log(self.name)
        while True:
            with os.fdopen(
                os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab"
            ) as out:
                process = await asyncio.create_subprocess_exec(
                    *command_of(COMPONENTS[self.name], self.view),
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=out,
                    env=self._environ,
                    start_new_session=True,
                )
            self._process, self.pid = process, process.pid
            self.starts += 1
            self._since = time.monotonic()
            if await self._decides(process):
                self.ready.set()
            await process.wait()
            self.ready.clear()
            self.pid = 0
            await asyncio.sleep(PAUSE_S)

    async def _decides(self, process: asyncio.subprocess.Process) -> bool:
        """Wait until it says that it decides. One that neither does nor reads on is killed."""
        assert process.stdout is not None
        line = READING
        try:
            while line.startswith(READING):
                async with asyncio.timeout(READY_S):
                    line = await process.stdout.readline()
        except TimeoutError:
            self.slow += 1
            process.kill()
        return line == b"ready\n"


class Stand:
    """The whole: bus, links, parts. Made by `standing`."""

    def __init__(self, folder: DataFolder) -> None:
        self.folder = folder
        self.links: dict[str, Link] = {}
        self.parts: dict[str, Part] = {}
        self.views: dict[str, DataFolder] = {}
        self.bus: Server | Cluster | None = None

    def servers(self) -> list[Server]:
        """The nats-servers there are, each whichever incarnation is up."""
        if self.bus is None:
            return []
        return [self.bus] if isinstance(self.bus, Server) else list(self.bus.members)

    async def bus_up(self) -> None:
        """Start the bus, and lead every link to it. Raises `BusError`."""
        self.bus, site = await start_bus(self.folder, self.folder.settings())
        self.folder.bus_file.write_text(json.dumps({"url": site.url}))
        for link in self.links.values():
            link.lead(site.url)

    async def bus_down(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End a bus of one server: asked, or by SIGKILL."""
        assert isinstance(self.bus, Server)
        if number is signal.SIGKILL:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.bus.pid, signal.SIGKILL)
            await self.bus.ended()
        await self.bus.stop()

    def runs(self, victim: str) -> list[int]:
        """The processes of runs that are of this kind, `runtime` or `judge`."""
        parent = self.parts["orchestrator"].pid
        children = below(parent) if parent else []
        return [child.pid for child in children if child.argv[3:] == _RUN_MODULES[victim]]

    def heal(self) -> None:
        """Let everything through."""
        for link in self.links.values():
            link.turn(FAIR)

    async def start(self, environ: Mapping[str, Mapping[str, str]]) -> None:
        """Everything, from keys on; return once all decide."""
        settings = self.folder.settings()
        (self.folder.root / "run").mkdir(exist_ok=True)
        with open_kms(settings.kms, self.folder.kms, None) as kms:
            ensure_keys(self.folder, settings, kms)
            self.bus, site = await start_bus(self.folder, settings)
            self.folder.bus_file.write_text(json.dumps({"url": site.url}))
            await recover(self.folder, site, kms)
            await settle(self.folder, settings, kms)
        for name in (*COMPONENTS, *PEOPLE):
            link = self.links[name] = Link(settings.bus.servers)
            link.lead(site.url)
            await link.start()
            self.views[name] = self._view(name, link.url)
        for name in COMPONENTS:
            part = self.parts[name] = Part(name, self.views[name], environ.get(name, {}))
            part.keep()
        await asyncio.gather(*(part.up() for part in self.parts.values()))

    async def stop(self) -> None:
        """End everything that `start` started."""
        self.heal()
        await asyncio.gather(*(part.down() for part in self.parts.values()))
        for link in self.links.values():
            await link.stop()
        for server in self.servers():
            with contextlib.suppress(ProcessLookupError):
                os.kill(server.pid, signal.SIGCONT)
        if self.bus is not None:
            await self.bus.stop()

    def _view(self, name: str, url: str) -> DataFolder:
        """The installation's folder as one part sees it: the bus is at the end of its own link."""
        view = self.folder.root.parent / "views" / name
        (view / "run").mkdir(parents=True, mode=0o700)
        for part in ("logs", "snapshots", "files"):
            (self.folder.root / part).mkdir(exist_ok=True, mode=0o700)
        for held in self.folder.root.iterdir():
            if held.name not in ("run", "nats"):
                (view / held.name).symlink_to(held)
        (view / "run" / "bus.json").write_text(json.dumps({"url": url}))
        return DataFolder(view)


@contextlib.asynccontextmanager
async def standing(
    folder: DataFolder, environ: Mapping[str, Mapping[str, str]]
) -> AsyncIterator[Stand]:
    """An installation in parts on a configured data folder, up; down again at the end."""
    stand = Stand(folder)
    try:
        await stand.start(environ)
        yield stand
    finally:
        with contextlib.suppress(BusError):
            await stand.stop()
