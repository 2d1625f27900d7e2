"""The ledger as the console follows it: verified, folded, and ready to tell who waits.

One follower serves every page, and every pen: it knows each author's chain, so that a halt needs
no reading from the beginning. Entries that are no valid events are leaves of the tree and no more.
"""

import asyncio
from collections.abc import Callable

from bus.client import Client
from bus.consume import CaughtUp, follow
from bus.roles import LEDGER, SEALS
from console.view.fold import fold, skip
from console.view.state import Workspace
from crypto.errors import Rejected
from crypto.sealing import ContentKeys
from crypto.trust import Trust
from ledger.chain import leaf_of
from ledger.checkpoint import Checkpoint, read_checkpoint
from ledger.errors import BadCheckpoint
from ledger.merkle import HASH_BYTES, Tree

_NONE = bytes(HASH_BYTES)


class Feed:
    """See the module's docstring. `view` is what pages show, `tree` what proofs come from."""

    def __init__(self, client: Client, trust: Trust, keys: ContentKeys) -> None:
        self.trust = trust
        self.index = 0
        self.epoch = 1
        self.view = Workspace(trust.workspace)
        self.tree = Tree()
        self.seal: tuple[str, Checkpoint] | None = None
        self._client = client
        self._keys = keys
        self._digests = bytearray()
        self._moved = asyncio.Event()

    async def run(self, on_ready: Callable[[], None]) -> None:
        """Follow until cancelled; `on_ready` once all that the ledger held is folded."""
        entries = follow(
            self._client,
            stream=LEDGER,
            filter_subject=None,
            consumer="console",
            throwaway=True,
            on_epoch=self._enter,
        )
        async for message in entries:
            if isinstance(message, CaughtUp):
                on_ready()
                continue
            self._take(message.index, message.subject, message.body)

    async def run_seals(self) -> None:
        """Keep the newest seal, until cancelled. It is for a browser to verify, not for us."""
        notes = follow(
            self._client, stream=SEALS, filter_subject=None, consumer="console", throwaway=True
        )
        async for message in notes:
            if isinstance(message, CaughtUp):
                continue
            note = message.body.decode("utf-8", "replace")
            try:
                self.seal = note, read_checkpoint(note)
            except BadCheckpoint:
                continue

    def _enter(self, epoch: int) -> None:
        self.epoch = epoch
        self._moved.set()
        self._moved = asyncio.Event()

    def _take(self, index: int, subject: str, body: bytes) -> None:
        self.tree.append(leaf_of(body))
        digest = _NONE
        try:
            verified = self.trust.accept(subject, body)
        except Rejected:
            skip(self.view, index)
        else:
            digest = verified.digest
            self._keys.learn(verified.event)
            fold(self.view, index, verified)
        self._digests += digest
        self.index = index
        self._moved.set()
        self._moved = asyncio.Event()

    def digest(self, index: int) -> bytes | None:
        """The digest of the valid event at `index`, None where there is none."""
        found = bytes(self._digests[(index - 1) * HASH_BYTES : index * HASH_BYTES])
        return None if found in (b"", _NONE) else found

    async def cross(self, epoch: int, digest: bytes) -> int | None:
        """Follow until a later epoch is read; the index of the event `digest`, if there."""
        while self.epoch <= epoch:
            await self._moved.wait()
        known = (index for index in range(self.index, 0, -1) if self.digest(index) == digest)
        return next(known, None)

    async def stands(self, index: int, digest: bytes) -> bool:
        """Follow up to `index`; whether the entry there is the valid event `digest`."""
        while self.index < index:
            await self._moved.wait()
        return self.digest(index) == digest

    async def moved(self, after: int, patience_s: float) -> bool:
        """Whether there are entries after `after` within the patience."""
        try:
            async with asyncio.timeout(patience_s):
                while self.index <= after:
                    await self._moved.wait()
        except TimeoutError:
            return False
        return True
