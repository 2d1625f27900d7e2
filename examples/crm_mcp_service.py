"""A small CRM as an MCP server over stdio: notes on contacts, kept in one JSON file.

    python -m examples.crm_mcp_service --data FILE --log L

MCP has no idempotency key: a note that is added twice is there twice. What was added can be read
back, and that is all that can be known. The log holds each call as it was made, synced, with what
came of it, so that it can be held against what the caller believes.
"""

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from mcp.server import Server
from mcp.server.stdio import stdio_server
from mcp.types import (
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    TextContent,
    Tool,
)

from examples.service import append_durably, write_durably

_CONTACT = {"type": "string", "maxLength": 100, "description": "The contact's address"}
_NOTE = {"type": "string", "maxLength": 2000, "description": "Plain text"}

TOOLS = [
    Tool(
        name="add_note",
        description="Adds a note to a contact.",
        input_schema={
            "type": "object",
            "properties": {"contact": _CONTACT, "note": _NOTE},
            "required": ["contact", "note"],
            "additionalProperties": False,
        },
    ),
    Tool(
        name="list_notes",
        description="Lists the notes of a contact, the newest last.",
        input_schema={
            "type": "object",
            "properties": {"contact": _CONTACT},
            "required": ["contact"],
            "additionalProperties": False,
        },
    ),
    Tool(
        name="remove_note",
        description="Removes a note from a contact, by its text.",
        input_schema={
            "type": "object",
            "properties": {"contact": _CONTACT, "note": _NOTE},
            "required": ["contact", "note"],
            "additionalProperties": False,
        },
    ),
]


class Notes:
    """The notes in `data`, by contact."""

    def __init__(self, data: Path, log: Path) -> None:
        self._path, self._log = data, log
        self._data: dict[str, list[str]] = json.loads(data.read_text()) if data.exists() else {}

    async def tools(self, _context: Any, _params: Any) -> ListToolsResult:
        """What it offers."""
        return ListToolsResult(tools=TOOLS)

    async def call(self, _context: Any, params: CallToolRequestParams) -> CallToolResult:
        """Do one thing; `is_error` where it cannot be done."""
        given = params.arguments or {}
        contact, note = str(given.get("contact", "")), str(given.get("note", ""))
        notes = self._data.get(contact, [])
        said, done = "\n".join(notes), params.name == "list_notes"
        if params.name == "add_note" and contact and note:
            self._keep(contact, [*notes, note])
            said, done = "added", True
        elif params.name == "remove_note" and note in notes:
            self._keep(contact, [one for one in notes if one != note])
            said, done = "removed", True
        effect = "applied" if done else "refused"
        append_durably(self._log, {"tool": params.name, "note": note, "effect": effect})
        text = TextContent(text=said if done else "there is no such note, contact or tool")
        return CallToolResult(content=[text], is_error=not done)

    def _keep(self, contact: str, notes: list[str]) -> None:
        self._data = {**self._data, contact: notes}
        write_durably(self._path, json.dumps(self._data, indent=1).encode())


async def _serve() -> None:
    parser = argparse.ArgumentParser(prog="python -m examples.crm_mcp_service")
    parser.add_argument("--data", type=Path, required=True, help="made if missing")
    parser.add_argument("--log", type=Path, required=True, help="one JSON line per call")
    options = parser.parse_args()
    notes = Notes(options.data, options.log)
    server: Server[Any] = Server("crm", on_list_tools=notes.tools, on_call_tool=notes.call)
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())


if __name__ == "__main__":
    sys.exit(asyncio.run(_serve()))
