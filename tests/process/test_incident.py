"""What a responder asks of a living installation: blast, report, another policy, what changed."""

import asyncio
from pathlib import Path

from tests.commands import ended, said_by
from tests.faults.installation import STEPS, ask, is_end, prepared, until, up


async def test_a_responder_asks_a_living_installation_what_a_run_did(tmp_path: Path) -> None:
    folder, out = prepared(tmp_path / "home"), tmp_path / "report"
    stricter = tmp_path / "stricter.toml"
    text = folder.settings_file.read_text()
    stricter.write_text(text.replace("[policy]", "[policy]\nper_run = { calls = 2 }"))
    async with up(folder):
        run = await ask(folder, "writer", "files.write")
        entries = await until(folder, run, is_end)
        first, last = entries[0].index, entries[-1].index
        (blast,), (report,), (other,), (diff,), missing = await asyncio.gather(
            said_by(folder, "blast", "--document", "note-3.txt"),
            said_by(folder, "incident", str(out), "--run", run, "--title", "What writer did"),
            said_by(folder, "replay", "--policy", str(stricter), "--run", run),
            said_by(folder, "replay", "--diff", str(first - 1), str(last)),
            ended(folder, "incident", str(tmp_path / "none"), "--run", "r-none"),
        )
    reached = [(one["type"], one["how"]) for one in blast["reached"]]
    assert blast["runs"] == [run] and ("proposal.made", "seed") in reached
    # The fourth note's action and the fifth's, which answers what came of it; none before them.
    assert sum(kind == "action.started" for kind, _ in reached) == STEPS - 3
    assert ("action.started", "caused") in reached and ("receipt.issued", "caused") in reached
    assert report["counts"]["action.finished"] == STEPS
    page, words = (out / "report.html").read_text(), (out / "report.md").read_text()
    assert words.startswith("# What writer did") and "<svg" in page and "note 3" not in page + words
    refused = [one for one in other["differences"] if one["was"] == "action.started"]
    assert len(refused) == STEPS - 2
    assert {(one["would"], one["name"]) for one in refused} == {("action.refused", "cost")}
    assert "actions" in {change["area"] for change in diff["changes"]}
    code, _, said = missing
    assert code == 2 and "no entry is of that run" in said and not (tmp_path / "none").exists()
