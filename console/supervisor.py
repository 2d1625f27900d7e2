"""The supervisor: one installation's processes, brought up in order and kept up.

Bus first, then the standing components, each a process of its own with its own secrets and
a lifeline to this one. A component that ends is started again with growing pauses; one
that does not stay up is reported with the last lines of its log. Down comes in reverse.
"""

import asyncio
import fcntl
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from bus.beating import FILE, until_silent
from bus.cluster import Cluster
from bus.component import READING, Unlock, encode_unlock
from bus.folder import DataFolder
from bus.provision import Site
from bus.server import Server
from console.epochs import recover
from console.errors import AlreadyUp, ComponentDied, ComponentSlow
from console.faults import faults_of
from console.installation import ensure_keys, settle, start_bus
from console.revocation import revoke_stopped
from console.standing import recorded
from console.stores import Stores, projectors
from crypto.keyfile import write_secret
from crypto.kms import Kms, open_kms
from schemas.errors import AnyTeamError
from schemas.settings import Settings

READY_S = 30.0
MAX_QUICK_ENDS = 5
SLOW_STARTS = 2
MOST_QUICK_ENDS = 8
QUICK_S = 3.0
SILENT_S = 60.0
"""So long a component may keep its event loop standing. A standby does not wait as long."""
PAUSE_S = 0.1
REST_S, REST_BYTES = 1.0, 65_536

_CREDENTIALS = "GOOGLE_APPLICATION_CREDENTIALS"

COMPONENTS: Mapping[str, tuple[str, ...]] = {
    "sidecar": ("sidecar",),
    "orchestrator": ("agents", "orchestrator"),
    "supervisor": ("sidecar.supervision",),
}

_WEBHOOKS = {"webhooks": ("projections.webhooks",)}
_CONSOLE = {"console": ("console.web",)}
_FEEDER = {"feeder": ("console.feeding",)}
UNLOCKED = ("sidecar", "console", "vectors")
"""Components that open content, and so need the keys that a passphrase or a service guards."""

Say = Callable[[str], None]


def components_of(settings: Settings) -> Mapping[str, tuple[str, ...]]:
    """The components that an installation with these settings has, each started at once."""
    webhooks = _WEBHOOKS if settings.webhooks is not None else {}
    console = _CONSOLE if settings.console is not None else {}
    feeder = _FEEDER if settings.witnesses is not None else {}
    return {**COMPONENTS, **webhooks, **console, **feeder}


def command_of(module: tuple[str, ...], folder: DataFolder) -> list[str]:
    """How a component of `components_of` is started: isolated, with its data folder."""
    return [sys.executable, "-I", "-m", *module, "--data", str(folder.root.absolute())]


def environment_of(name: str, settings: Settings) -> dict[str, str]:
    """Nothing, but for who opens content where Google's credentials lie: a path, no secret."""
    path = os.environ.get(_CREDENTIALS)
    if name in UNLOCKED and settings.kms.provider == "google" and path:
        return {_CREDENTIALS: path}
    return {}


class Standing(Struct):
    """One standing component: its process, and when it last started."""

    name: str
    process: asyncio.subprocess.Process
    since: float


class Supervisor:
    """Brings an installation up, keeps it up, takes it down. With `bus_only` no component is
    started: each is another service's to start (`anyteam component`).
    """

    def __init__(
        self,
        folder: DataFolder,
        say: Say,
        *,
        passphrase: str | None = None,
        components: Mapping[str, tuple[str, ...]] | None = None,
        bus_only: bool = False,
        silent_s: float = SILENT_S,
    ) -> None:
        self.folder = folder
        self._silent_s = silent_s
        self._passphrase = passphrase
        self._settings = folder.settings()
        self._projectors = projectors(self._settings)
        standing = components if components is not None else components_of(self._settings)
        self._components = {} if bus_only else {**standing, **self._projectors}
        self._say = say
        self._faults = faults_of(self._settings)
        self._stores: Stores | None = None
        self._server: Server | Cluster | None = None
        self._standing: dict[str, Standing] = {}
        self._lock: int | None = None
        self._minders: list[asyncio.Task[None]] = []
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def up(self) -> None:
        """Start everything; return once all components decide. Raises what kept it down."""
        self._lock = take_lock(self.folder)
        settings = self._settings
        with open_kms(settings.kms, self.folder.kms, self._passphrase) as kms:
            await self._bring_up(settings, kms)

    async def _bring_up(self, settings: Settings, kms: Kms) -> None:
        ensure_keys(self.folder, settings, kms)
        self._say("starting the bus (nats-server, TLS, operator mode)")
        self._server, site = await start_bus(self.folder, settings)
        write_secret(self.folder.bus_file, json.dumps({"url": self._server.url}).encode() + b"\n")
        self._say(f"bus on {self._server.url}; settling keys and policy in the ledger")
        await recover(self.folder, site, kms)
        await settle(self.folder, settings, kms)
        write_secret(self.folder.started_file, recorded(settings))
        self._minders.append(asyncio.ensure_future(self._mind_bus(self._server)))
        if self._projectors:
            self._stores = Stores(self.folder, settings, self._say)
            await self._stores.up()
        self._say(
            f"starting {', '.join(self._components) or 'no component: each starts by itself'}"
        )
        await self._start_all()
        self._minders.append(asyncio.ensure_future(self._revoke(site)))
        self._write_state()

    async def down(self) -> None:
        """End everything that `up` started."""
        for minder in self._minders:
            minder.cancel()
        await asyncio.gather(*self._minders, return_exceptions=True)
        await asyncio.gather(*(_end(one.process) for one in self._standing.values()))
        self._standing.clear()
        await asyncio.to_thread(self._faults.close)
        if self._stores is not None:
            await self._stores.down()
        if self._server is not None:
            await self._server.stop()
        if self._lock is not None:
            state = self.folder.root / "run" / "state.json"
            beats = [self.folder.beat(name) for name in self._components]
            for file in (self.folder.bus_file, self.folder.started_file, state, *beats):
                file.unlink(missing_ok=True)
            os.close(self._lock)

    def pid_of(self, name: str) -> int:
        """A standing component's process id."""
        return self._standing[name].process.pid

    def age_of(self, name: str) -> float:
        """For how many seconds a standing component's process has been up; 0 while none is."""
        standing = self._standing[name]
        return time.monotonic() - standing.since if standing.process.returncode is None else 0.0

    async def _start_all(self) -> None:
        """Every component, at once: each takes its first second to load. Raises what kept one down;
        those that came up are ended by `down`.
        """
        try:
            async with asyncio.TaskGroup() as starts:
                for name in self._components:
                    starts.create_task(self._stand(name))
        except BaseExceptionGroup as failed:
            raise failed.exceptions[0] from None

    async def _stand(self, name: str) -> None:
        self._standing[name] = await self._start(name)
        self._minders.append(asyncio.ensure_future(self._mind(name)))

    async def _start(self, name: str) -> Standing:
        log = self.folder.log(name)
        log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as out:
            process = await asyncio.create_subprocess_exec(
                *command_of(self._components[name], self.folder),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=out,
                env={**environment_of(name, self._settings), FILE: str(self.folder.beat(name))},
                start_new_session=True,
            )
        assert process.stdin is not None and process.stdout is not None
        if name in UNLOCKED and self._passphrase is not None:
            process.stdin.write(encode_unlock(Unlock(self._passphrase)))
        try:
            line = READING
            while line.startswith(READING):
                async with asyncio.timeout(READY_S):
                    line = await process.stdout.readline()
        except TimeoutError:
            await _end(process)
            raise ComponentSlow(
                f"{name} did not come up or read on within {READY_S:.0f} s: {_last_line(log)}",
                fix=f"see {log}",
            ) from None
        except asyncio.CancelledError:
            # Nobody else knows of it yet, so nobody else would end it.
            await _end(process)
            raise
        if line != b"ready\n":
            await _end(process)
            self._faults.report(name, process.returncode or 0, line + await _rest(process))
            raise ComponentDied(f"{name} did not come up: {_last_line(log)}", fix=f"see {log}")
        return Standing(name, process, time.monotonic())

    async def _mind(self, name: str) -> None:
        """Start a component again when it ends, unless it will not stay up.

        A projector, the webhooks, the console and the feeder are tried for as long as it takes:
        without them nothing is done that should not be, and they must not take the gate down.
        """
        quick, spare = 0, name in {**self._projectors, **_WEBHOOKS, **_CONSOLE, **_FEEDER}
        while True:
            code = await self._ended(name)
            self._faults.report(name, code, await _rest(self._standing[name].process))
            lived = time.monotonic() - self._standing[name].since
            quick = quick + 1 if lived < QUICK_S else 0
            if quick == MAX_QUICK_ENDS and not spare:
                self._fail(
                    ComponentDied(
                        f"{name} does not stay up (exit code {code}):"
                        f" {_last_line(self.folder.log(name))}",
                        fix=f"see {self.folder.log(name)}",
                    )
                )
                return
            self._say(f"{name} ended (exit code {code}); starting it again")
            await asyncio.sleep(PAUSE_S * (2 ** min(quick, MOST_QUICK_ENDS) - 1))
            try:
                self._standing[name] = await self._again(name)
            except ComponentDied as error:
                if spare:
                    self._say(str(error))
                    self._standing[name].since = time.monotonic()
                    continue
                self._fail(error)
                return
            self._write_state()

    async def _ended(self, name: str) -> int:
        """Wait until a component has ended; its exit code. One that has stopped beating is killed:
        what it had written ahead is then as after any crash.
        """
        process = self._standing[name].process
        ended = asyncio.ensure_future(process.wait())
        silent = asyncio.ensure_future(until_silent(self.folder.beat(name), self._silent_s))
        try:
            await asyncio.wait({ended, silent}, return_when=asyncio.FIRST_COMPLETED)
            if not ended.done():
                self._say(f"{name} has stood still for {self._silent_s:g} s; it is killed")
                process.kill()
            return await ended
        finally:
            for task in (ended, silent):
                task.cancel()

    async def _again(self, name: str) -> Standing:
        """Start a component; where it is merely slow to come up, as on a busy machine, again."""
        for _ in range(SLOW_STARTS - 1):
            try:
                return await self._start(name)
            except ComponentSlow as error:
                self._say(f"{error}; starting it again")
        return await self._start(name)

    async def _mind_bus(self, server: Server | Cluster) -> None:
        code = await server.ended()
        log = self.folder.root / "nats" / "server.log"
        self._fail(
            ComponentDied(
                f"nats-server ended (exit code {code}): {_last_line(log)}", fix=f"see {log}"
            )
        )

    async def _revoke(self, site: Site) -> None:
        try:
            await revoke_stopped(self.folder, site, self._settings.workspace)
        except AnyTeamError as error:
            self._fail(error)

    def _fail(self, error: AnyTeamError) -> None:
        if not self.failed.done():
            self.failed.set_exception(error)

    def _write_state(self) -> None:
        state = {
            "pid": os.getpid(),
            "components": {n: s.process.pid for n, s in self._standing.items()},
        }
        write_secret(self.folder.root / "run" / "state.json", msgspec.json.encode(state) + b"\n")


def take_lock(folder: DataFolder) -> int:
    """One supervisor a data folder. The descriptor holds the lock, however the process ends.

    Raises `AlreadyUp`.
    """
    path = folder.root / "run" / "lock"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(lock)
        raise AlreadyUp(
            f"{folder.root} is up already", fix="stop it first, or use another --data"
        ) from error
    return lock


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        async with asyncio.timeout(10):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


async def _rest(process: asyncio.subprocess.Process) -> bytes:
    """What an ended component said last on standard output, as far as it is at hand."""
    assert process.stdout is not None
    try:
        async with asyncio.timeout(REST_S):
            return await process.stdout.read(REST_BYTES)
    except TimeoutError:
        # Something that it had started holds the other end still.
        return b""


def _last_line(log: Path) -> str:
    try:
        lines = log.read_text(errors="replace").strip().splitlines()
    except OSError:
        return "its log cannot be read"
    return lines[-1] if lines else "it said nothing"
