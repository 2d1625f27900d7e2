"""`anyteam.run`: a Python program as the runtime of its own run."""

import asyncio
from pathlib import Path

import pytest

import anyteam
from schemas.actions import ReceiptIssued
from schemas.runs import RunCompleted, RunOutcome
from tests.faults.installation import is_a, is_end, until, up
from tests.process.test_mcp_serve import NOTE, TOOLS, prepared, said_by


async def test_a_program_s_calls_are_receipted_and_its_run_succeeds(tmp_path: Path) -> None:
    folder = prepared(tmp_path / "home")
    intent = "keep a note from agenda.txt in note.txt"
    async with up(folder):
        async with anyteam.run(
            "outside", intent, tools=TOOLS, effects=["mutation"], data=folder.root
        ) as tools:
            read = await tools.call("files.read", {"path": "agenda.txt"})
            done = await tools.call("files.write", NOTE)
            with pytest.raises(anyteam.CallRefused, match="layer 6"):
                await tools.call("files.read", {"path": "/etc/passwd"})
            with pytest.raises(anyteam.CallRefused):
                await tools.call("files.list", {})
        entries = await until(folder, tools.run, is_end)
    assert [tool.name for tool in tools.offered] == list(TOOLS)
    assert read.result["text"] == "Boeing at nine"
    assert (folder.root / "files" / "note.txt").read_text() == "hello"
    receipts = [r.digest.hex() for r in entries if isinstance(r.event.body, ReceiptIssued)]
    assert [read.receipt, done.receipt] == receipts
    assert tools.ended[0] == "success"


async def test_a_held_call_raises_and_the_same_call_again_finds_what_a_person_said(
    tmp_path: Path,
) -> None:
    folder = prepared(tmp_path / "home")
    async with (
        up(folder),
        anyteam.run("outside", "keep a note", tools=TOOLS, wait=0, data=folder.root) as tools,
    ):
        with pytest.raises(anyteam.CallHeld) as held:
            await tools.call("files.write", NOTE)
        assert "waits for a person" in await tools.tell("files.write", NOTE)
        await said_by(folder, "approve", held.value.proposal)
        await until(folder, tools.run, is_a(ReceiptIssued))
        done = await tools.call("files.write", NOTE)
        assert done.proposal == held.value.proposal


async def test_a_program_that_fails_ends_its_run_as_failed(tmp_path: Path) -> None:
    folder = prepared(tmp_path / "home")
    async with up(folder):
        with pytest.raises(ZeroDivisionError):
            async with anyteam.run("outside", "keep a note", tools=TOOLS, data=folder.root) as t:
                await t.call("files.read", {"path": "agenda.txt"})
                raise ZeroDivisionError
        entries = await until(folder, t.run, is_end)
    end = entries[-1].event.body
    assert isinstance(end, RunCompleted)
    assert end.outcome is RunOutcome.FAILURE


async def test_a_run_that_policy_does_not_carry_does_not_start(tmp_path: Path) -> None:
    folder = prepared(tmp_path / "home")
    async with up(folder):
        with pytest.raises(anyteam.RunNotStarted, match=r"files\.shred"):
            async with asyncio.timeout(30):
                async with anyteam.run("outside", "shred", tools=["files.shred"], data=folder.root):
                    pytest.fail("it started")
