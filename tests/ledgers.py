"""Small, wholly valid, signed ledgers in memory, and exports of them.

`small_ledger()` is the whole story of one run or more; `tests.stories` tells any other. A
broken ledger is made by one named change to a good one. Only tests import this.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from ledger.chain import first_head, leaf_of, next_head
from ledger.checkpoint import NoteKey, origin_of
from ledger.export import FORMAT, ExportedEntry, ExportWriter, Manifest
from ledger.merkle import Frontier
from schemas.envelope import decode_envelope
from schemas.events import Event, decode_event
from tests.scenery import START
from tests.stories import SignedLedger, Story

__all__ = ["HeldExport", "SignedLedger", "Story", "event_of", "small_ledger", "write_export"]


def small_ledger(workspace: str = "acme", seed: int = 1, *, runs: int = 1) -> SignedLedger:
    """Genesis and `runs` runs of one confirmed action each; sealed after both and midway."""
    story = Story(workspace, seed)
    story.found()
    story.seal()
    for number in range(1, runs + 1):
        run = story.begin(f"r-{number}")
        proposal = run.propose()
        run.give(proposal)
        action = run.start(proposal)
        story.seal()
        receipt = run.receipt(action, run.finish(action))
        run.claim(proposal)
        run.complete(receipt)
        story.seal()
    return story.ledger()


def event_of(entry: ExportedEntry) -> Event:
    """The event in an entry of a ledger that we built ourselves."""
    return decode_event(decode_envelope(entry.body).payload)


class HeldExport:
    """An export in memory, as its writer would have made it."""

    def __init__(
        self, ledger: SignedLedger, entries: Sequence[ExportedEntry] | None = None
    ) -> None:
        self._entries = ledger.entries if entries is None else tuple(entries)
        self._seals = ledger.seals
        frontier, head = Frontier(), first_head(ledger.workspace)
        for entry in self._entries:
            frontier.append(leaf_of(entry.body))
            head = next_head(head, leaf_of(entry.body))
        self.manifest = Manifest(
            format=FORMAT,
            workspace=ledger.workspace,
            size=frontier.size,
            first=self._entries[0].index if self._entries else 0,
            last=self._entries[-1].index if self._entries else 0,
            head=head.hex(),
            root=frontier.root().hex(),
            seals=len(self._seals),
            root_key=NoteKey(origin_of(ledger.workspace), ledger.root_public).vkey,
            made_at=START,
        )

    def entries(self) -> Iterator[ExportedEntry]:
        """`ledger.export.Export`."""
        return iter(self._entries)

    def seals(self) -> Iterator[str]:
        """`ledger.export.Export`."""
        return iter(self._seals)


def write_export(ledger: SignedLedger, folder: Path) -> Path:
    """An export of the ledger at `folder`."""
    with ExportWriter(folder, ledger.workspace, ledger.root_public) as writer:
        for entry in ledger.entries:
            writer.add(entry.index, entry.subject, entry.body)
        for note in ledger.seals:
            writer.add_seal(note)
        writer.finish(START)
    return folder
