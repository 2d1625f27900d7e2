"""Verification of an export, beside bare SHA-256 and Ed25519 checks of the same bytes.

The ledger is that of many runs of five actions each, told by their rightful authors. Both
sides run in processes of their own on the same number of cores, the floor before and after
ours, on a sample that is the whole ledger up to 40,000 entries.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, cast

from ledger.export import ExportedEntry, ExportWriter
from tests.stories import Story

ACTIONS = 5
SEAL_EVERY = 1_000
ROUNDS, SMALL = 5, 20_000


def measure(options: argparse.Namespace) -> dict[str, float]:
    """`per_s`, `floor_per_s` (entries a second on `cores` cores), `ratio`, `peak_mb`.

    A small ledger is verified several times, the floor before and after each; what is given is
    the round whose ratio is the median. `ratio_cpu` compares CPU time instead of the clock.
    """
    with tempfile.TemporaryDirectory(prefix="anyteam-bench-") as home:
        export, root = Path(home) / "export", Path(home) / "root"
        root.write_bytes(write_ledger(export, options.events).signers["root"].public)
        rounds = []
        before = _floor(export, root, options.cores)
        for _ in range(ROUNDS if options.events <= SMALL else 1):
            (ours,) = _run([["ours", str(export), str(root), str(options.cores)]])
            after = _floor(export, root, options.cores)
            rounds.append(_compared(ours, before + after, options.cores))
            before = after
    middle = sorted(rounds, key=lambda one: one["ratio"])[len(rounds) // 2]
    cpu = sorted(one["ratio_cpu"] for one in rounds)[len(rounds) // 2]
    peak = max(one["peak_mb"] for one in rounds)
    return middle | {"ratio_cpu": cpu, "peak_mb": peak, "rounds": len(rounds)}


def _compared(ours: dict[str, Any], floors: list[dict[str, Any]], cores: int) -> dict[str, float]:
    """One verification beside the floor before and after it."""
    per_s = ours["entries"] / ours["seconds"]
    checked = sum(share["entries"] for share in floors)
    # Shares of one floor run side by side, and the floor runs twice.
    floor = checked / sum(share["seconds"] for share in floors) * cores
    return {
        "per_s": per_s,
        "floor_per_s": floor,
        "ratio": per_s / floor,
        "ratio_cpu": sum(s["cpu_s"] for s in floors) / checked * ours["entries"] / ours["cpu_s"],
        "peak_mb": ours["peak_mb"],
        "events": ours["entries"],
        "cores": cores,
    }


def _floor(export: Path, root: Path, cores: int) -> list[dict[str, Any]]:
    """What each core took for its share of the sample, all at the same time."""
    return _run([["floor", str(export), str(root), f"{part}/{cores}"] for part in range(cores)])


def _run(words: list[list[str]]) -> list[dict[str, Any]]:
    """The answers of processes that all begin at once."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "bench.verifying", *some],
            cwd=Path(__file__).parents[1],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for some in words
    ]
    answers = []
    try:
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        for process in processes:
            assert process.stdout is not None
            answers.append(json.loads(process.stdout.readline()))
    finally:
        for process in processes:
            process.kill()
            process.wait()
    return answers


class _Written:
    """A story's entries that go to the export as they are told, and are not kept."""

    def __init__(self, writer: ExportWriter) -> None:
        self._writer, self._count = writer, 0

    def append(self, entry: ExportedEntry) -> None:
        self._count += 1
        self._writer.add(entry.index, entry.subject, entry.body)

    def __len__(self) -> int:
        return self._count


def write_ledger(folder: Path, events: int) -> Story:
    """An export of about `events` entries at `folder`; the story it tells, without its entries."""
    story = Story("bench")
    root = story.signers["root"].public
    with ExportWriter(folder, "bench", root) as writer:
        story.entries = cast(list[ExportedEntry], _Written(writer))
        story.found()
        sealed = 0
        while len(story.entries) < events:
            run = story.begin(f"r-{len(story.entries)}")
            receipts = []
            proposals = []
            for _ in range(ACTIONS):
                proposal = run.propose()
                run.give(proposal)
                action = run.start(proposal)
                receipts.append(run.receipt(action, run.finish(action)))
                proposals.append(proposal)
            run.claim(*proposals)
            run.complete(*receipts)
            if len(story.entries) - sealed >= SEAL_EVERY:
                story.seal()
                writer.add_seal(story.seals.pop())
                sealed = len(story.entries)
            story.forget(run)
        writer.finish(time.time_ns())
    return story
