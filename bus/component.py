"""A component's process: from its secrets to a running shell, until its parent is gone.

A standing component reads its own folder; a run's process reads one JSON line from its
standard input and nothing else. Both say `ready` on standard output once they decide, and
end at end of file on standard input, or on SIGTERM.
"""

import asyncio
import logging
import signal
import sys
from collections.abc import Awaitable, Coroutine
from pathlib import Path
from typing import Any

import msgspec
import uvloop
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from msgspec import Struct
from nats.aio.client import Client

from bus.connection import connect, disconnect
from bus.decider import Decider, Effect
from bus.errors import BusError, ConnectionTrouble
from bus.folder import DataFolder
from bus.identity import UserIdentity, parse_creds
from bus.lifeline import parent_gone
from bus.node import Node
from bus.roles import run_subject
from bus.shell import Shell
from bus.tls import TlsFiles, client_context
from crypto.keyfile import load_signer, read_secret
from crypto.sealing import RunKeys
from crypto.signing import Signer
from crypto.trust import Trust
from schemas.errors import AnyTeamError
from schemas.events import Actor
from schemas.names import Role

_LOG = logging.getLogger("anyteam")


LedgerEntry = tuple[int, str, bytes]
"""One ledger entry handed on: index, subject, message body."""


class RunBoot(Struct, frozen=True, kw_only=True):
    """All that a run's process is given. Sent as one JSON line; bytes are base64.

    `admin` are the workspace's key and policy events, so that the process verifies its run's
    events from the root on, without trusting who started it. `plan` is the agent's program.
    """

    url: str
    tls: str
    workspace: str
    run: str
    role: Role
    instance: str
    root: bytes
    event_seed: bytes
    exchange_seed: bytes
    user_jwt: str
    user_seed: str
    user_public: str
    admin: tuple[LedgerEntry, ...]
    plan: bytes = b""

    def signer(self) -> Signer:
        """The run's event key."""
        return Signer.from_seed(self.event_seed)

    def keys(self) -> RunKeys:
        """Opens what is sealed for this run, once its key was wrapped for it."""
        exchange = X25519PrivateKey.from_private_bytes(self.exchange_seed)
        return RunKeys(exchange, self.signer().key_id)

    async def connect(self) -> Client:
        """On the bus, as this run."""
        identity = UserIdentity(self.user_jwt, self.user_seed, self.user_public)
        context = client_context(TlsFiles(Path(self.tls)))
        return await connect(
            self.url, identity, context, name=self.instance, on_problem=_on_problem
        )


async def read_boot(reader: asyncio.StreamReader) -> RunBoot:
    """The boot line. Raises `BusError` where standard input holds none."""
    line = await reader.readline()
    try:
        return msgspec.json.decode(line, type=RunBoot)
    except msgspec.DecodeError as error:
        raise BusError(f"standard input holds no boot line: {error}") from error


class Unlock(Struct, frozen=True):
    """What the sidecar is given where its key files are sealed. Sent as one JSON line."""

    passphrase: str

    def __repr__(self) -> str:
        return "Unlock()"


def encode_unlock(unlock: Unlock) -> bytes:
    """The unlocking line, newline included."""
    return msgspec.json.encode(unlock) + b"\n"


async def read_unlock(reader: asyncio.StreamReader) -> Unlock:
    """The unlocking line. Raises `BusError` where standard input holds none."""
    line = await reader.readline()
    try:
        return msgspec.json.decode(line, type=Unlock)
    except msgspec.DecodeError:
        # Not chained and not quoted: the line may be a passphrase out of form.
        raise BusError("standard input holds no unlocking line") from None


async def connect_as(folder: DataFolder, role: Role) -> Client:
    """On the bus, as a standing role of this data folder."""
    text = read_secret(folder.identity(role) / "user.creds").decode()
    context = client_context(TlsFiles(folder.tls))
    return await connect(
        folder.bus_url(), parse_creds(text), context, name=role.value, on_problem=_on_problem
    )


def event_signer(folder: DataFolder, role: Role) -> Signer:
    """A standing role's event key."""
    return load_signer(folder.identity(role) / "event.key")


async def until_orphaned(reader: asyncio.StreamReader, work: Awaitable[None]) -> None:
    """Do `work` until it ends, the parent is gone, or SIGTERM comes. Raises what `work` raises."""
    loop = asyncio.get_running_loop()
    term = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, term.set)
    tasks = [
        asyncio.ensure_future(work),
        asyncio.ensure_future(parent_gone(reader)),
        asyncio.ensure_future(term.wait()),
    ]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if tasks[0] in done:
            await tasks[0]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def say_ready() -> None:
    """Tell the parent that this component decides from here on."""
    sys.stdout.write("ready\n")
    sys.stdout.flush()


def run_process(main: Coroutine[Any, Any, None]) -> int:
    """Run a component's coroutine as this process; its exit code.

    The outermost loop: whatever ends the component is recorded here, and the component
    stops. Its next incarnation finds in the ledger what is owed.
    """
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s"
    )
    quiet_tls_close()
    try:
        uvloop.run(main)
    except AnyTeamError as error:
        _LOG.error("stopped: %s: %s", type(error).__name__, error)
        return error.exit_code
    except Exception:  # noqa: BLE001 - the process's outermost loop: recorded, then it stops
        _LOG.exception("stopped by a fault")
        return 70
    return 0


def quiet_tls_close() -> None:
    """Drop the event loop's remark at each TLS close; it says nothing about us."""
    logging.getLogger("asyncio").addFilter(
        lambda record: "eof_received() has no effect" not in record.getMessage()
    )


async def run_decider(boot: RunBoot, decider: Decider[Any]) -> None:
    """Run `decider` for the run of `boot`, on its own connection, until something fails."""
    node: Node[Any] = Node(
        decider,
        trust=Trust(boot.workspace, boot.root),
        signer=boot.signer(),
        actor=Actor(boot.role, boot.instance),
        keys=boot.keys(),
        whole=False,
    )
    node.prime(boot.admin)
    client = await boot.connect()
    shell = Shell(
        node,
        client,
        _no_effects,
        consumer=boot.user_public,
        filter_subject=run_subject(boot.workspace, boot.run),
        on_ready=say_ready,
    )
    try:
        await shell.run()
    finally:
        await disconnect(client)


async def _no_effects(effect: Effect) -> object:
    raise TypeError(f"a run's process has no effects, not {effect.key}")


def encode_boot(boot: RunBoot) -> bytes:
    """The boot line, newline included."""
    return msgspec.json.encode(boot) + b"\n"


def _on_problem(problem: BusError) -> None:
    level = logging.INFO if isinstance(problem, ConnectionTrouble) else logging.ERROR
    _LOG.log(level, "%s: %s", type(problem).__name__, problem)
