"""One teller of the benchmark `scale`, a process of its own: `python -m bench.telling FOLDER`.

It tells whole runs of five confirmed actions with the keys of the installation in FOLDER, each
event signed by its rightful author and its content sealed, as if they had happened. Each line of
standard input names a batch: the ledger's index before it, how many runs, and the time (ns) at
which it begins and that passes with each event. What comes out is, for each batch, a frame: its
length in 4 bytes, then msgpack of [[subject, message body], ...].
"""

import secrets
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, cast

import msgspec

from bus.folder import DataFolder
from console.custody import content_keys
from crypto.keyfile import load_signer, read_key
from crypto.sealing import WorkspaceKeys
from ledger.export import ExportedEntry
from schemas.leases import Intent
from schemas.names import Role
from schemas.runs import RunRequested
from schemas.tools import Effect
from tests.stories import Story

ACTIONS: Final = 5
EVENTS_A_RUN: Final = 6 + 5 * ACTIONS
TOOL: Final = "files.write"
AGENT: Final = "writer"
REQUEST: Final = RunRequested(
    rep="ann",
    agent=AGENT,
    intent=Intent(summary="keep notes", effects=(Effect.MUTATION,)),
    tools=(TOOL,),
    ttl_s=600,
    max_actions=ACTIONS,
)
_AUTHORS: Final = (
    (Role.ORCHESTRATOR, "orchestrator", "event.key"),
    (Role.SIDECAR, "sidecar", "event.key"),
    (Role.SIDECAR, "receipts", "receipts.key"),
)


class Batch(msgspec.Struct, frozen=True, array_like=True):
    """What to tell: `runs` runs behind entry `after`, from `at` (ns) on, `step` ns an event."""

    after: int
    runs: int
    at: int
    step: int


class _Behind:
    """The entries behind index `after`."""

    def __init__(self, after: int) -> None:
        self.told: list[tuple[str, bytes]] = []
        self._after = after

    def append(self, entry: ExportedEntry) -> None:
        self.told.append((entry.subject, entry.body))

    def __len__(self) -> int:
        return self._after + len(self.told)


def tell(story: Story, batch: Batch) -> list[tuple[str, bytes]]:
    """One batch, in order."""
    behind = _Behind(batch.after)
    story.entries = cast(list[ExportedEntry], behind)
    story.now, story.step = batch.at, batch.step
    for number in range(batch.runs):
        run = story.begin(f"r-{batch.after:010d}-{number}", REQUEST)
        proposals, receipts = [], []
        for _ in range(ACTIONS):
            proposal = run.propose(TOOL)
            run.give(proposal)
            action = run.start(proposal)
            receipts.append(run.receipt(action, run.finish(action)))
            proposals.append(proposal)
        run.claim(*proposals)
        run.complete(*receipts)
        story.forget(run)
    assert len(behind.told) == batch.runs * EVENTS_A_RUN
    return behind.told


def _story(folder: DataFolder) -> Story:
    settings = folder.settings()
    # Another chance for each teller and each start: where writing was cut off in a run, that run's
    # keys still count, and a lease that certified them again would be refused.
    story = Story(settings.workspace, seed=secrets.randbits(63))
    for role, instance, file in _AUTHORS:
        story.author(instance, role, load_signer(folder.identity(role) / file))
    story.author("ann", Role.REP, load_signer(folder.person("ann") / "event.key"))
    story.receipt_key = read_key(folder.identity(Role.SIDECAR) / "receipts.mac")
    keys = content_keys(folder, settings)
    assert isinstance(keys, WorkspaceKeys)
    story.keys = keys
    return story


def _batches() -> Iterator[Batch]:
    for line in sys.stdin.buffer:
        yield msgspec.json.decode(line, type=Batch)


def main() -> None:
    """Tell what is asked for until standard input ends."""
    story = _story(DataFolder(Path(sys.argv[1])))
    for batch in _batches():
        frame = msgspec.msgpack.encode(tell(story, batch))
        sys.stdout.buffer.write(len(frame).to_bytes(4, "big") + frame)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
