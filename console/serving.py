"""Serving one run's tools to an MCP agent: over standard input and output, or HTTP on loopback.

This process holds no key of the run: it has the run's socket, which its owner alone may open.
Over HTTP the agent shows a bearer token that is made for this serving and ends with it.
"""

import secrets
from collections.abc import Callable
from contextlib import aclosing

import msgspec
import uvicorn
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_fixed

from agents.errors import RunUnreachable
from agents.serving.caller import Caller
from bus.folder import DataFolder
from console.listening import listen
from console.offering import Offering, over_http, over_stdio, server_of
from crypto.keyfile import write_secret

HOST = "127.0.0.1"
START_S = 10.0
"""How long a run that was just asked for may take to be there."""


async def serve_stdio(folder: DataFolder, run: str, wait_s: float, finish: bool) -> None:
    """Until the agent closes standard input. Raises `RunUnreachable`."""
    async with aclosing(Caller(folder.socket(run))) as caller:
        await _started(caller)
        await over_stdio(server_of(Offering(caller, wait_s=wait_s)))
        if finish:
            await caller.finish(True, "the agent has gone")


async def serve_http(
    folder: DataFolder, run: str, port: int, wait_s: float, say: Callable[[str], None]
) -> None:
    """Until it is told to stop. Raises `RunUnreachable`."""
    async with aclosing(Caller(folder.socket(run))) as caller:
        await _started(caller)
        token = secrets.token_urlsafe(32)
        app = over_http(server_of(Offering(caller, wait_s=wait_s)), token)
        with listen(HOST, port) as listening:
            url = f"http://{HOST}:{listening.getsockname()[1]}/mcp"
            place = folder.root / "run" / f"{run}.mcp.json"
            write_secret(place, msgspec.json.encode({"url": url, "token": token}) + b"\n")
            say(f"serving {run} at {url}; its bearer token is in {place}")
            config = uvicorn.Config(app, log_level="warning", access_log=False)
            try:
                await uvicorn.Server(config).serve(sockets=[listening])
            finally:
                place.unlink(missing_ok=True)


async def _started(caller: Caller) -> None:
    """Wait for the run's socket. Raises `RunUnreachable`."""
    patiently = AsyncRetrying(
        retry=retry_if_exception_type(RunUnreachable),
        stop=stop_after_delay(START_S),
        wait=wait_fixed(0.1),
        reraise=True,
    )
    await patiently(caller.tools)
