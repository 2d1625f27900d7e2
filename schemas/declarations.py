"""An MCP server's declarations read into the settings, and what they declare to the gate. Pure.

Nothing is allowed by omission: a tool without `allow = true` does not exist, and one that is
allowed says what it does in the person's own words. Each error names file and key.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from schemas.mcp import BY_ANSWER, McpDeclarations, McpTool
from schemas.sections import BadSettings
from schemas.settings import Settings
from schemas.tools import Effect, Tool

_PARTS = ("destinations", "amounts", "paths", "objects", "contents")


def with_declarations(settings: Settings, texts: Mapping[str, tuple[str, str]]) -> Settings:
    """`settings` with each server's tools; `texts` is (file, content) by server.

    Raises `BadSettings`.
    """
    servers = {
        name: replace(server, tools=parse_declarations(name, *texts[name]))
        if name in texts
        else server
        for name, server in settings.connectors.mcp.items()
    }
    return replace(settings, connectors=replace(settings.connectors, mcp=servers))


def parse_declarations(server: str, where: str, text: str) -> dict[str, McpTool]:
    """The tools in one file. Raises `BadSettings`."""
    try:
        found = msgspec.toml.decode(text, type=McpDeclarations).tool
    except (ValueError, RecursionError) as error:
        raise BadSettings(f"{where}: {error}", fix=f"anyteam mcp pin {server}") from error
    names: dict[str, str] = {}
    for own, tool in found.items():
        if tool.name in names:
            raise BadSettings(
                f"{where}: tool.{own}.name is {tool.name}, and so is tool.{names[tool.name]}.name",
                fix="give one of them another name",
            )
        names[tool.name] = own
        if not tool.name.startswith(f"{server}."):
            raise BadSettings(
                f"{where}: tool.{own}.name is {tool.name}", fix=f"begin it with {server}."
            )
        if tool.allow:
            _check_allowed(f"{where}: tool.{own}", tool, found)
    return found


def tools_of(declared: Mapping[str, McpTool]) -> tuple[Tool, ...]:
    """What a server's declarations offer to the gate: the allowed tools, no others."""
    return tuple(_tool(tool) for tool in declared.values() if tool.allow)


def _tool(declared: McpTool) -> Tool:
    assert declared.effect is not None
    return Tool(
        name=declared.name,
        summary=declared.summary,
        arguments=msgspec.json.decode(declared.arguments),
        effect=declared.effect,
        destinations=declared.destinations,
        amounts=declared.amounts,
        paths=declared.paths,
        objects=declared.objects,
        contents=declared.contents,
        trust=declared.trust,
        classification=declared.classification,
        asked_by=declared.asked_by,
        reach=declared.reach,
        ceiling=declared.ceiling,
        cost=declared.cost,
        compensation=declared.compensation,
        confirm=_words(declared),
    )


def _words(declared: McpTool) -> str:
    """How success is read back, for the signed policy."""
    if declared.effect is Effect.READ:
        return ""
    if declared.confirm is None:
        return "nothing is read back: each outcome is unknown"
    if declared.confirm == BY_ANSWER:
        return "the MCP server's own answer is believed; nothing is read back"
    return f"read back by the same MCP server's {declared.confirm.tool}"


def _check_allowed(key: str, tool: McpTool, found: Mapping[str, McpTool]) -> None:
    if not tool.summary.strip():
        raise BadSettings(f"{key}.summary is empty", fix="say in one line of yours what it does")
    if tool.effect is None:
        raise BadSettings(
            f"{key}.effect is missing",
            fix=f"one of {', '.join(effect.value for effect in Effect)}",
        )
    properties = _properties(key, tool)
    for part in _PARTS:
        for argument in getattr(tool, part):
            if argument.partition(".")[0] not in properties:
                raise BadSettings(
                    f"{key}.{part} names {argument}, which is no argument of the tool",
                    fix=f"one of {', '.join(sorted(properties)) or '(it has none)'}",
                )
    confirm = tool.confirm
    if confirm is None or confirm == BY_ANSWER:
        return
    if confirm.tool not in found:
        raise BadSettings(
            f"{key}.confirm.tool is {confirm.tool}, which is not in this file",
            fix=f"one of {', '.join(sorted(found))}",
        )
    if found[confirm.tool].effect is not Effect.READ:
        raise BadSettings(
            f"{key}.confirm.tool is {confirm.tool}, which is not declared as a read",
            fix=f'set tool.{confirm.tool}.effect = "read" where it is one',
        )
    if not (confirm.equals or confirm.contains or confirm.absent):
        raise BadSettings(f"{key}.confirm has no condition", fix="add equals, contains or absent")


def _properties(key: str, tool: McpTool) -> dict[str, Any]:
    try:
        schema = msgspec.json.decode(tool.arguments, type=dict[str, Any])
        return dict(schema.get("properties", {}))
    except (TypeError, ValueError, RecursionError) as error:
        raise BadSettings(
            f"{key}.arguments is no JSON Schema of an object: {error}", fix="pin the server again"
        ) from error
