"""How each figure grows with the ledger: a thousand events, ten thousand, and so on.

`append` is publishing signed events, `verify` the whole export on two cores, `proof` an entry
proved from tiles alone, `gate` one decision of all layers with the whole ledger folded before it,
`start` the sidecar folding from the beginning and from a snapshot, `projection` PostgreSQL from
nothing. What should not grow with the ledger is a time per event; read along the line.
"""

import argparse
import contextlib
import random
import secrets
import tempfile
import time
from pathlib import Path
from typing import Any, Final, cast

from bench.house import quantile
from bench.publish import measured
from bench.rebuild import measure as rebuilt
from bench.restart import node_of, started
from bench.verify import write_ledger
from bus.node import Node
from ledger.checkpoint import NoteKey, origin_of
from ledger.ended import EndedOnDisk
from ledger.export import ExportedEntry, ExportReader
from ledger.proof import prove
from ledger.spread import Spread
from ledger.tiling import folder_fetch
from ledger.verify import verify
from schemas.names import Role
from tests.stories import Story

SIZES: Final = (1_000, 10_000, 100_000, 1_000_000)
UP_TO: Final = 100_000
_CORES: Final = 2
_PROOFS: Final = 200
_RUNS, _ACTIONS = 20, 5


class _Later:
    """Entries after the `count` that are in an export."""

    def __init__(self, count: int) -> None:
        self.found: list[ExportedEntry] = []
        self._before = count

    def append(self, entry: ExportedEntry) -> None:
        self.found.append(entry)

    def taken(self) -> list[ExportedEntry]:
        """What was said since this was last asked."""
        said, self.found = self.found, []
        self._before += len(said)
        return said

    def __len__(self) -> int:
        return self._before + len(self.found)


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """By figure and number of events: `append` and `verify` and `projection` in events a second,
    `proof` and `gate` in microseconds (median), `start` and `start_from_snapshot` in seconds.
    """
    found: dict[str, dict[str, float]] = {}
    for size in SIZES:
        if size <= (options.up_to or UP_TO):
            for name, value in at(size).items():
                found.setdefault(name, {})[str(size)] = value
    return found


def at(size: int) -> dict[str, float]:
    """Every figure over a ledger of about `size` events."""
    appended = measured(size)["per_s"]
    projected = rebuilt(argparse.Namespace(events=size))["events_per_s"]
    with tempfile.TemporaryDirectory(prefix="anyteam-bench-") as home:
        export = Path(home) / "export"
        story = write_ledger(export, size)
        reader = ExportReader(export)
        root = story.signers["root"].public
        start = started(story, reader, Role.SIDECAR, Path(home) / "sidecar")
        return {
            "append": appended,
            "verify": _verified(reader, root),
            "proof": _proved(export, story),
            "gate": _decided(story, reader),
            "start": start["whole_s"],
            "start_from_snapshot": start["snapshot_s"],
            "projection": projected,
        }


def _verified(reader: ExportReader, root: bytes) -> float:
    """Entries a second."""
    began = time.perf_counter()
    with Spread(_CORES, root) as spread, contextlib.closing(EndedOnDisk()) as ended:
        report = verify(reader, root, ahead=spread.ahead, ended=ended)
    assert report.ok, report.findings[:3]
    return report.size / (time.perf_counter() - began)


def _proved(export: Path, story: Story) -> float:
    """Microseconds to prove one entry, in the median; files as the system has them at hand."""
    key = NoteKey(origin_of(story.workspace), story.signers["sealer"].public)
    fetch = folder_fetch(export)
    sealed = int((export / "checkpoint").read_text().split("\n")[1])
    chosen = random.Random(sealed)
    took = []
    for _ in range(_PROOFS):
        position = chosen.randrange(sealed)
        began = time.perf_counter()
        prove(fetch, position, key)
        took.append((time.perf_counter() - began) * 1e6)
    return quantile(took, 0.5)


def _decided(story: Story, reader: ExportReader) -> float:
    """Microseconds until the sidecar's node has taken a verdict and decided, in the median."""
    node = node_of(story, Role.SIDECAR)
    for entry in reader.entries():
        node.take(entry.index, entry.subject, entry.body, 0)
    node.go_live(story.now)
    later = _Later(node.index)
    story.entries = cast(list[ExportedEntry], later)
    took = []
    for number in range(_RUNS):
        run = story.begin(f"later-{secrets.token_hex(4)}-{number}")
        for _ in range(_ACTIONS):
            proposal = run.propose()
            _take(node, later, story)
            run.give(proposal)
            took.append(_take(node, later, story) * 1e6)
            action = run.start(proposal)
            run.receipt(action, run.finish(action))
            _take(node, later, story)
    return quantile(took, 0.5)


def _take(node: Node[Any], later: _Later, story: Story) -> float:
    """Seconds for what was said since."""
    said = later.taken()
    began = time.perf_counter()
    for entry in said:
        node.take(entry.index, entry.subject, entry.body, story.now)
    return time.perf_counter() - began
