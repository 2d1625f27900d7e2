"""`anyteam receipt` on a real run: listed, shown, taken away, verified by the program beside it."""

import asyncio
import json
import os
import sys
from pathlib import Path

from bus.folder import DataFolder
from schemas.actions import ReceiptIssued
from tests.faults.installation import ROOT, STEPS, ask, is_end, prepared, until, up


async def said(*words: str, home: Path | None = None) -> tuple[int, str, str]:
    """A command's exit code, output and errors."""
    process = await asyncio.create_subprocess_exec(
        *words,
        env={"ANYTEAM_DATA": str(home), "COLUMNS": "300", "PATH": os.environ["PATH"]},
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


async def receipt(folder: DataFolder, *words: str) -> tuple[int, str, str]:
    command = (sys.executable, "-m", "console.main", "receipt", *words)
    return await said(*command, home=folder.root)


async def test_a_receipt_is_taken_away_and_verified_where_nothing_of_ours_is(
    tmp_path: Path,
) -> None:
    folder, desk = prepared(tmp_path / "home"), tmp_path / "desk"
    desk.mkdir()
    async with up(folder):
        run = await ask(folder, "writer", "files.write")
        entries = await until(folder, run, is_end)
        issued = sum(1 for entry in entries if isinstance(entry.event.body, ReceiptIssued))
        _, listed, _ = await receipt(folder, "list", "--run", run, "--json")
        receipts = [json.loads(line)["receipt"] for line in listed.splitlines()]
        assert len(receipts) == issued == STEPS
        action = receipts[0]["action"]
        _, shown, _ = await receipt(folder, "show", action[:16])
        taken = await receipt(folder, "export", action, "--out", str(desk / "r.json"))
        assert taken[0] == 0, taken[2]
        again = await receipt(folder, "export", action, "--out", str(desk / "r.json"))
        missing = await receipt(folder, "show", "ffff")
        key = await receipt(folder, "key", "--out", str(desk / "mac.key"))
    for part in ("confirmed, read back at the tool", "ann, by agent writer", "keep notes", action):
        assert part in shown
    assert (again[0], "exists" in again[2]) == (2, True)
    assert (missing[0], "anyteam receipt list" in missing[2]) == (2, True)
    assert key[0] == 0
    root = str(folder.root_public_file)
    file, mac = str(desk / "r.json"), str(desk / "mac.key")
    code, out, err = await said(sys.executable, str(desk / "verify_receipt.py"), file, root, mac)
    assert (code, out.splitlines()[0]) == (0, "VERIFIED"), err
    code, out, _ = await receipt(folder, "verify", file, "--root", root, "--receipt-key", mac)
    assert (code, "VERIFIED" in out, "the HMAC fits" in out) == (0, True, True)
    (desk / "r.json").write_text((desk / "r.json").read_text().replace('"acme"', '"globex"'))
    code, _, err = await receipt(folder, "verify", file, "--root", root)
    assert (code, "not verified" in err) == (1, True)
