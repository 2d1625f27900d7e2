"""When a snapshot is taken, and that it lies on the sealed history. No I/O but the file's.

`Taking` folds chain and tree beside the node. Once enough entries have gone by it takes the node's
state between two entries, and keeps it back until a seal covers it: then the seal's root and head
must follow from that state and the entries since. So what reaches the disk is a state of a history
that was sealed, and a seal which the ledger must still show at the next start.

That is so from the first entry on: a start that reads a long ledger from its beginning takes them
on its way, and one that was cut off goes on from the last. The seals that are there already are
then taken no sooner than the entries they cover.
"""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

from msgspec import Struct

from bus.snapshot import Folded
from crypto.trust import Trust
from ledger.chain import first_head, leaf_of, next_head
from ledger.checkpoint import Checkpoint, open_checkpoint, origin_of, read_checkpoint
from ledger.errors import BadCheckpoint, LedgerDiverged
from ledger.merkle import Frontier
from ledger.snapshots import Snapshot, Snapshots
from schemas.names import Role

BYTES_AN_ENTRY: Final = 1_000
"""What a snapshot may cost: a large one is taken the more rarely."""
ON_THE_WAY: Final = 8
"""Before the ledger's end, a start that is cut off loses no more than an 8th of what it read."""


class _Pending(Struct, frozen=True):
    folded: Folded
    frontier: Frontier
    head: bytes
    leaf: bytes
    held: bytes


class Folding(Protocol):
    """What folds the ledger, up to entry `index`."""

    trust: Trust
    index: int


class Taking:
    """Takes snapshots of one node, or of another that folds, as `folded` gives them. `start` is
    the one that it was resumed from, if any; `held` gives what the component keeps beside its
    state; `every` is how many entries lie between two snapshots, at least.
    """

    def __init__(
        self,
        node: Folding,
        folded: Callable[[], Folded],
        snapshots: Snapshots,
        start: Snapshot | None,
        *,
        held: Callable[[], bytes] = bytes,
        every: int,
    ) -> None:
        self._node = node
        self._folded = folded
        self._snapshots = snapshots
        self._held = held
        self._every = every
        self._frontier = start.frontier if start is not None else Frontier()
        self._head = start.head if start is not None else first_head(node.trust.workspace)
        self._leaf = start.leaf if start is not None else b""
        self._last = self._frontier.size
        self._pending: _Pending | None = None
        self._since: list[bytes] = []
        self._live = False
        self._awaited = 0
        self._reached = asyncio.Event()

    def observe(self, index: int, subject: str, body: bytes) -> None:
        """Take in the entry at `index`, which the node is about to fold."""
        if index != self._frontier.size + 1:
            # A repeat; a gap is the node's to refuse.
            return
        self._take_if_due()
        self._leaf = leaf_of(body)
        self._frontier.append(self._leaf)
        self._head = next_head(self._head, self._leaf)
        if self._pending is not None:
            self._since.append(self._leaf)
        if self._frontier.size == self._awaited:
            self._reached.set()

    def caught_up(self) -> None:
        """All that the ledger held is folded: what is sealed from here on was just written."""
        self._live = True
        self._reached.set()

    @property
    def last(self) -> int:
        """The entry that the last snapshot was taken after."""
        return self._last

    async def sealed(self, place: int, note: str) -> bool:
        """A seal stands at `place` in the seals stream; whether a snapshot was saved for it. Junk
        there is passed over. Until `caught_up` this waits for the entries that it says to cover.

        Raises `LedgerDiverged` where it seals another history than was folded here.
        """
        try:
            await self._fold_reaches(read_checkpoint(note).size)
        except BadCheckpoint:
            return False
        self._take_if_due()
        pending = self._pending
        if pending is None:
            return False
        trust = self._node.trust
        try:
            seal = open_checkpoint(note, trust.workspace, trust.keys_of(Role.SIDECAR, "sealer"))
        except BadCheckpoint:
            return False
        if not pending.frontier.size <= seal.size <= self._frontier.size:
            return False
        self._hold(pending, seal)
        snapshot = Snapshot(
            folded=pending.folded,
            head=pending.head,
            peaks=pending.frontier.peaks,
            leaf=pending.leaf,
            seal=note,
            place=place,
            held=pending.held,
        )
        self._last, self._pending, self._since = pending.frontier.size, None, []
        await asyncio.to_thread(self._snapshots.save, snapshot)
        return True

    async def _fold_reaches(self, size: int) -> None:
        """Wait until `size` entries are folded, or all there are: a size that nobody signed yet
        may be any.
        """
        while self._frontier.size < size and not self._live:
            self._awaited = size
            self._reached.clear()
            await self._reached.wait()

    def _take_if_due(self) -> None:
        size = self._frontier.size
        gap = max(self._every, self._snapshots.size // BYTES_AN_ENTRY)
        if not self._live:
            # Where a seal is said to stand, so that no more is kept back than until it is read.
            if size != self._awaited:
                return
            gap = max(gap, size // ON_THE_WAY)
        if self._pending is not None or size - self._last < gap:
            return
        if self._node.index == size:
            self._pending = _Pending(
                self._folded(), self._frontier.copy(), self._head, self._leaf, self._held()
            )

    def _hold(self, pending: _Pending, seal: Checkpoint) -> None:
        frontier, head = pending.frontier.copy(), pending.head
        for leaf in self._since[: seal.size - frontier.size]:
            frontier.append(leaf)
            head = next_head(head, leaf)
        origin = origin_of(self._node.trust.workspace)
        if seal != Checkpoint(origin=origin, size=seal.size, root=frontier.root(), head=head):
            raise LedgerDiverged(
                f"the seal of {seal.size} entries is of another history than was read here",
                fix="stop writing and run `anyteam verify` on an export",
            )
