"""A run's tools in the hands of an outside agent: the official MCP client drives `anyteam mcp`."""

import asyncio
import contextlib
import json
import os
import signal
import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client, MCPError, StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CallToolResult, TextContent

from agents.serving.place import connect_to
from bus.folder import DataFolder
from console.commands.runs import request_run
from console.session import session
from schemas.actions import ActionFinished, ActionStarted, ApprovalRequested, ReceiptIssued
from schemas.leases import Intent
from schemas.names import Role
from schemas.runs import RunCompleted, RunOutcome, RunStarted
from schemas.tools import Effect
from tests.commands import said_by
from tests.faults.installation import ROOT, below, halt, is_a, is_end, until, up

SETTINGS = """\
workspace = "acme"
reps = ["ann"]
admins = ["ada"]
[policy]
tools = ["files.list", "files.read", "files.write"]
[connectors.files]
root = "files"
[agents.outside]
planner = "mcp"
"""
TOOLS = ("files.read", "files.write")
NOTE = {"path": "note.txt", "content": "hello"}


def prepared(home: Path) -> DataFolder:
    (home / "files").mkdir(parents=True)
    (home / "files" / "agenda.txt").write_text("Boeing at nine")
    (home / "anyteam.toml").write_text(SETTINGS)
    return DataFolder(home)


async def asked_for(folder: DataFolder, *effects: Effect) -> str:
    """A run for the outside agent, up. Without effects what it writes needs a person."""
    async with session(folder.root, Role.REP) as opened:
        intent = Intent(summary="keep a note from agenda.txt in note.txt", effects=effects)
        run = await request_run(opened, "outside", intent, TOOLS, 120, 20, None)
    await until(folder, run, is_a(RunStarted))
    return run


def anyteam(folder: DataFolder, *words: str) -> StdioServerParameters:
    return StdioServerParameters(
        command=sys.executable,
        args=["-m", "console.main", *words],
        env={"ANYTEAM_DATA": str(folder.root)},
        cwd=ROOT,
    )


@contextlib.asynccontextmanager
async def agent(folder: DataFolder, run: str, *options: str) -> AsyncIterator[Client]:
    """The official client on `anyteam mcp --run` over standard input and output."""
    served = anyteam(folder, "mcp", "--run", run, *options)
    async with Client(stdio_client(served)) as client:
        yield client


def text(answer: CallToolResult) -> str:
    return "\n".join(b.text for b in answer.content if isinstance(b, TextContent))


def of(answer: CallToolResult, key: str) -> str:
    """One of our keys in an answer: in its `_meta` and its structured content alike."""
    assert answer.meta is not None
    assert answer.structured_content is not None
    assert answer.meta[f"anyteam/{key}"] == answer.structured_content[key]
    return str(answer.meta[f"anyteam/{key}"])


async def test_leased_tools_are_listed_and_called_each_with_its_receipt(tmp_path: Path) -> None:
    folder = prepared(tmp_path / "home")
    async with up(folder):
        run = await asked_for(folder, Effect.MUTATION)
        async with agent(folder, run, "--finish") as client:
            listed = (await client.list_tools()).tools
            read = await client.call_tool("files_read", {"path": "agenda.txt"})
            written = await client.call_tool("files_write", NOTE)
            with pytest.raises(MCPError) as unknown:
                await client.call_tool("files_list", {"path": ""})
        entries = await until(folder, run, is_end)
    assert {tool.name for tool in listed} == {"files_read", "files_write"}
    assert [tool.title for tool in listed] == list(TOOLS)
    assert not read.is_error
    assert "Boeing at nine" in text(read)
    assert not written.is_error
    assert (folder.root / "files" / "note.txt").read_text() == "hello"
    assert "Unknown tool: files_list" in str(unknown.value)
    receipts = [r.digest.hex() for r in entries if isinstance(r.event.body, ReceiptIssued)]
    assert [of(read, "receipt"), of(written, "receipt")] == receipts
    end = entries[-1].event.body
    assert isinstance(end, RunCompleted)
    assert end.outcome is RunOutcome.SUCCESS
    assert {digest.hex() for digest in end.receipts} == set(receipts)


async def test_a_held_call_says_so_and_is_told_its_end_once_an_admin_approves(
    tmp_path: Path,
) -> None:
    folder = prepared(tmp_path / "home")
    async with up(folder):
        run = await asked_for(folder)
        async with agent(folder, run, "--wait", "0") as client:
            held = await client.call_tool("files_write", NOTE)
            again = await client.call_tool("files_write", NOTE)
            before = (folder.root / "files" / "note.txt").exists()
            await said_by(folder, "approve", of(held, "proposal")[:12])
            await until(folder, run, is_a(ReceiptIssued))
            done = await client.call_tool("files_write", NOTE)
        entries = await until(folder, run, is_a(ReceiptIssued))
    assert not before
    assert "waits for a person" in text(held)
    assert f"anyteam approve {of(held, 'proposal')[:12]}" in text(held)
    assert of(held, "outcome") == of(again, "outcome") == "held"
    assert of(again, "proposal") == of(held, "proposal") == of(done, "proposal")
    assert of(done, "outcome") == "confirmed"
    assert of(done, "receipt") == entries[-1].digest.hex()
    assert sum(isinstance(r.event.body, ActionStarted) for r in entries) == 1


async def test_a_call_waits_for_a_person_as_long_as_it_is_told_to(tmp_path: Path) -> None:
    folder = prepared(tmp_path / "home")
    async with up(folder):
        run = await asked_for(folder)
        async with agent(folder, run, "--wait", "60") as client:
            calling = asyncio.ensure_future(client.call_tool("files_write", NOTE))
            await until(folder, run, is_a(ApprovalRequested))
            [question] = await said_by(folder, "questions")
            await said_by(folder, "deny", question["proposal"], "--note", "not today")
            denied = await calling
    assert denied.is_error
    assert of(denied, "outcome") == "refused"
    assert "layer 14" in text(denied)
    assert not (folder.root / "files" / "note.txt").exists()


async def test_a_refused_call_gives_the_gate_s_reason_and_fix(tmp_path: Path) -> None:
    folder = prepared(tmp_path / "home")
    async with up(folder):
        run = await asked_for(folder, Effect.MUTATION)
        async with agent(folder, run) as client:
            refused = await client.call_tool("files_read", {"path": "../anyteam.toml"})
    assert refused.is_error
    assert "layer 6" in text(refused)
    assert "Fix: " in text(refused)


async def test_calls_side_by_side_each_get_their_own_answer(tmp_path: Path) -> None:
    folder = prepared(tmp_path / "home")
    names = [f"part-{n}.txt" for n in range(6)]
    async with up(folder):
        for name in names:
            (folder.root / "files" / name).write_text(f"this is {name}")
        run = await asked_for(folder, Effect.MUTATION)
        async with agent(folder, run) as client:
            answers = await asyncio.gather(
                *(client.call_tool("files_read", {"path": name}) for name in names)
            )
    assert all(f"this is {name}" in text(a) for name, a in zip(names, answers, strict=True))
    assert len({of(answer, "receipt") for answer in answers}) == len(names)


async def test_over_http_only_the_bearer_of_the_run_s_token_is_served(tmp_path: Path) -> None:
    folder = prepared(tmp_path / "home")
    async with up(folder):
        run = await asked_for(folder, Effect.MUTATION)
        place = folder.root / "run" / f"{run}.mcp.json"
        served = anyteam(folder, "mcp", "serve", "--run", run, "--http")
        process = await asyncio.create_subprocess_exec(
            *(served.command, *served.args),
            env={**(served.env or {}), "PATH": os.environ["PATH"]},
            cwd=ROOT,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            assert process.stderr is not None
            async with asyncio.timeout(30):
                await process.stderr.readuntil(b"serving")
            where = json.loads(place.read_bytes())
            assert stat.S_IMODE(place.stat().st_mode) == 0o600
            async with httpx2.AsyncClient() as nobody:
                for headers in ({}, {"Authorization": "Bearer another"}):
                    turned_away = await nobody.post(where["url"], headers=headers, json={})
                    assert turned_away.status_code == 401
            bearer = {"Authorization": f"Bearer {where['token']}"}
            async with (
                httpx2.AsyncClient(headers=bearer) as http,
                Client(streamable_http_client(where["url"], http_client=http)) as client,
            ):
                read = await client.call_tool("files_read", {"path": "agenda.txt"})
        finally:
            process.send_signal(signal.SIGINT)
            await process.wait()
        assert not place.exists()
    assert "Boeing at nine" in text(read)
    assert of(read, "receipt")


async def test_a_runtime_that_is_killed_is_replaced_and_its_open_call_is_found_again(
    tmp_path: Path,
) -> None:
    folder = prepared(tmp_path / "home")
    async with up(folder):
        run = await asked_for(folder)
        async with agent(folder, run, "--wait", "0") as client:
            held = await client.call_tool("files_write", NOTE)
            [runtime] = [p for p in below(os.getpid()) if p.argv[3:] == ("agents", "runtime")]
            os.kill(runtime.pid, signal.SIGKILL)
            await until(folder, run, _nth(RunStarted, 2))
            again = await client.call_tool("files_write", NOTE)
            await said_by(folder, "approve", of(held, "proposal")[:12])
            await until(folder, run, is_a(ActionFinished))
            done = await client.call_tool("files_write", NOTE)
        entries = await until(folder, run, is_a(ReceiptIssued))
    assert of(again, "proposal") == of(held, "proposal") == of(done, "proposal")
    assert of(done, "outcome") == "confirmed"
    assert sum(isinstance(r.event.body, ActionStarted) for r in entries) == 1


async def test_a_halted_run_is_over_for_the_agent_and_its_socket_is_gone(tmp_path: Path) -> None:
    folder = prepared(tmp_path / "home")
    async with up(folder):
        run = await asked_for(folder, Effect.MUTATION)
        place = folder.socket(run)
        assert stat.S_IMODE(place.stat().st_mode) == 0o600
        async with agent(folder, run) as client:
            await client.list_tools()
            await halt(folder, run, "enough")
            await until(folder, run, is_end)
            over = await client.call_tool("files_write", NOTE)
    assert over.is_error
    assert "Not done" in text(over) or "has ended" in text(over)
    assert not place.exists()
    assert not (folder.root / "files" / "note.txt").exists()


def _nth(kind: type, number: int) -> Any:
    seen: list[object] = []

    def reached(recorded: Any) -> bool:
        if isinstance(recorded.event.body, kind):
            seen.append(recorded)
        return len(seen) == number

    return reached


async def test_whoever_is_off_the_protocol_loses_their_turn_and_nobody_else_s(
    tmp_path: Path,
) -> None:
    folder = prepared(tmp_path / "home")
    async with up(folder):
        run = await asked_for(folder, Effect.MUTATION)
        for rubbish in (b"not json\n", b'{"ask":"keys","id":"1"}\n', b"x" * 2_000_000):
            speaker = connect_to(folder.socket(run))
            reader, writer = await asyncio.open_unix_connection(sock=speaker)
            with contextlib.suppress(ConnectionError):
                writer.write(rubbish)
                await writer.drain()
                assert await reader.read() == b""
            writer.close()
        async with agent(folder, run) as client:
            read = await client.call_tool("files_read", {"path": "agenda.txt"})
        entries = await until(folder, run, is_a(ReceiptIssued))
    assert "Boeing at nine" in text(read)
    assert sum(isinstance(r.event.body, RunStarted) for r in entries) == 1


async def test_a_run_that_is_not_served_is_told_in_words(tmp_path: Path) -> None:
    folder = prepared(tmp_path / "home")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "console.main", "mcp", "serve", "--run", "r-none"),
        env={"ANYTEAM_DATA": str(folder.root), "PATH": os.environ["PATH"]},
        cwd=ROOT,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode == 3
    assert out == b""
    assert b'planner = "mcp"' in err
