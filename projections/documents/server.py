"""SecantusDB, which speaks MongoDB's protocol, as our child. Its licence is the GPL: it is run as a
program of its own and never imported.

Its first user can only be made while it asks for none. So it is started once on a port that nobody
was told, users are made, `admin` is held to have those alone, and from then on it runs with
authentication. A program of this machine that finds the port in that second could make itself a
user of another database, which the server does not list: docs/decisions/0067.
"""

import asyncio
import importlib.util
import os
import socket
import sys
from pathlib import Path
from typing import Any, Final, Self

import pymongo
from pymongo.errors import PyMongoError

from bus.lifeline import GRACE_S, guarded
from projections.documents.login import HOST, DocumentLogin
from projections.errors import StoreFailed, StoreMissing, StoreRefused

_POLL_MS: Final = 30_000


class DocumentServer:
    """A running server. `port` is where it listens."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self.port = port
        self._process = process

    @classmethod
    async def start(cls, folder: Path, logins: list[DocumentLogin], *, log: Path) -> Self:
        """Start it on the data in `folder`, with these users (their `port` is not heeded).

        Raises `StoreMissing`, `StoreFailed` or `StoreRefused`.
        """
        if importlib.util.find_spec("secantus") is None:
            raise StoreMissing(
                "there is no SecantusDB on this machine", fix='pip install "anyteam-trust[stores]"'
            )
        made = folder / "users-made"
        if not made.exists():
            first = await cls._run(folder, log, authenticate=False)
            try:
                await asyncio.to_thread(_make_users, first.port, logins)
            finally:
                await first.stop()
            made.touch(mode=0o600)
        return await cls._run(folder, log, authenticate=True)

    @classmethod
    async def _run(cls, folder: Path, log: Path, *, authenticate: bool) -> Self:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            port = int(probe.getsockname()[1])
        # An empty configuration of its own: it would look for one in the working folder and home.
        (folder / "secantusd.toml").write_text("")
        command = [
            *(sys.executable, "-I", "-m", "secantus", "--config", str(folder / "secantusd.toml")),
            *("--host", HOST, "--port", str(port), "--storage-path", str(folder / "data")),
            *("--cache-size", "128M", "--log-level", "WARNING"),
            *(["--auth"] if authenticate else []),
        ]
        with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as out:
            process = await asyncio.create_subprocess_exec(
                *guarded(command),
                stdin=asyncio.subprocess.PIPE,
                stdout=out,
                stderr=out,
                start_new_session=True,
                cwd=folder,
                env={"LC_ALL": "C.UTF-8", "PATH": os.defpath},
            )
        server = cls(process, port)
        try:
            await asyncio.to_thread(_until_ready, port)
        except PyMongoError as error:
            await server.stop()
            raise StoreFailed(f"SecantusDB did not come up: {error}", fix=f"see {log}") from error
        return server

    async def stop(self) -> None:
        """End the server: asked first, killed after a grace."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            async with asyncio.timeout(GRACE_S + 5):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    async def ended(self) -> int:
        """Wait until the server has ended, for whatever reason; its exit code."""
        return await self._process.wait()


def _until_ready(port: int) -> None:
    with _client(port) as client:
        client.admin.command("hello")


def _make_users(port: int, logins: list[DocumentLogin]) -> None:
    with _client(port) as client:
        for login in logins:
            role = {"role": "readWrite", "db": login.database}
            client.admin.command("createUser", login.user, pwd=login.password, roles=[role])
        known = client.admin.command("usersInfo", 1)["users"]
    there = {str(user["user"]) for user in known}
    if there != {login.user for login in logins}:
        raise StoreRefused(
            "the document store has users that provisioning did not make",
            fix="somebody on this machine came between; remove its folder and start again",
        )


def _client(port: int) -> pymongo.MongoClient[dict[str, Any]]:
    return pymongo.MongoClient(HOST, port, directConnection=True, serverSelectionTimeoutMS=_POLL_MS)
