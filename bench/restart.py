"""What a standing component has to do before it is live: fold the ledger, or its last snapshot.

The ledger is that of `bench.verify`; the sidecar and the orchestrator fold it entry by entry with
every signature checked, as at a start without a snapshot, and are then brought back from what
they put away on disk. Reading from the broker comes on top: some 50,000 entries a second.
"""

import argparse
import secrets
import tempfile
import time
from pathlib import Path
from typing import Any

from agents.orchestrator import OrchestratorDecider
from bench.verify import write_ledger
from bus.decider import Decider
from bus.node import Node
from bus.snapshot import folded_of, resume
from crypto.sealing import ContentKeys, NoKeys, WorkspaceKeys
from crypto.trust import Trust
from ledger.export import ExportReader
from ledger.snapshots import Snapshot, Snapshots
from schemas.events import Actor
from schemas.names import Role
from sidecar.decider import SidecarDecider
from tests.stories import Story

_DECIDERS: dict[Role, type[Decider[Any]]] = {
    Role.SIDECAR: SidecarDecider,
    Role.ORCHESTRATOR: OrchestratorDecider,
}


def measure(options: argparse.Namespace) -> dict[str, float]:
    """Seconds (of the clock, and of CPU) from the beginning and from a snapshot, and its KiB."""
    with tempfile.TemporaryDirectory(prefix="anyteam-bench-") as home:
        export = Path(home) / "export"
        story = write_ledger(export, options.events)
        reader = ExportReader(export)
        figures: dict[str, float] = {"events": reader.manifest.size}
        for role in _DECIDERS:
            figures |= {
                f"{role.value}_{name}": value
                for name, value in started(story, reader, role, Path(home) / role.value).items()
            }
        return figures


def started(story: Story, reader: ExportReader, role: Role, file: Path) -> dict[str, float]:
    """One component's figures, from the beginning and from a snapshot at `file`."""
    snapshots = Snapshots(file, secrets.token_bytes(32), story.workspace, role.value, ())
    whole = node_of(story, role)
    began = _now()
    for entry in reader.entries():
        whole.take(entry.index, entry.subject, entry.body, 0)
    folded = _now()
    snapshots.save(
        Snapshot(folded=folded_of(whole), head=b"", peaks=(), leaf=b"", seal="", place=1, held=b"")
    )
    back = node_of(story, role)
    resumed = _now()
    found = snapshots.load()
    assert found is not None
    resume(back, found.folded)
    done = _now()
    assert back.index == whole.index and back.state == whole.state
    return {
        "whole_s": folded[0] - began[0],
        "whole_cpu_s": folded[1] - began[1],
        "snapshot_s": done[0] - resumed[0],
        "snapshot_cpu_s": done[1] - resumed[1],
        "snapshot_kib": snapshots.size / 1024,
    }


def node_of(story: Story, role: Role) -> Node[Any]:
    """A component of the story's workspace that has read nothing."""
    keys: ContentKeys = WorkspaceKeys(story.ring) if role is Role.SIDECAR else NoKeys()
    return Node(
        _DECIDERS[role](),
        trust=Trust(story.workspace, story.signers["root"].public),
        signer=story.signers[role.value],
        actor=Actor(role, role.value),
        keys=keys,
    )


def _now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()
