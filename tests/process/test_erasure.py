"""`anyteam erase` through all the real processes: a person is gone, and every chain verifies."""

import asyncio
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from bus.decider import Recorded
from bus.folder import DataFolder
from console.commands.runs import request_run
from console.custody import content_keys
from console.session import session
from crypto.errors import SealError
from crypto.trust import Trust
from ledger.export import ExportReader
from ledger.replay import verified_entries
from schemas.content import Plain, Sealed
from schemas.leases import Intent
from schemas.names import Role
from schemas.tools import Effect
from tests.faults.installation import ROOT, is_end, until, up

SETTINGS = """\
workspace = "acme"
reps = ["ann"]
admins = ["ada"]
[policy]
tools = ["files.write", "files.read", "memory.retain", "memory.recall"]
[connectors]
memory = true
[connectors.files]
root = "files"
[agents.clerk]
planner = "scripted"
plan = "clerk.json"
"""
CLAIM = "Dana Whitfield prefers calls on Thursdays."


async def run_of(folder: DataFolder, summary: str, *steps: tuple[str, dict[str, Any]]) -> None:
    plan = [{"tool": tool, "arguments": given, "purpose": summary} for tool, given in steps]
    (folder.root / "clerk.json").write_text(json.dumps({"steps": plan}))
    async with session(folder.root, Role.REP) as opened:
        tools = tuple(sorted({tool for tool, _ in steps}))
        intent = Intent(summary=summary, effects=(Effect.MUTATION,))
        run = await request_run(opened, "clerk", intent, tools, 120, 9, None)
    await until(folder, run, is_end)


async def anyteam(folder: DataFolder, *words: str, code: int = 0) -> list[dict[str, Any]]:
    """What the command says, as JSON lines; it ends with `code`."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "console.main", *words, "--json"),
        env={"ANYTEAM_DATA": str(folder.root), "PATH": os.environ["PATH"]},
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode == code, (process.returncode, out, err)
    return [json.loads(one) for one in out.splitlines()]


def said(folder: DataFolder, export: Path) -> dict[str, str]:
    """All content of an export that this machine's keys open, by the files and fields it names."""
    settings = folder.settings()
    trust = Trust(settings.workspace, folder.root_public())
    entries = ((e.index, e.subject, e.body) for e in ExportReader(export).entries())
    found = {}
    for entry in verified_entries(entries, trust, content_keys(folder, settings)):
        assert isinstance(entry, Recorded)
        for name in entry.event.body.__struct_fields__:
            content = getattr(entry.event.body, name)
            if isinstance(content, Plain):
                found[f"{entry.event.id} {name}"] = content.data.decode()
            elif isinstance(content, Sealed):
                found[f"{entry.event.id} {name}"] = ""
    return found


async def test_what_speaks_of_a_person_opens_nowhere_and_every_chain_verifies(
    tmp_path: Path,
) -> None:
    folder = DataFolder(tmp_path / "home")
    folder.root.mkdir(mode=0o700)
    (folder.root / "files").mkdir()
    folder.settings_file.write_text(SETTINGS)
    before, after = tmp_path / "before", tmp_path / "after"
    async with up(folder):
        note = {"path": "a.txt", "content": "Met dana.whitfield+crm@example.com today."}
        other = {"path": "b.txt", "content": "Nothing about anybody."}
        await run_of(
            folder, "Write what happened to a file", ("files.write", note), ("files.write", other)
        )
        await run_of(folder, f"Remember this: {CLAIM}", ("memory.retain", {"claim": CLAIM}))
        ask = {"query": "when does Whitfield like calls"}
        await run_of(folder, "Look up what we remember of Whitfield", ("memory.recall", ask))
        await anyteam(folder, "export", str(before))
        [shown] = await anyteam(
            folder, "erase", "dana.whitfield@example.com", "Whitfield", "--dry-run"
        )
        assert shown["erased"] == 0
        clear = said(folder, before)
        [done] = await anyteam(folder, "erase", "dana.whitfield@example.com", "Whitfield", "--yes")
        assert done["erased"] == len(shown["fields"]) > 0
        assert {m["type"] for m in done["clear"]} >= {"run.requested"}
        [memory] = await anyteam(folder, "memory", "list")
        assert memory["text"] is None
        # The sidecar goes on, and remembers her no more.
        calls = {"query": "who prefers calls on Thursdays"}
        await run_of(folder, "Look up who prefers calls on Thursdays", ("memory.recall", calls))
        await anyteam(folder, "export", str(after))
        [replayed] = await anyteam(folder, "replay", "--check")
        assert replayed["differences"] == [] and replayed["erased"]
        nothing = await anyteam(folder, "erase", "dana.whitfield@example.com", "--yes", code=2)
        assert nothing[0]["fields"] == []
    for export in (before, after):
        root = str(folder.root_public_file)
        [verified] = await anyteam(folder, "verify", str(export), "--root", root)
        assert verified["ok"]
        texts = said(folder, export)
        assert not any("hitfield" in text.casefold() for text in texts.values())
        erased = {f"{f['event']} {f['name']}" for f in done["fields"]}
        assert {place for place in clear if not texts[place]} == erased
        assert all(texts[place] == clear[place] for place in clear.keys() - erased)
    async with up(folder):
        await run_of(folder, "Write what happened to a file", ("files.write", other))
        [again] = await anyteam(folder, "replay", "--check")
        assert again["differences"] == []


async def test_a_copy_of_the_vault_from_before_opens_until_its_wrapping_key_is_gone(
    tmp_path: Path,
) -> None:
    folder = DataFolder(tmp_path / "home")
    folder.root.mkdir(mode=0o700)
    (folder.root / "files").mkdir()
    folder.settings_file.write_text(SETTINGS)
    export, backup = tmp_path / "export", tmp_path / "backup"
    async with up(folder):
        note = {"path": "a.txt", "content": "Met dana.whitfield@example.com today."}
        await run_of(folder, "Write what happened to a file", ("files.write", note))
        await anyteam(folder, "export", str(export))
        shutil.copytree(folder.root / "vault", backup)
        await anyteam(folder, "erase", "dana.whitfield@example.com", "--yes")
        await anyteam(folder, "key", "rewrap")
        assert not any("dana" in text for text in said(folder, export).values())
    ring = folder.keyring_file("acme")
    ring.write_bytes((backup / ring.name).read_bytes())
    assert any("dana.whitfield" in text for text in said(folder, export).values())
    (folder.kms / "acme.kek-1").unlink()
    with pytest.raises(SealError, match="version '1'"):
        said(folder, export)


async def test_a_run_that_goes_on_keeps_its_content_and_an_empty_word_names_nobody(
    tmp_path: Path,
) -> None:
    folder = DataFolder(tmp_path / "home")
    folder.root.mkdir(mode=0o700)
    (folder.root / "files").mkdir()
    folder.settings_file.write_text(
        SETTINGS.replace("[policy]", '[policy]\nhuman_effects = ["mutation"]')
    )
    async with up(folder):
        note = {"path": "a.txt", "content": "Met dana.whitfield@example.com today."}
        plan = [{"tool": "files.write", "arguments": note, "purpose": "write it down"}]
        (folder.root / "clerk.json").write_text(json.dumps({"steps": plan}))
        async with session(folder.root, Role.REP) as opened:
            intent = Intent(summary="Write what happened", effects=(Effect.MUTATION,))
            run = await request_run(opened, "clerk", intent, ("files.write",), 120, 9, None)
        await until(folder, run, lambda r: r.event.type == "approval.requested")
        await anyteam(folder, "erase", "dana.whitfield@example.com", "--yes", code=1)
        await anyteam(folder, "erase", " ", "--yes", code=2)
        await anyteam(folder, "erase", "ann", "--yes", "--reason", "Ann asked", code=2)
        await anyteam(folder, "halt", "run", run)
        await until(folder, run, is_end)
        [done] = await anyteam(folder, "erase", "dana.whitfield@example.com", "--yes")
        assert done["erased"] > 0
