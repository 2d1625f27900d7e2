"""A live connection to one MCP server, made when it is first needed and again when it is lost.

The official client does the protocol. It wants to be opened and closed by one task, so each
connection has a task that holds it open. The server is given no way to ask anything of us:
sampling, elicitation and roots are not offered, and nothing it links to is followed.
"""

import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Final, TextIO

import anyio
import httpx2
from mcp import Client, MCPError, StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CONNECTION_CLOSED, INVALID_PARAMS, METHOD_NOT_FOUND, CallToolResult, Tool
from pydantic import ValidationError

from schemas.connectors import McpSettings
from sidecar.connectors.http import service_url
from sidecar.connectors.mcp import guard
from sidecar.connectors.mcp.bounded import BoundedTransport
from sidecar.errors import BadConnector, Denied, Garbled, TargetRefused, Unanswered, Unreachable
from sidecar.vault import Credentials

MAX_TOOLS: Final = 1_000

# It quotes what servers say, which is content.
logging.getLogger("mcp").setLevel(logging.CRITICAL)

_LOST: Final = (anyio.ClosedResourceError, anyio.BrokenResourceError, OSError)
_FAILED: Final = (MCPError, httpx2.HTTPError, TimeoutError, ValidationError, RuntimeError, *_LOST)

Transport = AbstractAsyncContextManager[Any]
Connect = Callable[[], Transport]


class McpServer:
    """One server. `connect` opens its transport. Safe to use from several tasks."""

    def __init__(self, connect: Connect, *, timeout_s: float) -> None:
        self._connect = connect
        self._timeout_s = timeout_s
        self._starting = asyncio.Lock()
        self._client: Client | None = None
        self._holder: asyncio.Task[None] | None = None
        self._stop = asyncio.Event()

    async def tools(self) -> list[Tool]:
        """What the server offers now. Nothing was done where it raises `Unreachable`."""
        try:
            return await self._list()
        except Unreachable:
            await self.close()
            return await self._list()

    async def call(self, tool: str, arguments: dict[str, Any]) -> CallToolResult:
        """Call a tool once. Raises `TargetRefused` where the protocol says that it was not run,
        `Unreachable` where it was not sent, and `Unanswered` or `Garbled` where it may have run.
        """
        client = await self._connected()
        try:
            async with asyncio.timeout(self._timeout_s):
                return await client.call_tool(tool, arguments)
        except MCPError as error:
            if error.code in (METHOD_NOT_FOUND, INVALID_PARAMS):
                raise TargetRefused(f"the MCP server refused the call ({error.code})") from error
            if error.code == CONNECTION_CLOSED:
                await self.close()
                raise Unanswered("the MCP server's connection ended") from error
            raise Garbled(f"the MCP server answered with an error ({error.code})") from error
        except TimeoutError as error:
            # What hangs once hangs on: the next call meets a new process.
            await self.close()
            raise Unanswered(f"no answer within {self._timeout_s:g} s") from error
        except (ValidationError, RuntimeError) as error:
            raise Garbled("the MCP server's answer is not what it declares") from error
        except (httpx2.HTTPError, *_LOST) as error:
            await self.close()
            raise Unanswered(f"the call was cut off: {type(error).__name__}") from error

    async def close(self) -> None:
        """End the connection, and the server's process where it is ours."""
        holder, self._holder, self._client = self._holder, None, None
        if holder is not None:
            holder.cancel()
            await asyncio.wait([holder])
            # Whatever it ended with is no news: it was told to end.
            if not holder.cancelled():
                holder.exception()

    async def _list(self) -> list[Tool]:
        client = await self._connected()
        found: list[Tool] = []
        cursor: str | None = None
        try:
            async with asyncio.timeout(self._timeout_s):
                while True:
                    page = await client.list_tools(cursor=cursor, cache_mode="bypass")
                    found += page.tools
                    cursor = page.next_cursor
                    if cursor is None or len(found) > MAX_TOOLS:
                        break
        except _FAILED as error:
            raise Unreachable(f"the MCP server does not list its tools: {_kind(error)}") from error
        if len(found) > MAX_TOOLS:
            raise Garbled(f"the MCP server lists over {MAX_TOOLS} tools")
        return found

    async def _connected(self) -> Client:
        async with self._starting:
            if self._client is not None and self._holder is not None and not self._holder.done():
                return self._client
            await self.close()
            transport = self._connect()
            ready: asyncio.Future[Client] = asyncio.get_running_loop().create_future()
            self._holder = asyncio.ensure_future(self._hold(transport, ready))
            waits: set[asyncio.Future[Any]] = {ready, self._holder}
            await asyncio.wait(waits, timeout=self._timeout_s, return_when=asyncio.FIRST_COMPLETED)
            if ready.done():
                self._client = ready.result()
                return self._client
            failure = self._holder.exception() if self._holder.done() else TimeoutError()
            await self.close()
            raise Unreachable(
                f"the MCP server does not come up: {_kind(failure)}", fix="anyteam mcp tools NAME"
            ) from failure

    async def _hold(self, transport: Transport, ready: "asyncio.Future[Client]") -> None:
        async with Client(transport, read_timeout_seconds=self._timeout_s) as client:
            ready.set_result(client)
            await asyncio.Event().wait()


def connector_to(settings: McpSettings, credentials: Credentials, errors: TextIO) -> Connect:
    """How to reach the server of these settings; what it says on standard error goes to `errors`.

    Raises `BadConnector` where it cannot be reached as configured; connecting raises `Denied`
    where the vault has no credential.
    """
    if settings.url:
        url = service_url(settings.url)
        return lambda: _over_http(url, _token(settings, credentials), settings.timeout_s)
    program = settings.command[0]
    if not Path(program).is_absolute():
        raise BadConnector(
            f"the MCP server's program {program} has no absolute path",
            fix="it is looked up nowhere: write /usr/bin/...",
        )
    return lambda: stdio_client(_guarded(settings, credentials), errlog=errors)


def _guarded(settings: McpSettings, credentials: Credentials) -> StdioServerParameters:
    named = {var: _credential(credentials, held) for var, held in settings.env_credentials.items()}
    environment = {**settings.env, **named}
    kept = [word for name in environment for word in ("--keep", name)]
    return StdioServerParameters(
        command=sys.executable,
        args=["-I", guard.__file__, *kept, "--", *settings.command],
        env=environment,
        cwd="/",
    )


def _token(settings: McpSettings, credentials: Credentials) -> str:
    return _credential(credentials, settings.credential) if settings.credential else ""


def silent() -> TextIO:
    """Where a server's standard error goes that nobody reads: it may hold anything."""
    return open(os.devnull, "w", encoding="utf-8")


@contextlib.asynccontextmanager
async def _over_http(url: str, token: str, timeout_s: float) -> AsyncIterator[Any]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    # The client's own redirects stay on the endpoint's origin; no proxy comes from outside.
    async with (
        httpx2.AsyncClient(
            headers=headers, timeout=timeout_s, trust_env=False, transport=BoundedTransport()
        ) as client,
        streamable_http_client(url, http_client=client) as streams,
    ):
        yield streams


def _credential(credentials: Credentials, name: str) -> str:
    value = credentials.get(name)
    if not value:
        raise Denied(f"the vault has no credential {name}", fix=f"anyteam credential {name}")
    return value


def _kind(error: BaseException | None) -> str:
    """An error's kind, without what it quotes."""
    if isinstance(error, MCPError):
        return f"error {error.code}"
    if isinstance(error, BaseExceptionGroup):
        return _kind(error.exceptions[0])
    return type(error).__name__
