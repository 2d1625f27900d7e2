"""An MCP server behind the gate: declared tools only, each as it was when a person pinned it.

MCP knows no idempotency key, so at most once rests on three things: a key is executed once by
this process; an effect is CONFIRMED only by the tool that its declaration names to read it
back (or by the server's word, where the declaration says so); and after a crash what the
reading back does not show is UNKNOWN, since the call may still be on its way, unless the
declaration calls the tool repeatable. A server that changed an allowed tool is held whole.
"""

from collections.abc import Mapping
from typing import Any, Final

import jsonschema_rs
import msgspec
from immutables import Map

from schemas.actions import ActionOutcome
from schemas.declarations import tools_of
from schemas.mcp import BY_ANSWER, McpReadBack, McpTool
from schemas.tools import Effect, Tool
from sidecar.connectors.connector import (
    Finding,
    Found,
    Outcome,
    bounded,
    check_key,
    confirmed,
    failed,
    unknown,
)
from sidecar.connectors.mcp import confirming
from sidecar.connectors.mcp.pins import Standing, compared
from sidecar.connectors.mcp.reading import result_of, text_of
from sidecar.connectors.mcp.session import McpServer
from sidecar.errors import BadArguments, ConnectorError, TargetRefused, ToolChanged

_REMEMBERED: Final = 10_000


class McpConnector:
    """The declared tools of one server, called `name` in the settings. Raises `BadConnector`."""

    tools: tuple[Tool, ...]

    def __init__(self, name: str, server: McpServer, declared: Mapping[str, McpTool]) -> None:
        self._name = name
        self._server = server
        self._declared = dict(declared)
        self._own = {tool.name: own for own, tool in declared.items() if tool.allow}
        self.tools = tools_of(declared)
        self._validators = {
            tool.name: jsonschema_rs.validator_for(tool.arguments) for tool in self.tools
        }
        self._done: Map[str, Outcome] = Map()
        for own, tool in declared.items():
            if tool.allow and isinstance(tool.confirm, McpReadBack):
                confirming.check(tool.confirm, f"mcp/{name}.toml: tool.{own}")

    async def execute(self, tool: str, arguments: dict[str, Any], key: str) -> Outcome:
        own, declared = self._checked(tool, arguments, key)
        if key in self._done:
            return self._done[key]
        await self._unchanged()
        if declared.effect is Effect.READ:
            return await self._read(own, arguments)
        outcome = await self._act(own, declared, arguments)
        if len(self._done) >= _REMEMBERED:
            self._done = Map()
        self._done = self._done.set(key, outcome)
        return outcome

    async def reconcile(self, tool: str, arguments: dict[str, Any], key: str) -> Found:
        _, declared = self._checked(tool, arguments, key)
        if declared.effect is Effect.READ:
            return Found(Finding.NOT_DONE)
        if not isinstance(declared.confirm, McpReadBack):
            return Found(Finding.UNKNOWN, detail="MCP has no means to ask, and none is declared")
        try:
            await self._unchanged()
            shown, evidence = await self._read_back(declared.confirm, arguments)
        except ConnectorError as error:
            return Found(Finding.UNKNOWN, detail=str(error))
        if shown:
            return Found(Finding.DONE, confirmed(evidence, _SHOWN, None))
        if shown is False and declared.repeatable:
            return Found(Finding.NOT_DONE)
        return Found(
            Finding.UNKNOWN, detail="it is not shown, but the call may still be on its way"
        )

    async def close(self) -> None:
        """End the server's process or connection."""
        await self._server.close()

    def _checked(self, tool: str, arguments: dict[str, Any], key: str) -> tuple[str, McpTool]:
        check_key(key)
        own = self._own.get(tool)
        if own is None:
            raise BadArguments("this connector does not serve that tool")
        try:
            msgspec.json.encode(arguments)
            fits = self._validators[tool].is_valid(arguments)
        except (UnicodeEncodeError, TypeError, ValueError):
            raise BadArguments("the arguments are nothing that JSON can carry") from None
        if not fits:
            raise BadArguments(
                "the arguments do not fit the tool's schema",
                fix="propose again within the tool's schema",
            )
        return own, self._declared[own]

    async def _unchanged(self) -> None:
        """Asked before each call: a server may show another face later (a rug pull)."""
        for one in compared(await self._server.tools(), self._declared):
            if one.declared is None or one.standing is Standing.SAME:
                continue
            if one.declared.allow or one.own in self._confirming():
                raise ToolChanged(
                    f"the MCP server {self._name} has changed its tool {one.declared.name} since"
                    f" it was pinned ({one.standing.value}); the server is held",
                    fix=f"look with `anyteam mcp tools {self._name}`, then pin it again",
                )

    def _confirming(self) -> set[str]:
        allowed = (tool.confirm for tool in self._declared.values() if tool.allow)
        return {confirm.tool for confirm in allowed if isinstance(confirm, McpReadBack)}

    async def _read(self, own: str, arguments: dict[str, Any]) -> Outcome:
        answer = await self._server.call(own, arguments)
        text, result = text_of(answer).encode(), bounded(result_of(answer))
        if answer.is_error:
            return Outcome(
                status=ActionOutcome.FAILED,
                evidence=text,
                detail="the MCP server's tool reported an error",
                result=result,
            )
        return confirmed(text, f"{len(text)} bytes of text", result)

    async def _act(self, own: str, declared: McpTool, arguments: dict[str, Any]) -> Outcome:
        result: Any = None
        said = ""
        reported_error = False
        try:
            answer = await self._server.call(own, arguments)
            result, reported_error = result_of(answer), bool(answer.is_error)
            said = "the MCP server reported an error" if reported_error else ""
        except ConnectorError as error:
            if error.before_effect:
                raise
            said = error.what
        if declared.confirm == BY_ANSWER and (result is not None):
            evidence = msgspec.json.encode(result)
            if reported_error:
                return _with(failed("the server's own answer, an error, is believed"), result)
            return confirmed(evidence, "by the server's own answer, as declared", result)
        if not isinstance(declared.confirm, McpReadBack):
            return _with(unknown(said or "answered, but no way to read it back"), result)
        try:
            shown, evidence = await self._read_back(declared.confirm, arguments)
        except ConnectorError as error:
            return _with(unknown(f"{said or 'answered'}; not read back: {error.what}"), result)
        if shown and not reported_error:
            return confirmed(evidence, _SHOWN, result)
        if shown is False and reported_error:
            return _with(failed(f"{said}, and it is not shown", evidence), result)
        detail = "shown all the same" if shown else "reading back does not show it"
        return _with(unknown(f"{said or 'answered'}; {detail}", evidence), result)

    async def _read_back(
        self, read_back: McpReadBack, arguments: dict[str, Any]
    ) -> tuple[bool | None, bytes]:
        asked = confirming.arguments_of(read_back, arguments)
        answer = await self._server.call(read_back.tool, asked)
        if answer.is_error:
            raise TargetRefused("the confirming tool reported an error")
        text = text_of(answer)
        return confirming.shown(read_back, arguments, text), text.encode()


_SHOWN: Final = "read back by the declared tool"


def _with(outcome: Outcome, result: Any) -> Outcome:
    return msgspec.structs.replace(outcome, result=bounded(result))
