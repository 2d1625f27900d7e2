"""The HTTPS server: uvicorn on a loopback socket, TLS 1.2 or later, until it is cancelled."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import uvicorn
from starlette.applications import Starlette

from bus.tls import ensure_site
from console.listening import listen
from console.web.errors import WebError
from schemas.webconsole import ConsoleSettings

HOST: Final = "127.0.0.1"
GRACE_S: Final = 1


class Unserved(WebError):
    """The console cannot listen, or its certificate is no use."""

    exit_code = 4


class _Server(uvicorn.Server):
    """Signals are the process's business, not the server's."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listening(settings: ConsoleSettings, kept: Path) -> socket.socket:
    """The socket. A port that the system chose is kept in the file `kept`, and taken again.

    Raises `Unserved` where a port that the settings name is taken.
    """
    before = kept.read_text().strip() if kept.exists() else ""
    wanted = settings.port or (int(before) if before.isdecimal() else 0)
    try:
        found = listen(HOST, wanted)
    except OSError as error:
        if settings.port:
            raise Unserved(
                f"console.port {settings.port} cannot be listened on: {error.strerror}",
                fix="choose another port, or 0 for any",
            ) from error
        found = listen(HOST, 0)
    kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept.write_text(f"{found.getsockname()[1]}\n")
    return found


async def serve(
    app: Starlette, sock: socket.socket, settings: ConsoleSettings, base: Path, tls: Path
) -> None:
    """Serve until cancelled. Raises `Unserved` where the certificate is no use."""
    if settings.certificate:
        certificate, key = base / settings.certificate, base / settings.key
    else:
        _, certificate, key = ensure_site(tls)
    config = uvicorn.Config(
        app,
        ssl_certfile=certificate,
        ssl_keyfile=key,
        ssl_version=ssl.PROTOCOL_TLS_SERVER,
        log_level="warning",
        access_log=False,
        lifespan="off",
        proxy_headers=False,
        server_header=False,
        date_header=True,
        timeout_graceful_shutdown=GRACE_S,
    )
    try:
        config.load()
    except (OSError, ssl.SSLError) as error:
        raise Unserved(
            f"the console's certificate {certificate} or key cannot be used: {error}",
            fix="check console.certificate and console.key",
        ) from error
    server = _Server(config)
    serving = asyncio.ensure_future(server.serve(sockets=[sock]))
    try:
        await asyncio.shield(serving)
    finally:
        server.should_exit = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GRACE_S + 2):
                await serving
