"""A component's process: from its secrets to a running shell, until its parent is gone.

A standing component reads its own folder; a run's process reads one JSON line from its
standard input and nothing else. Both say `ready` on standard output once they decide, and
end at end of file on standard input, or on SIGTERM.
"""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import msgspec
import uvloop
from msgspec import Struct

from bus.archive import LedgerArchive
from bus.beating import beat
from bus.blobs import FolderBlobs
from bus.confinement import hide_memory
from bus.connection import BusClient, connect
from bus.errors import BusError, ConnectionTrouble
from bus.eventloop import quiet_tls_close
from bus.faults import fault_of
from bus.folder import DataFolder
from bus.identity import parse_creds
from bus.lifeline import parent_gone
from bus.tls import TlsFiles, client_context
from crypto.keyfile import load_signer, read_secret
from crypto.signing import Signer
from schemas.errors import UNREADABLE, AnyTeamError
from schemas.faults import encode_fault
from schemas.names import Role

READING = b"reading "
"""What a line begins with that a component says before it is ready."""
READING_EVERY = 2_000

Observer = Callable[[int, str, bytes], None]

_LOG = logging.getLogger("anyteam")


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
    except UNREADABLE:
        # Not chained and not quoted: the line may be a passphrase out of form.
        raise BusError("standard input holds no unlocking line") from None


async def connect_as(folder: DataFolder, role: Role) -> BusClient:
    """On the bus, as a standing role of this data folder."""
    text = read_secret(folder.identity(role) / "user.creds").decode()
    context = client_context(TlsFiles(folder.tls))
    client = await connect(
        folder.bus_url(), parse_creds(text), context, name=role.value, on_problem=log_problem
    )
    workspace = folder.settings().workspace
    client.archive = LedgerArchive(FolderBlobs(folder.archive(workspace)), workspace)
    return client


def event_signer(folder: DataFolder, role: Role) -> Signer:
    """A standing role's event key."""
    return load_signer(folder.identity(role) / "event.key")


async def until_orphaned(reader: asyncio.StreamReader, work: Awaitable[None]) -> None:
    """Do `work` until it ends, the parent is gone, or SIGTERM comes; and give signs of life
    meanwhile, where the environment asks for them. Raises what `work` raises, and `OSError` where
    such a sign cannot be given.
    """
    loop = asyncio.get_running_loop()
    term = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, term.set)
    tasks = [
        asyncio.ensure_future(work),
        asyncio.ensure_future(beat(os.environ)),
        asyncio.ensure_future(parent_gone(reader)),
        asyncio.ensure_future(term.wait()),
    ]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done.intersection(tasks[:2]):
            await task
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def together(*works: Coroutine[Any, Any, None]) -> None:
    """Do all of them until one ends or fails, then end the others. Raises what that one raises."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            await task
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def say_ready() -> None:
    """Tell the parent that this component decides from here on."""
    sys.stdout.write("ready\n")
    sys.stdout.flush()


class Starting:
    """What a component tells its parent until it decides: that it reads on, and then `ready`.

    A ledger takes as long to read as it is long, and a component that reads is not one that hangs.
    """

    def __init__(self) -> None:
        self._told = False

    def reading(self, observe: Observer) -> Observer:
        """An observer of entries that calls `observe`, and says now and then where it is."""

        def observed(index: int, subject: str, body: bytes) -> None:
            if index % READING_EVERY == 0 and not self._told:
                sys.stdout.write(f"{READING.decode()}{index}\n")
                sys.stdout.flush()
            observe(index, subject, body)

        return observed

    def ready(self) -> None:
        """It decides from here on. Nobody listens for where it reads any more."""
        self._told = True
        say_ready()


def run_process(main: Coroutine[Any, Any, None]) -> int:
    """Run a component's coroutine as this process; its exit code. The parent is told of which kind
    a fault is, and where in the code, and no more.
    """
    return recorded(lambda: uvloop.run(main), say_fault)


def say_fault(error: Exception) -> None:
    """Tell the parent what ended this component, if there still is one."""
    try:
        sys.stdout.write(encode_fault(fault_of(error)).decode())
        sys.stdout.flush()
    except OSError:
        # Nobody listens: the log has it, and that is where it belongs.
        pass


def recorded(
    work: Callable[[], None], tell: Callable[[Exception], None] = lambda error: None
) -> int:
    """Do a component's work; its process's exit code.

    The outermost loop: whatever ends the component is recorded here, and the component
    stops. Its next incarnation finds in the ledger what is owed. `tell` is told of it as well.
    """
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s"
    )
    quiet_tls_close()
    hide_memory()
    try:
        work()
    except AnyTeamError as error:
        _LOG.error("stopped: %s: %s", type(error).__name__, error)
        tell(error)
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - the process's outermost loop: recorded, then it stops
        _LOG.exception("stopped by a fault")
        tell(error)
        return 70
    return 0


def log_problem(problem: BusError) -> None:
    """Record what became of the connection."""
    level = logging.INFO if isinstance(problem, ConnectionTrouble) else logging.ERROR
    _LOG.log(level, "%s: %s", type(problem).__name__, problem)
