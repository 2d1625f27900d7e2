"""What a run's process is given: two lines on its standard input, and nothing else.

First how to confine itself, which is no secret; it answers with the walls that stand. Then,
if those are enough for whoever started it, the run's own secrets. Each is one line of JSON.
"""

import asyncio
import os
from typing import TypeVar

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from msgspec import Struct

from bus.client import Client
from bus.confinement import Cell
from bus.connection import Notice, connect
from bus.errors import BusError
from bus.identity import UserIdentity
from bus.tls import TlsIdentity
from crypto.sealing import RunKeys
from crypto.signing import Signer
from schemas.confinement import Confinement
from schemas.errors import UNREADABLE
from schemas.names import Role

_T = TypeVar("_T")

LedgerEntry = tuple[int, str, bytes]
"""One ledger entry handed on: index, subject, message body."""


class RunBoot(Struct, frozen=True, kw_only=True):
    """All that a run's process is given. Sent as one JSON line; bytes are base64.

    `admin` are the workspace's key and policy events, so that the process verifies its run's
    events from the root on, without trusting who started it. `plan` is the agent's program.
    """

    url: str
    tls: TlsIdentity
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

    async def connect(self, on_problem: Notice) -> Client:
        """On the bus, as this run, for as long as this one connection lasts."""
        identity = UserIdentity(self.user_jwt, self.user_seed, self.user_public)
        return await connect(
            self.url,
            identity,
            self.tls.context(),
            name=self.instance,
            on_problem=on_problem,
            mend=False,
        )


def encode_line(value: Cell | Confinement | RunBoot) -> bytes:
    """One of the lines, newline included."""
    return msgspec.json.encode(value) + b"\n"


def read_cell(descriptor: int) -> Cell:
    """How to confine, read without an event loop. Raises `BusError` where there is no such line."""
    line = b""
    while not line.endswith(b"\n"):
        # Whoever asks waits for the answer before it says more, so nothing else is taken.
        more = os.read(descriptor, 65_536)
        if not more:
            break
        line += more
    return _decoded(line, Cell)


async def read_boot(reader: asyncio.StreamReader) -> RunBoot:
    """The run's secrets. Raises `BusError` where standard input holds none."""
    return _decoded(await reader.readline(), RunBoot)


def read_confinement(line: bytes) -> Confinement:
    """A process's answer to its cell. Raises `BusError` where it is none."""
    return _decoded(line, Confinement)


def _decoded(line: bytes, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(line, type=kind)
    except UNREADABLE as error:
        raise BusError(f"a line that should be a {kind.__name__} is none: {error}") from error
