"""Pinning: what an MCP server said of its tools, held fast by digest, with all switched off.

A tool's digest covers its name, title, description, schemas and hints, as canonical JSON. What
a person declared stays while the digest does; a tool that changed is switched off again.
Of the schema only what constrains is kept: prose in it could reach a prompt.
"""

import hashlib
import re
from collections.abc import Iterable
from enum import Enum
from typing import Any, Final

import msgspec
import tomlkit
from mcp.types import Tool
from msgspec import Struct
from tomlkit.items import Table

from schemas.mcp import McpTool
from sidecar.errors import Garbled

_HEADER: Final = (
    " The tools of an MCP server, as docs/configuration.md describes. Nothing runs but what says",
    " allow = true, with a summary of yours and an effect. A changed tool is switched off.",
)
_NAME: Final = re.compile(r"[A-Za-z0-9_.$@-]{1,64}")
_PLAIN: Final = frozenset(
    (
        "type",
        "enum",
        "const",
        "required",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
        "minLength",
        "maxLength",
        "pattern",
        "format",
        "minItems",
        "maxItems",
        "uniqueItems",
        "minProperties",
        "maxProperties",
        "dependentRequired",
        "minContains",
        "maxContains",
        "$ref",
    )
)
_SCHEMA: Final = frozenset(
    (
        "items",
        "additionalProperties",
        "not",
        "if",
        "then",
        "else",
        "contains",
        "propertyNames",
        "unevaluatedItems",
        "unevaluatedProperties",
    )
)
_SCHEMAS: Final = frozenset(["allOf", "anyOf", "oneOf", "prefixItems"])
_NAMED: Final = frozenset(
    (
        "properties",
        "patternProperties",
        "$defs",
        "definitions",
        "dependentSchemas",
    )
)


class Standing(Enum):
    """How what a server offers now compares with what was pinned."""

    NEW = "new"
    SAME = "same"
    CHANGED = "changed"
    GONE = "gone"


class Compared(Struct, frozen=True):
    """One tool by the server's own name; `offered` is None where it is gone."""

    own: str
    standing: Standing
    offered: Tool | None
    declared: McpTool | None


def digest_of(tool: Tool) -> str:
    """The digest of all that the server says of a tool."""
    said = [
        tool.name,
        tool.title,
        tool.description,
        tool.input_schema,
        tool.output_schema,
        tool.annotations.model_dump(mode="json") if tool.annotations is not None else None,
    ]
    return "sha256:" + hashlib.sha256(msgspec.json.encode(said, order="sorted")).hexdigest()


def compared(offered: Iterable[Tool], declared: dict[str, McpTool]) -> list[Compared]:
    """Each tool that is offered or declared, by name. Raises `Garbled` where two share one."""
    by_name: dict[str, Tool] = {}
    for tool in offered:
        if tool.name in by_name:
            raise Garbled("the MCP server offers two tools of one name")
        by_name[tool.name] = tool
    found = []
    for own in sorted(by_name.keys() | declared.keys()):
        offer, pin = by_name.get(own), declared.get(own)
        if offer is None:
            standing = Standing.GONE
        elif pin is None:
            standing = Standing.NEW
        else:
            standing = Standing.SAME if pin.digest == digest_of(offer) else Standing.CHANGED
        found.append(Compared(own, standing, offer, pin))
    return found


def pinned(server: str, text: str, offered: Iterable[Tool], declared: dict[str, McpTool]) -> str:
    """The declarations' text, brought up to what is offered; comments in it stay."""
    document = tomlkit.parse(text)
    if not text:
        for line in _HEADER:
            document.add(tomlkit.comment(line.strip()))
    tables = document.setdefault("tool", tomlkit.table(is_super_table=True))
    for one in compared(offered, declared):
        if one.standing is Standing.GONE:
            del tables[one.own]
        elif one.offered is not None and one.standing is not Standing.SAME:
            tables[one.own] = _switched_off(server, one.offered, tables.get(one.own))
    return tomlkit.dumps(document)


def _switched_off(server: str, tool: Tool, before: Table | None) -> Table:
    table = before if before is not None else tomlkit.table()
    if before is None:
        table["name"] = _our_name(server, tool.name)
    table["allow"] = False
    table["digest"] = digest_of(tool)
    schema = msgspec.json.encode(constraints(tool.input_schema)).decode()
    table["arguments"] = tomlkit.string(schema, literal="'" not in schema)
    return table


def _our_name(server: str, own: str) -> str:
    """A name in our form, at most 63 characters; a person may choose another."""
    plain = re.sub(r"[^a-z0-9_.-]", "_", own.lower())
    return f"{server}.{plain}"[:63]


def constraints(schema: Any) -> Any:
    """`schema` without prose and unknown keywords; no arguments beside those it names.

    Raises `Garbled` where a name in it is no plain word.
    """
    kept = _kept(schema)
    if not isinstance(kept, dict):
        raise Garbled("the MCP server's schema is no object")
    return {"type": "object", "properties": {}, "additionalProperties": False, **kept}


def _kept(schema: Any) -> Any:
    if not isinstance(schema, dict):
        return schema if isinstance(schema, bool) else {}
    found: dict[str, Any] = {}
    for keyword, value in schema.items():
        if keyword in _PLAIN:
            found[keyword] = value
        elif keyword in _SCHEMA:
            found[keyword] = _kept(value)
        elif keyword in _SCHEMAS and isinstance(value, list):
            found[keyword] = [_kept(one) for one in value]
        elif keyword in _NAMED and isinstance(value, dict):
            found[keyword] = {_checked(keyword, name): _kept(one) for name, one in value.items()}
    return found


def _checked(keyword: str, name: str) -> str:
    if keyword != "patternProperties" and not _NAME.fullmatch(name):
        raise Garbled("the MCP server's schema has a name that is no plain word")
    return name
