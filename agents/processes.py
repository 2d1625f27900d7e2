"""The orchestrator's hands: mints run identities, starts and ends the runs' processes.

A run's secrets are made here, live in memory, and reach the run's processes through their
standard input; they are never on disk, in an argument or in an environment. The keys that
mint a run's bus users can mint nothing wider than one run.
"""

import asyncio
import logging
import os
import socket
import time
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urlsplit

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from msgspec import Struct

from agents.cell import RunProcess
from agents.effects import Exited, Mint, Park, Reap, Spawn, Spawned, Watch
from agents.errors import AgentError, NotConfined, UnknownAgent
from agents.planners.scripted import load_plan
from agents.serving.place import listen_at
from agents.warm import Warm
from bus.boot import LedgerEntry, RunBoot
from bus.confinement import NOTHING, Cell
from bus.decider import Effect
from bus.folder import DataFolder
from bus.identity import Key, UserIdentity, claims_of, key_from_seed, mint_user, parse_creds
from bus.tls import RunsAuthority, TlsFiles, TlsIdentity
from crypto.keyfile import read_secret
from crypto.signing import Signer, key_id_of
from schemas.confinement import Confinement, common
from schemas.leases import Certificate
from schemas.names import SECOND, Role
from schemas.settings import Settings

READY_S = 30.0
_RUN_ROLES = (Role.RUNTIME, Role.JUDGE)
Commands = Mapping[Role, tuple[str, ...]]
COMMANDS: Commands = {Role.RUNTIME: ("agents", "runtime"), Role.JUDGE: ("judge",)}

_LOG = logging.getLogger("anyteam")


class AgentProgram(Struct, frozen=True):
    """What a runtime plays: a recorded plan, instructions to a model, or what comes to its socket.

    `socket` is the descriptor of its listening socket, -1 where it has none.
    """

    planner: str
    plan: bytes = b""
    instructions: str = ""
    socket: int = NOTHING


class _Secrets(Struct, frozen=True):
    instance: str
    key_id: bytes
    event_seed: bytes
    exchange_seed: bytes
    user: UserIdentity
    tls: TlsIdentity


class Processes:
    """Performs the orchestrator's effects. Lives as long as the orchestrator."""

    def __init__(
        self, folder: DataFolder, settings: Settings, commands: Commands = COMMANDS
    ) -> None:
        self._folder = folder
        self._settings = settings
        self._warm = {
            role: Warm(commands[role], settings.warm.runs, folder.log(f"nursery-{role.value}"))
            for role in _RUN_ROLES
        }
        own = folder.identity(Role.ORCHESTRATOR)
        claims = claims_of(parse_creds(read_secret(own / "user.creds").decode()).jwt)
        self._account = str(claims["nats"]["issuer_account"])
        self._minting: Mapping[Role, Key] = {
            role: key_from_seed(read_secret(own / f"{role.value}.signing.nk").decode().strip())
            for role in _RUN_ROLES
        }
        self._tls = RunsAuthority(TlsFiles(folder.tls))
        self._admin: list[LedgerEntry] = []
        self._secrets: dict[tuple[str, int], dict[Role, _Secrets]] = {}
        self._running: dict[str, list[RunProcess]] = {}
        self._attempts: dict[str, int] = {}
        self._listening: dict[str, socket.socket] = {}

    def observe(self, index: int, subject: str, body: bytes) -> None:
        """Keep the root's events, keys and policies: each run's processes start from them."""
        # Epochs' openings say nothing to a run, but stand in the same chain of the root's.
        if subject.endswith((".admin.key", ".admin.epoch")):
            self._admin.append((index, subject, body))

    def held(self) -> bytes:
        """What `observe` kept, for a snapshot."""
        return msgspec.msgpack.encode(self._admin)

    def resume(self, held: bytes) -> None:
        """Go on from what `held` gave."""
        self._admin = msgspec.msgpack.decode(held, type=list[LedgerEntry])

    async def perform(self, effect: Effect) -> object:
        """Do one effect; see `agents.effects` for the results."""
        run = effect.run or ""
        if isinstance(effect, Mint):
            return self._mint(effect, run)
        if isinstance(effect, Spawn):
            return await self._spawn(effect, run)
        if isinstance(effect, Watch):
            return await self._watch(run)
        if isinstance(effect, Park):
            if self._attempts.get(run) == effect.attempt:
                await self._end(run)
            return None
        if isinstance(effect, Reap):
            self._secrets = {k: v for k, v in self._secrets.items() if k[0] != run}
            await self._end(run)
            self._attempts.pop(run, None)
            self._stop_listening(run)
            return None
        raise TypeError(f"not an effect of the orchestrator: {effect.key}")

    async def end_all(self) -> None:
        """End every run's processes, and those that stand ready."""
        await asyncio.gather(*(self._end(run) for run in list(self._running)))
        await asyncio.gather(*(warm.close() for warm in self._warm.values()))
        for run in list(self._listening):
            self._stop_listening(run)

    def _mint(self, effect: Mint, run: str) -> tuple[Certificate, ...]:
        now = time.time_ns()
        ends = datetime.fromtimestamp(effect.not_after / SECOND + self._settings.policy.skew_s, UTC)
        made: dict[Role, _Secrets] = {}
        certificates = []
        for role in _RUN_ROLES:
            event_seed, exchange = os.urandom(32), X25519PrivateKey.generate()
            public = Signer.from_seed(event_seed).public
            user = mint_user(
                self._minting[role],
                self._account,
                name=run,
                now=now // SECOND,
                expires=effect.not_after // SECOND,
            )
            secrets = _Secrets(
                instance=f"{role.value}-{effect.attempt}",
                key_id=key_id_of(public),
                event_seed=event_seed,
                exchange_seed=exchange.private_bytes_raw(),
                user=user,
                tls=self._tls.mint(ends),
            )
            certificates.append(
                Certificate(
                    key_id=secrets.key_id,
                    public_key=public,
                    role=role,
                    instance=secrets.instance,
                    not_before=effect.not_before - self._settings.policy.skew_s * SECOND,
                    not_after=effect.not_after,
                    run=run,
                    user=user.public,
                    exchange=exchange.public_key().public_bytes_raw(),
                )
            )
            made[role] = secrets
        self._secrets[(run, effect.attempt)] = made
        return tuple(certificates)

    async def _spawn(self, effect: Spawn, run: str) -> Spawned:
        secrets = self._secrets.pop((run, effect.attempt), None)
        if secrets is None or {one.key_id for one in secrets.values()} != set(effect.keys):
            return Spawned("the keys of this attempt are gone with a former orchestrator")
        try:
            program = self._program(effect.agent, run)
        except UnknownAgent as error:
            return Spawned(str(error))
        await self._end(run)
        refused = False
        mine: list[RunProcess] = []
        self._running[run] = mine
        self._attempts[run] = effect.attempt
        try:
            async with asyncio.timeout(READY_S):
                up = (
                    self._bring_up(
                        mine,
                        _name(run, secrets[role]),
                        self._boot(
                            run, role, secrets[role], program if role is Role.RUNTIME else b""
                        ),
                    )
                    for role in _RUN_ROLES
                )
                walls = common(tuple(await asyncio.gather(*up)))
                return Spawned(confined_by=walls, served=run in self._listening)
        except TimeoutError:
            problem = "a process of the run did not come up in time; see its log"
        except AgentError as error:
            problem = str(error)
            refused = isinstance(error, NotConfined)
            _LOG.error("%s", problem)
        await self._end(run)
        return Spawned(problem, refused)

    async def _bring_up(self, mine: list[RunProcess], name: str, boot: RunBoot) -> Confinement:
        sandbox = self._settings.sandbox
        cell = Cell(
            port=urlsplit(boot.url).port or 0,
            hidden=str(self._folder.root.absolute()),
            memory_mb=sandbox.memory_mb,
            cpu_s=sandbox.cpu_s,
            listener=self._inherited(boot.run, boot.role),
        )
        process = await self._warm[boot.role].take(self._folder.log(name), cell)
        if self._running.get(boot.run) is not mine:
            await process.end()
            raise AgentError(f"{name} was ended before it came up")
        mine.append(process)
        confinement = await process.confine(cell, sandbox, name)
        if not await process.boot(boot):
            raise AgentError(f"{name} did not come up", fix="see its log")
        return confinement

    def _program(self, name: str, run: str) -> bytes:
        agent = self._settings.agents.get(name)
        if agent is None:
            raise UnknownAgent(
                f"no agent {name} is configured", fix=f"add [agents.{name}] to anyteam.toml"
            )
        plan = b""
        if agent.plan:
            plan = msgspec.json.encode(load_plan(self._folder.root / agent.plan))
        served = self._listen(run) if agent.planner == "mcp" else NOTHING
        return msgspec.json.encode(AgentProgram(agent.planner, plan, agent.instructions, served))

    def _listen(self, run: str) -> int:
        """The run's socket, kept over all attempts so that its place does not change hands."""
        if run not in self._listening:
            self._listening[run] = listen_at(self._folder.socket(run))
        return self._listening[run].fileno()

    def _stop_listening(self, run: str) -> None:
        listener = self._listening.pop(run, None)
        if listener is not None:
            listener.close()
        self._folder.socket(run).unlink(missing_ok=True)

    def _inherited(self, run: str, role: Role) -> int:
        """A served run's runtime inherits its listening socket; nothing else inherits anything."""
        listener = self._listening.get(run) if role is Role.RUNTIME else None
        return listener.fileno() if listener is not None else NOTHING

    def _boot(self, run: str, role: Role, secrets: _Secrets, program: bytes) -> RunBoot:
        return RunBoot(
            url=one_server(self._folder.bus_url(), run, self._attempts[run]),
            tls=secrets.tls,
            workspace=self._settings.workspace,
            run=run,
            role=role,
            instance=secrets.instance,
            root=self._folder.root_public(),
            event_seed=secrets.event_seed,
            exchange_seed=secrets.exchange_seed,
            user_jwt=secrets.user.jwt,
            user_seed=secrets.user.seed,
            user_public=secrets.user.public,
            admin=tuple(self._admin),
            plan=program,
        )

    async def _watch(self, run: str) -> Exited:
        processes = self._running.get(run)
        if not processes:
            return Exited("its processes are not running")
        waits = [asyncio.ensure_future(process.wait()) for process in processes]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        codes = ", ".join(str(process.code) for process in processes)
        await self._end(run)
        return Exited(f"exit codes of runtime and judge: {codes}")

    async def _end(self, run: str) -> None:
        """Close the lifelines; kill what outlives them. Forgotten only once they are gone."""
        processes = self._running.get(run, [])
        while processes:
            ending = list(processes)
            await asyncio.gather(*(process.end() for process in ending))
            processes[:] = [process for process in processes if process not in ending]
        if self._running.get(run) is processes:
            del self._running[run]


def one_server(url: str, run: str, attempt: int) -> str:
    """The server of the bus that a run's processes connect to, for good: they may open no second
    connection, and to one port only. Runs are spread, and the next attempt is at the next one.
    """
    servers = url.split(",")
    return servers[(zlib.crc32(run.encode()) + attempt) % len(servers)]


def _name(run: str, secrets: _Secrets) -> str:
    return f"run-{run}-{secrets.instance}"
