"""The `anyteam` command as a test runs it, and what a person does to a file after it."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any, Final

import tomlkit

from bus.folder import DataFolder

ROOT: Final = Path(__file__).parents[1]


async def said_by(folder: DataFolder, *words: str) -> list[dict[str, Any]]:
    """What a command says, as JSON lines. It must succeed."""
    code, out, err = await ended(folder, *words, "--json")
    assert code == 0, out + err
    return [json.loads(line) for line in out.splitlines()]


async def ended(folder: DataFolder, *words: str) -> tuple[int, str, str]:
    """A command's exit code, output and errors."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "console.main", *words),
        env={"ANYTEAM_DATA": str(folder.root), "PATH": os.environ["PATH"]},
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


def allow(folder: DataFolder, server: str, **tools: dict[str, Any]) -> None:
    """Allow tools of a pinned MCP server, with these fields of their declarations."""
    file = folder.mcp_file(server)
    document = tomlkit.parse(file.read_text())
    for own, fields in tools.items():
        table = document["tool"][own]  # type: ignore[index]
        for key, value in {"allow": True, "summary": own, **fields}.items():
            table[key] = value  # type: ignore[index]
    file.write_text(tomlkit.dumps(document))
