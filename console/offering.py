"""A run's leased tools as an MCP server: each call becomes a proposal of that run's runtime.

What an agent is told of a tool is its declaration's summary and schema, never the words of
whoever runs the tool. An answer carries the receipt's digest in `_meta` and in its structured
content; a refusal says the gate's reason and fix; what waits for a person says so, and how to
ask again. Follows the Model Context Protocol as the official package speaks it.
"""

import hmac
from typing import Any, Final

from mcp import MCPError
from mcp.server import Server
from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings
from mcp.server.stdio import stdio_server
from mcp.types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    Tool,
    ToolAnnotations,
)
from pydantic import AnyHttpUrl
from starlette.applications import Starlette

from agents.errors import BadRequest, RunUnreachable
from agents.serving.caller import Caller
from agents.serving.wire import Answered, OfferedTool
from console.telling import told
from schemas.tools import Effect

META: Final = "anyteam/"
"""Prefix of our keys in an answer's `_meta`."""


class Offering:
    """The tools of one run, by way of its socket. `wait_s` is the patience for a person."""

    def __init__(self, caller: Caller, *, wait_s: float) -> None:
        self._caller = caller
        self._wait_s = wait_s
        self._names: dict[str, str] = {}

    async def tools(self, _context: Any, _params: PaginatedRequestParams | None) -> ListToolsResult:
        """The lease's tools."""
        offered = (await self._caller.tools()).tools
        self._names = shown_names(tool.name for tool in offered)
        return ListToolsResult(
            tools=[_shown(tool, shown) for tool, shown in zip(offered, self._names, strict=True)]
        )

    async def call(self, context: Any, params: CallToolRequestParams) -> CallToolResult:
        """Propose one call, and say what came of it."""
        if params.name not in self._names:
            await self.tools(context, None)
        name = self._names.get(params.name, params.name)
        try:
            answered = await self._caller.call(name, params.arguments or {}, wait_s=self._wait_s)
        except (RunUnreachable, BadRequest) as error:
            return CallToolResult(
                content=[TextContent(text=f"{error.what}. {error.fix}")], is_error=True
            )
        if answered.outcome == "unleased":
            raise MCPError(INVALID_PARAMS, f"Unknown tool: {params.name}")
        return _result(params.name, answered)


def server_of(offering: Offering) -> Server[Any]:
    """The MCP server; whoever runs it chooses the transport."""
    return Server("anyteam", on_list_tools=offering.tools, on_call_tool=offering.call)


async def over_stdio(server: Server[Any]) -> None:
    """Serve on this process's standard input and output until the agent goes."""
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())


def over_http(server: Server[Any], token: str) -> Starlette:
    """The streamable HTTP application at `/mcp`, for loopback, behind a bearer token."""
    return server.streamable_http_app(
        token_verifier=_OneToken(token),
        auth=AuthSettings(issuer_url=AnyHttpUrl("http://127.0.0.1"), resource_server_url=None),
    )


class _OneToken:
    """The run's own token, and no other."""

    def __init__(self, token: str) -> None:
        self._token = token.encode()

    async def verify_token(self, token: str) -> AccessToken | None:
        if not hmac.compare_digest(token.encode(), self._token):
            return None
        return AccessToken(token=token, client_id="agent", scopes=[])


def shown_names(names: Any) -> dict[str, str]:
    """Names as agents see them, to the lease's: many models take no dot in a tool's name.

    `crm.update_deal` is shown as `crm_update_deal`, unless two tools would share that.
    """
    own = list(names)
    plain = [name.replace(".", "_") for name in own]
    return {
        short if plain.count(short) == 1 else name: name
        for name, short in zip(own, plain, strict=True)
    }


def _shown(tool: OfferedTool, shown: str) -> Tool:
    return Tool(
        name=shown,
        title=tool.name,
        description=tool.summary,
        input_schema={"type": "object", **tool.arguments},
        annotations=ToolAnnotations(read_only_hint=tool.effect is Effect.READ),
    )


def _result(shown: str, answered: Answered) -> CallToolResult:
    meta = {"outcome": answered.outcome, "proposal": answered.proposal, "receipt": answered.receipt}
    marks = {key: value for key, value in meta.items() if value}
    structured: dict[str, Any] = dict(marks)
    if answered.result is not None:
        structured["result"] = answered.result
    if answered.change is not None:
        structured["change"] = answered.change
    if answered.wanted:
        structured["wanted"] = answered.wanted
    return CallToolResult(
        content=[TextContent(text=told(shown, answered))],
        structured_content=structured,
        is_error=answered.outcome not in ("confirmed", "held", "pending"),
        _meta={META + key: value for key, value in marks.items()},
    )
