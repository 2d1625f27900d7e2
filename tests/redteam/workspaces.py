"""Workspaces of the corpus: policies with declared tools, and the records found in them.

A workspace file names areas of tools (`tools/<area>.toml`), the policy's own fields, and
records that cases read. Arguments are declared shortly (`to = "address[]"`, a `?` after the
name for what may be left out) and become JSON Schema here.
"""

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from schemas.names import SECOND
from schemas.tools import Policy

HERE: Final = Path(__file__).parent
NOW: Final = 1_795_428_000 * SECOND
"""When every run begins: 23 November 2026, 10:00 UTC. In ns since the epoch."""

_TYPES: Final[Mapping[str, dict[str, Any]]] = {
    "text": {"type": "string", "maxLength": 60_000},
    "address": {"type": "string", "minLength": 3, "maxLength": 320},
    "number": {"type": "number"},
    "positive": {"type": "number", "exclusiveMinimum": 0},
    "integer": {"type": "integer", "minimum": 0},
    "boolean": {"type": "boolean"},
    "scalar": {"type": ["string", "number", "boolean"]},
    "object": {"type": "object"},
}


class Workspace(Struct, frozen=True, kw_only=True):
    """`policy` is still as written, so that a case can change a field of it."""

    name: str
    policy: Mapping[str, Any]
    records: Mapping[str, Mapping[str, Any]]


@lru_cache(maxsize=32)
def workspace(name: str) -> Workspace:
    """The workspace of that name. Raises FileNotFoundError where there is none."""
    said = tomllib.loads((HERE / "workspaces" / f"{name}.toml").read_text(encoding="utf-8"))
    tools = [tool for area in said["areas"] for tool in _tools(area)]
    policy = {"version": 1, **said.get("policy", {}), "tools": tools}
    return Workspace(name=name, policy=policy, records=said.get("records", {}))


def policy_of(place: Workspace, changes: Mapping[str, Any]) -> Policy:
    """The policy, with a case's changes. An allowlist entry says `expires_in`, in seconds from
    the run's beginning (negative: it has expired before); `tool` changes one tool's fields.

    Raises msgspec.ValidationError where what is written is no policy.
    """
    changed = {name: value for name, value in changes.items() if name != "tool"}
    by_tool: Mapping[str, Mapping[str, Any]] = changes.get("tool", {})
    said = {**place.policy, **changed}
    said["tools"] = [{**tool, **by_tool.get(tool["name"], {})} for tool in said["tools"]]
    said["destinations"] = [_entry(entry) for entry in said.get("destinations", [])]
    return msgspec.convert(said, Policy)


def schema(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON Schema of shortly declared arguments."""
    properties = {name.rstrip("?"): _type(kind) for name, kind in arguments.items()}
    required = [name for name in arguments if not name.endswith("?")]
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


@lru_cache(maxsize=32)
def _tools(area: str) -> tuple[dict[str, Any], ...]:
    said = tomllib.loads((HERE / "tools" / f"{area}.toml").read_text(encoding="utf-8"))
    return tuple(
        {**tool, "name": name, "arguments": schema(tool["arguments"])}
        for name, tool in said["tool"].items()
    )


def _type(kind: Any) -> dict[str, Any]:
    if isinstance(kind, dict):
        return kind
    if kind.endswith("[]"):
        return {"type": "array", "items": _TYPES[kind[:-2]], "maxItems": 500}
    return _TYPES[kind]


def _entry(entry: Mapping[str, Any]) -> dict[str, Any]:
    said = dict(entry)
    if "expires_in" in said:
        said["expires"] = NOW + said.pop("expires_in") * SECOND
    return said
