"""The orchestrator's hands: mints run identities, starts and ends the runs' processes.

A run's secrets are made here, live in memory, and reach the run's processes through their
standard input; they are never on disk, in an argument or in an environment. The keys that
mint a run's bus users can mint nothing wider than one run.
"""

import asyncio
import os
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from msgspec import Struct

from agents.effects import Exited, Mint, Reap, Spawn, Spawned, Watch
from agents.errors import UnknownAgent
from agents.planners.scripted import load_plan
from agents.serving.place import listen_at
from bus.component import LedgerEntry, RunBoot, encode_boot
from bus.decider import Effect
from bus.folder import DataFolder
from bus.identity import Key, UserIdentity, claims_of, key_from_seed, mint_user, parse_creds
from crypto.keyfile import read_secret
from crypto.signing import Signer, key_id_of
from schemas.leases import Certificate
from schemas.names import SECOND, Role
from schemas.settings import Settings

READY_S = 30.0
_RUN_ROLES = (Role.RUNTIME, Role.JUDGE)
_COMMANDS = {Role.RUNTIME: ("agents", "runtime"), Role.JUDGE: ("judge",)}


class AgentProgram(Struct, frozen=True):
    """What a runtime plays: a recorded plan, instructions to a model, or what comes to its socket.

    `socket` is the descriptor of its listening socket, -1 where it has none.
    """

    planner: str
    plan: bytes = b""
    instructions: str = ""
    socket: int = -1


class _Secrets(Struct, frozen=True):
    instance: str
    event_seed: bytes
    exchange_seed: bytes
    user: UserIdentity


class Processes:
    """Performs the orchestrator's effects. Lives as long as the orchestrator."""

    def __init__(self, folder: DataFolder, settings: Settings) -> None:
        self._folder = folder
        self._settings = settings
        own = folder.identity(Role.ORCHESTRATOR)
        claims = claims_of(parse_creds(read_secret(own / "user.creds").decode()).jwt)
        self._account = str(claims["nats"]["issuer_account"])
        self._minting: Mapping[Role, Key] = {
            role: key_from_seed(read_secret(own / f"{role.value}.signing.nk").decode().strip())
            for role in _RUN_ROLES
        }
        self._admin: list[LedgerEntry] = []
        self._secrets: dict[tuple[str, int], dict[Role, _Secrets]] = {}
        self._running: dict[str, list[asyncio.subprocess.Process]] = {}
        self._listening: dict[str, socket.socket] = {}

    def observe(self, index: int, subject: str, body: bytes) -> None:
        """Keep the workspace's key and policy events: each run's processes start from them."""
        if subject.endswith(".admin.key"):
            self._admin.append((index, subject, body))

    async def perform(self, effect: Effect) -> object:
        """Do one effect; see `agents.effects` for the results."""
        run = effect.run or ""
        if isinstance(effect, Mint):
            return self._mint(effect, run)
        if isinstance(effect, Spawn):
            return await self._spawn(effect, run)
        if isinstance(effect, Watch):
            return await self._watch(run)
        if isinstance(effect, Reap):
            self._secrets = {k: v for k, v in self._secrets.items() if k[0] != run}
            await self._end(run)
            self._stop_listening(run)
            return None
        raise TypeError(f"not an effect of the orchestrator: {effect.key}")

    async def end_all(self) -> None:
        """End every run's processes."""
        await asyncio.gather(*(self._end(run) for run in list(self._running)))
        for run in list(self._listening):
            self._stop_listening(run)

    def _mint(self, effect: Mint, run: str) -> tuple[Certificate, ...]:
        now = time.time_ns()
        made: dict[Role, _Secrets] = {}
        certificates = []
        for role in _RUN_ROLES:
            event_seed, exchange = os.urandom(32), X25519PrivateKey.generate()
            user = mint_user(
                self._minting[role],
                self._account,
                name=run,
                now=now // SECOND,
                expires=effect.not_after // SECOND,
            )
            secrets = _Secrets(
                f"{role.value}-{effect.attempt}", event_seed, exchange.private_bytes_raw(), user
            )
            public = Signer.from_seed(event_seed).public
            certificates.append(
                Certificate(
                    key_id=key_id_of(public),
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
        if secrets is None:
            return Spawned("the keys of this attempt are gone with a former orchestrator")
        try:
            program = self._program(effect.agent, run)
        except UnknownAgent as error:
            return Spawned(str(error))
        await self._end(run)
        processes = []
        for role in _RUN_ROLES:
            boot = self._boot(run, role, secrets[role], program if role is Role.RUNTIME else b"")
            processes.append(await self._start(run, role, secrets[role].instance, boot))
        self._running[run] = processes
        try:
            async with asyncio.timeout(READY_S):
                said = await asyncio.gather(*(_first_line(p) for p in processes))
        except TimeoutError:
            said = [b""]
        if any(line != b"ready\n" for line in said):
            await self._end(run)
            return Spawned("a process of the run did not come up; see its log")
        return Spawned()

    def _program(self, name: str, run: str) -> bytes:
        agent = self._settings.agents.get(name)
        if agent is None:
            raise UnknownAgent(
                f"no agent {name} is configured", fix=f"add [agents.{name}] to anyteam.toml"
            )
        plan = b""
        if agent.plan:
            plan = msgspec.json.encode(load_plan(self._folder.root / agent.plan))
        served = self._listen(run) if agent.planner == "mcp" else -1
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

    def _boot(self, run: str, role: Role, secrets: _Secrets, program: bytes) -> RunBoot:
        return RunBoot(
            url=self._folder.bus_url(),
            tls=str(self._folder.tls.absolute()),
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

    async def _start(
        self, run: str, role: Role, instance: str, boot: RunBoot
    ) -> asyncio.subprocess.Process:
        log = self._folder.log(f"run-{run}-{instance}")
        log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as out:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-I",
                "-m",
                *_COMMANDS[role],
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=out,
                env={},
                cwd=Path("/"),
                start_new_session=True,
                pass_fds=self._inherited(run, role),
            )
        assert process.stdin is not None
        process.stdin.write(encode_boot(boot))
        await process.stdin.drain()
        return process

    def _inherited(self, run: str, role: Role) -> tuple[int, ...]:
        """A served run's runtime inherits its listening socket; nothing else inherits anything."""
        listener = self._listening.get(run) if role is Role.RUNTIME else None
        return (listener.fileno(),) if listener is not None else ()

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
        codes = ", ".join(str(process.returncode) for process in processes)
        await self._end(run)
        return Exited(f"exit codes of runtime and judge: {codes}")

    async def _end(self, run: str) -> None:
        """Close the lifelines; kill what outlives them. Forgotten only once they are gone."""
        processes = self._running.get(run, [])
        for process in processes:
            if process.stdin is not None:
                process.stdin.close()
        for process in processes:
            try:
                async with asyncio.timeout(5):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()
        if self._running.get(run) is processes:
            del self._running[run]


async def _first_line(process: asyncio.subprocess.Process) -> bytes:
    assert process.stdout is not None
    return await process.stdout.readline()
