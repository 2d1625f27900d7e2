"""The supervisor as a process of its own: what it sees is on record, binds, and verifies."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from bus.decider import Recorded
from bus.folder import DataFolder
from console.commands.approvals import answer
from console.session import session
from schemas.actions import ActionRefused, ApprovalRequested, Decision, LayerResult
from schemas.names import Role
from schemas.runs import RunHalted
from schemas.supervision import SupervisorFlagged
from tests.faults.installation import (
    DEADLINE_S,
    ROOT,
    ask,
    follow,
    is_a,
    is_end,
    prepared,
    until,
    up,
)


def planned(folder: DataFolder, tools: list[str]) -> None:
    """Have the writer's next run call these tools; none but `files.write` is in its lease."""
    steps = [
        {
            "tool": tool,
            "arguments": {"path": f"note-{step}.txt", "content": "a note"},
            "purpose": "see what happens",
        }
        for step, tool in enumerate(tools)
    ]
    (folder.root / "writer.json").write_text(json.dumps({"steps": steps}))


async def flagged(folder: DataFolder, met: Callable[[SupervisorFlagged], bool]) -> Recorded:
    """The first flag on record that meets the condition."""
    async with asyncio.timeout(DEADLINE_S), contextlib.aclosing(follow(folder)) as entries:
        async for recorded in entries:
            body = recorded.event.body
            if isinstance(body, SupervisorFlagged) and met(body):
                return recorded
    raise AssertionError("the ledger ended")


def flag_of(run: str, pattern: str) -> Callable[[SupervisorFlagged], bool]:
    return lambda body: (body.target, body.pattern) == (run, pattern)


async def anyteam(home: Path, *words: str) -> tuple[int, str]:
    """A command's exit code and what it said."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "console.main", *words),
        env={"ANYTEAM_DATA": str(home), "COLUMNS": "200", "PATH": os.environ["PATH"]},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    async with asyncio.timeout(DEADLINE_S):
        said, _ = await process.communicate()
    return process.returncode or 0, said.decode()


async def test_a_run_that_probes_is_flagged_and_the_flag_verifies_and_is_derived_again(
    tmp_path: Path,
) -> None:
    folder = prepared(tmp_path / "home")
    planned(folder, ["files.shred"] * 4)
    async with up(folder):
        run = await ask(folder, "writer", "files.write")
        entry = await flagged(folder, flag_of(run, "probing"))
        entries = await until(folder, run, is_end)
        _, status = await anyteam(folder.root, "status", "--json")
        exported, said = await anyteam(folder.root, "export", str(tmp_path / "export"))
        assert exported == 0, said
        replayed, said = await anyteam(folder.root, "replay", "--check", "--json")
        assert replayed == 0, said
        assert json.loads(said)["derived"]["supervisor.flagged"] == 1
    flag = entry.event.body
    assert isinstance(flag, SupervisorFlagged)
    assert entry.event.actor.role is Role.SUPERVISOR
    assert entry.event.run is None
    refused = [r.digest for r in entries if isinstance(r.event.body, ActionRefused)]
    assert list(flag.evidence) == refused[:4]
    assert json.loads(status)["components"]["supervisor"] is True
    root = str(folder.root_public_file)
    verified, said = await anyteam(
        folder.root, "verify", str(tmp_path / "export"), "--root", root, "--json"
    )
    assert verified == 0, said
    assert json.loads(said)["size"] >= entry.index


async def test_a_run_under_a_standing_hold_asks_a_person_before_its_next_effect(
    tmp_path: Path,
) -> None:
    folder = prepared(tmp_path / "home")
    planned(folder, ["files.shred"] * 4 + ["files.write"] * 2)
    async with up(folder):
        # Without effects in its intent the first write waits for a person anyway: time enough
        # for the flag to be on record before the second is gated.
        run = await ask(folder, "writer", "files.write", effects=())
        await until(folder, run, is_a(ApprovalRequested))
        await flagged(folder, flag_of(run, "probing"))
        first = await until(folder, run, is_a(ApprovalRequested))
        await approve(folder, first[-1])
        entries = await until(folder, run, second(ApprovalRequested))
    asked = entries[-1].event.body
    assert isinstance(asked, ApprovalRequested)
    layer = asked.layers[12]
    assert (layer.name, layer.result) == ("supervisor", LayerResult.HOLD)
    assert f"probing on run {run}" in layer.evidence


async def test_a_pattern_that_halts_ends_the_run_until_an_admin_has_looked(
    tmp_path: Path,
) -> None:
    folder = prepared(tmp_path / "home")
    planned(folder, ["files.shred"] * 10 + ["files.write"])
    async with up(folder):
        run = await ask(folder, "writer", "files.write", effects=())
        entry = await flagged(folder, flag_of(run, "probing-on"))
        entries = await until(folder, run, is_a(RunHalted))
    halted = entries[-1].event.body
    assert isinstance(halted, RunHalted)
    assert halted.halt == entry.digest
    assert halted.reason.startswith("probing-on: ")
    assert list((folder.root / "files").iterdir()) == []


async def test_a_killed_supervisor_comes_back_and_repeats_nothing(tmp_path: Path) -> None:
    folder = prepared(tmp_path / "home")
    planned(folder, ["files.shred"] * 4)
    async with up(folder) as supervisor:
        first = await ask(folder, "writer", "files.write")
        await flagged(folder, flag_of(first, "probing"))
        os.kill(supervisor.pid_of("supervisor"), signal.SIGKILL)
        second = await ask(folder, "writer", "files.write")
        last = await flagged(folder, flag_of(second, "probing"))
        flags = await known_flags(folder, last.index)
    assert [(flag.pattern, flag.target) for flag in flags] == [
        ("probing", first),
        ("probing", second),
    ]


async def known_flags(folder: DataFolder, upto: int) -> list[SupervisorFlagged]:
    """All flags on record up to an index."""
    found = []
    async with contextlib.aclosing(follow(folder)) as entries:
        async for recorded in entries:
            if isinstance(recorded.event.body, SupervisorFlagged):
                found.append(recorded.event.body)
            if recorded.index >= upto:
                return found
    return found


async def approve(folder: DataFolder, entry: Recorded) -> None:
    asked = entry.event.body
    assert isinstance(asked, ApprovalRequested)
    async with session(folder.root, Role.ADMIN) as opened:
        await answer(opened, asked.proposal.hex(), Decision.APPROVE, "", None)


def second(kind: type) -> Callable[[Recorded], bool]:
    """The condition that this is the run's second entry of a kind."""
    seen: list[int] = []

    def met(recorded: Recorded) -> bool:
        if isinstance(recorded.event.body, kind):
            seen.append(recorded.index)
        return len(seen) == 2

    return met
