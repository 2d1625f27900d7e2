"""When snapshots are taken: on the way through a long ledger too, each on a seal that holds."""

import asyncio
from functools import partial
from pathlib import Path

from bus.node import Node
from bus.snapshot import folded_of, resume
from crypto.sealing import NoKeys
from crypto.signing import Signer
from crypto.trust import Trust
from ledger.checkpoint import Checkpoint, origin_of, read_checkpoint, sign_checkpoint
from ledger.snapshots import Snapshots
from ledger.taking import ON_THE_WAY, Taking
from schemas.events import Actor
from schemas.names import Role
from sidecar.supervision.decider import SupervisorDecider, WatcherState
from tests.stories import SignedLedger, Story

EVERY = 10


def told() -> SignedLedger:
    """Runs one after the other, sealed after each."""
    story = Story()
    story.found()
    for number in range(24):
        story.begin(f"r{number}").act()
        story.seal()
    return story.ledger()


class Reader:
    """A component that reads `ledger` and the seals `notes`, from its snapshot where it has one;
    `saved` are the sizes that it took others at, and `passed` the places of seals it is done with.
    """

    def __init__(self, ledger: SignedLedger, notes: tuple[str, ...], path: Path) -> None:
        snapshots = Snapshots(path, b"k" * 32, ledger.workspace, "supervisor", ("sidecar",))
        self.node: Node[WatcherState] = Node(
            SupervisorDecider(),
            trust=Trust(ledger.workspace, ledger.root_public),
            signer=ledger.signers["sidecar"],
            actor=Actor(Role.SUPERVISOR, "supervisor"),
            keys=NoKeys(),
        )
        start = snapshots.load()
        if start is not None:
            resume(self.node, start.folded)
        folded = partial(folded_of, self.node)
        self.taking = Taking(self.node, folded, snapshots, start, every=EVERY)
        self.saved = list[int]()
        self.passed = asyncio.Queue[int]()
        self._ledger, self._notes = ledger, notes
        self._first = start.place - 1 if start is not None else 0

    async def read_seals(self) -> None:
        for place, note in enumerate(self._notes[self._first :], self._first + 1):
            if await self.taking.sealed(place, note):
                self.saved.append(self.taking.last)
            self.passed.put_nowait(place)

    def fold(self, to: int) -> None:
        for entry in self._ledger.entries[self.node.index : to]:
            self.taking.observe(entry.index, entry.subject, entry.body)
            self.node.take(entry.index, entry.subject, entry.body, 0)

    async def fold_with_seals(self, to: int) -> None:
        """Up to entry `to`, and see each seal passed when the fold has come to it, no sooner."""
        for place, note in enumerate(self._notes[self._first :], self._first + 1):
            size = read_checkpoint(note).size
            if size > to:
                break
            if self.node.index < size:
                self.fold(size - 1)
                await asyncio.sleep(0)
                assert self.passed.empty()
                self.fold(size)
            assert await self.passed.get() == place
        self.fold(to)


async def test_a_start_that_is_cut_off_goes_on_from_a_snapshot_on_its_way(tmp_path: Path) -> None:
    ledger = told()
    size, path = len(ledger.entries), tmp_path / "snapshot"
    first = Reader(ledger, ledger.seals, path)
    seals = asyncio.ensure_future(first.read_seals())
    await first.fold_with_seals(size * 3 // 4)
    seals.cancel()
    assert first.saved
    assert size * 3 // 4 - first.saved[-1] < size // 4
    gaps = [after - before for before, after in zip(first.saved, first.saved[1:], strict=False)]
    assert all(
        gap >= max(EVERY, at // ON_THE_WAY) for gap, at in zip(gaps, first.saved[1:], strict=True)
    )

    again, whole = Reader(ledger, ledger.seals, path), Reader(ledger, (), tmp_path / "none")
    assert again.node.index == first.saved[-1]
    seals = asyncio.ensure_future(again.read_seals())
    await again.fold_with_seals(size)
    await seals
    whole.fold(size)
    assert again.node.state == whole.node.state
    assert again.saved


async def test_a_size_that_nobody_sealed_holds_snapshots_up_until_the_end(tmp_path: Path) -> None:
    ledger = told()
    size = len(ledger.entries)
    absurd = Checkpoint(
        origin=origin_of(ledger.workspace), size=1 << 40, root=bytes(32), head=bytes(32)
    )
    forged = sign_checkpoint(absurd, Signer.from_seed(b"f" * 32))
    reader = Reader(ledger, ("no seal", forged, *ledger.seals), tmp_path / "snapshot")
    seals = asyncio.ensure_future(reader.read_seals())
    assert await reader.passed.get() == 1
    reader.fold(size)
    await asyncio.sleep(0)
    assert reader.passed.empty()
    reader.taking.caught_up()
    await seals
    assert reader.saved == [size]
