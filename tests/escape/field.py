"""What there is to steal or break in the installation under test, handed to the program.

A real attacker would have to find it out; here it is told, so that failing means being kept
out and not being ignorant. Everything that could be harmed for real has a decoy.
"""

import asyncio
import contextlib
import hashlib
import os
import secrets
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from msgspec import Struct

from bus.folder import DataFolder
from schemas.names import Role

CANARY = f"canary-{secrets.token_hex(16)}"

_DECOY = """\
import ctypes, os, sys
secret = ctypes.create_string_buffer(os.environ["SECRET"].encode())
held = os.open(sys.argv[1], os.O_RDWR)
print(ctypes.addressof(secret), held, flush=True)
sys.stdin.read()
"""


def digest(content: bytes) -> str:
    """SHA-256, in hex."""
    return hashlib.sha256(content).hexdigest()


class Field(Struct, frozen=True, kw_only=True):
    """The targets. `decoy` is a process of the same user with a canary in its memory.

    Of the canary itself only size and digest are told, so that to have it is to have read it.
    """

    canary_size: int
    canary_digest: str
    shared_key_digest: str
    root: str
    files: dict[str, str]
    decoy: int
    decoy_address: int
    decoy_file: str
    decoy_held: int
    pids: dict[str, int]
    bus_port: int
    ports: dict[str, int]
    unix: str
    abstract: str
    run: str
    other_run: str
    workspace: str

    def is_canary(self, found: bytes) -> bool:
        """Whether this is what the decoy holds."""
        return digest(found) == self.canary_digest

    def is_shared_key(self, found: bytes) -> bool:
        """Whether this is the TLS key of the standing components."""
        return digest(found) == self.shared_key_digest


class Sockets:
    """Listeners that know whether anything reached them."""

    def __init__(self, folder: Path, bus_port: int) -> None:
        self.unix = str(folder / "listening.sock")
        self.abstract = f"anyteam-{secrets.token_hex(8)}"
        self._streams = {
            "tcp": _bound(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)),
            "tcp6": _bound(socket.AF_INET6, socket.SOCK_STREAM, ("::1", 0)),
            "bus port elsewhere": _bound(
                socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.2", bus_port)
            ),
            "unix": _bound(socket.AF_UNIX, socket.SOCK_STREAM, self.unix),
            "abstract": _bound(socket.AF_UNIX, socket.SOCK_STREAM, "\0" + self.abstract),
        }
        self._datagrams = {
            "udp": _bound(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0)),
            "unix datagram": _bound(socket.AF_UNIX, socket.SOCK_DGRAM, self.unix + ".dgram"),
        }
        for listener in self._streams.values():
            listener.listen(64)

    @property
    def ports(self) -> dict[str, int]:
        """Those that have one, by name."""
        found = {**self._streams, **self._datagrams}
        return {n: s.getsockname()[1] for n, s in found.items() if s.family != socket.AF_UNIX}

    def reached(self) -> list[str]:
        """The names of those that were reached since this was last asked."""
        found = []
        for name, listener in self._streams.items():
            with contextlib.suppress(BlockingIOError):
                while True:
                    listener.accept()[0].close()
                    found.append(name)
        for name, receiver in self._datagrams.items():
            with contextlib.suppress(BlockingIOError):
                while True:
                    receiver.recv(4096)
                    found.append(name)
        return sorted(set(found))

    def close(self) -> None:
        """Stop listening."""
        for opened in (*self._streams.values(), *self._datagrams.values()):
            opened.close()


@contextlib.asynccontextmanager
async def decoy(held: Path) -> AsyncIterator[tuple[int, int, int]]:
    """(pid, address of the canary in its memory, descriptor of `held` in it)."""
    held.write_text(CANARY)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-c", _DECOY, str(held)),
        env={"SECRET": CANARY},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        address, descriptor = (await process.stdout.readline()).split()
        yield process.pid, int(address), int(descriptor)
    finally:
        process.stdin.close()
        await process.wait()


def secret_files(folder: DataFolder, other_log: Path) -> dict[str, str]:
    """A file of every kind that must not be read, by what it is."""
    sidecar, orchestrator = folder.identity(Role.SIDECAR), folder.identity(Role.ORCHESTRATOR)
    found = {
        "settings": folder.settings_file,
        "root key": next(p for p in sorted((folder.root / "kms").rglob("*")) if p.is_file()),
        "vault": folder.vault("acme") / "workspace.sealed",
        "data key": folder.data_key_file("acme"),
        "keyring": folder.keyring_file("acme"),
        "sidecar event key": sidecar / "event.key",
        "sidecar bus credentials": sidecar / "user.creds",
        "receipt key": sidecar / "receipts.mac",
        "key that mints runs": orchestrator / "runtime.signing.nk",
        "operator key": folder.root / "operator" / "operator.nk",
        "tls authority key": folder.tls / "ca.key",
        "tls client key": folder.tls / "client.key",
        "rep key": folder.person("ann") / "event.key",
        "admin key": folder.person("ada") / "event.key",
        "log of another run": other_log,
        "ledger": next(p for p in sorted((folder.root / "nats").rglob("*.blk"))),
        "users of the machine": Path("/etc/passwd"),
    }
    assert all(path.stat().st_size for path in found.values()), found
    return {name: os.fspath(path) for name, path in found.items()}


def _bound(family: int, kind: int, address: object) -> socket.socket:
    made = socket.socket(family, kind)
    made.setblocking(False)
    made.bind(address)
    return made
