"""The ledger as the feeder follows it: its tree in a folder, its keys, and the newest seal.

Of the entries only the leaf hashes are kept. Those on the root's subjects and on the feeder's own
are verified: they say whose seals count, and where its own chain stands. A seal is put to no
witness before the tree here leads to its root.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Final

from bus.client import Client
from bus.consume import CaughtUp, Message, follow
from bus.consumer import last_of
from bus.roles import LEDGER, SEALS
from crypto.errors import Rejected
from crypto.trust import Trust
from ledger.chain import leaf_of
from ledger.checkpoint import Checkpoint, open_checkpoint
from ledger.errors import BadCheckpoint, LedgerDiverged
from ledger.stored_tree import StoredTree
from schemas.authority import WITNESS, subject
from schemas.names import Role

KEEP_EVERY: Final = 20_000
_WAITING: Final = 64
_OWN: Final = 256
_BREATH: Final = 512
_LOG: Final = logging.getLogger("anyteam.feeder")


class Following:
    """See the module's docstring. It goes on behind the entry that `tree` ends with.

    `on_kept` is called where what was read should be kept on disk.
    """

    def __init__(
        self, client: Client, trust: Trust, tree: StoredTree, on_kept: Callable[[], None]
    ) -> None:
        self.trust = trust
        self.tree = tree
        self.index = tree.size
        self.epoch = 1
        self.seal: tuple[str, Checkpoint] | None = None
        self._client = client
        self._on_kept = on_kept
        self._told = {subject(trust.workspace, None, topic) for topic in ("key", "epoch", WITNESS)}
        self._own: dict[int, bytes] = {}
        self._waiting: deque[tuple[str, Checkpoint]] = deque(maxlen=_WAITING)
        self._moved = asyncio.Event()
        self._caught_up = asyncio.Event()

    async def run(self) -> None:
        """Follow the ledger until cancelled. Raises `LedgerDiverged` where it is not the one that
        was read before, or not the one that was sealed.
        """
        entries = follow(
            self._client,
            stream=LEDGER,
            filter_subject=None,
            consumer=Role.FEEDER.value,
            throwaway=True,
            after=max(self.index - 1, 0),
            on_epoch=self._enter,
        )
        async for message in entries:
            if isinstance(message, CaughtUp):
                self._on_kept()
                self._caught_up.set()
                continue
            self._take(message)
            if message.index % _BREATH == 0:
                await asyncio.sleep(0)

    async def run_seals(self) -> None:
        """Follow the seals until cancelled, once all that the ledger held is read."""
        await self._caught_up.wait()
        # Only the newest are put to anybody.
        last = await last_of(self._client, SEALS) or 0
        notes = follow(
            self._client,
            stream=SEALS,
            filter_subject=None,
            consumer=Role.FEEDER.value,
            throwaway=True,
            after=max(last - _WAITING, 0),
        )
        async for message in notes:
            if isinstance(message, Message):
                self._sealed(message)

    def _enter(self, epoch: int) -> None:
        self.epoch = epoch
        self._wake()

    def _take(self, message: Message) -> None:
        leaf = leaf_of(message.body)
        if message.index <= self.index:
            if self.tree.leaf(message.index - 1) != leaf:
                raise LedgerDiverged(
                    f"entry {message.index} is another than the one that was read before",
                    fix="stop writing and run `anyteam verify` on an export",
                )
            return
        self.tree.append(leaf)
        if message.subject in self._told:
            try:
                accepted = self.trust.accept(message.subject, message.body)
            except Rejected as error:
                _LOG.warning("entry %d is no valid event: %s", message.index, error.reason)
            else:
                self._own[message.index] = accepted.digest
                if len(self._own) > _OWN:
                    del self._own[next(iter(self._own))]
        self.index = message.index
        if self.index % KEEP_EVERY == 0:
            self._on_kept()
        self._settle()
        self._wake()

    def _sealed(self, message: Message) -> None:
        keys = self.trust.keys_of(Role.SIDECAR, "sealer")
        try:
            note = message.body.decode()
            sealed = open_checkpoint(note, self.trust.workspace, keys)
        except (BadCheckpoint, UnicodeDecodeError) as error:
            _LOG.warning("seal stream entry %d is no seal: %s", message.index, error)
            return
        self._waiting.append((note, sealed))
        self._settle()

    def _settle(self) -> None:
        """Take up the seals whose size the tree has reached. Raises `LedgerDiverged`."""
        if not self._waiting or self._waiting[0][1].size > self.tree.size:
            return
        while self._waiting and self._waiting[0][1].size <= self.tree.size:
            note, sealed = self._waiting.popleft()
            if self.tree.root(sealed.size) != sealed.root:
                raise LedgerDiverged(
                    f"the seal of {sealed.size} entries is of another history than was read here",
                    fix="stop writing and run `anyteam verify` on an export",
                )
            self.seal = note, sealed
        self._wake()

    def _wake(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()

    async def moved(self, patience_s: float | None) -> None:
        """Until something is read, or the patience is over."""
        try:
            async with asyncio.timeout(patience_s):
                await self._moved.wait()
        except TimeoutError:
            pass

    async def cross(self, epoch: int, digest: bytes) -> int | None:
        """`console.author.Ledger`."""
        while self.epoch <= epoch:
            await self._moved.wait()
        return next((index for index, own in self._own.items() if own == digest), None)

    async def stands(self, index: int, digest: bytes) -> bool:
        """`console.author.Ledger`."""
        while self.index < index:
            await self._moved.wait()
        return self._own.get(index) == digest
