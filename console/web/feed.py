"""The ledger as the console follows it: verified, folded, and ready to tell who waits.

One follower serves every page, and every pen: it knows each author's chain, so that a halt needs
no reading from the beginning. Entries that are no valid events are leaves of the tree and no more.
The tree, the events' digests and what is put by of runs lie in files beside it, which are believed
as far as the snapshot that it goes on from says what they are.
"""

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from bus.client import Client
from bus.consume import CaughtUp, follow
from bus.errors import BadSnapshot
from bus.roles import LEDGER, SEALS
from bus.snapshot import Folded
from console.view.fold import fold, skip
from console.view.keeping import brought_back, kept
from console.view.shelf import RunShelf
from console.view.state import Workspace
from console.web.shelved import StoredRows
from crypto.errors import Rejected, WrongPlace
from crypto.sealing import ContentKeys, WorkspaceKeys
from crypto.trust import Trust
from ledger.chain import leaf_of
from ledger.checkpoint import Checkpoint, read_checkpoint
from ledger.errors import BadCheckpoint
from ledger.hash_file import HashFile
from ledger.merkle import HASH_BYTES
from ledger.snapshots import Snapshot
from ledger.stored_tree import StoredTree
from ledger.taking import Taking
from schemas.erasure import ContentErased, ContentField

_NONE = bytes(HASH_BYTES)
_KIND = "console.view.state.Workspace"
_HELD_BYTES = 256 * 1024


class Feed:
    """See the module's docstring. `view` is what pages show, `tree` what proofs come from; files
    lie in `home`, what is put by under the 32-byte `key`. Entries and seals go to `taking` as well.
    """

    def __init__(
        self, client: Client, trust: Trust, keys: ContentKeys, home: Path, key: bytes
    ) -> None:
        self.trust = trust
        self.index = 0
        self.epoch = 1
        self.view = Workspace(trust.workspace)
        self.tree = StoredTree(home / "tree")
        self.seal: tuple[str, Checkpoint] | None = None
        self.taking: Taking | None = None
        self._client = client
        self._keys = keys
        self._digests = HashFile(home / "digests")
        self._rows = StoredRows(home / "runs.sqlite", key, trust.workspace)
        self._erased: set[ContentField] = set()
        self._place = 0
        self._moved = asyncio.Event()

    def resume(self, found: Snapshot) -> None:
        """Go on from a snapshot, before anything was read. Raises `BadSnapshot`."""
        folded = found.folded
        if folded.kind != _KIND:
            raise BadSnapshot(f"it is a {folded.kind}, not a {_KIND}")
        shelf = RunShelf(self._rows)
        view = brought_back(folded.state, shelf)
        erased = _erased_in(found.held)
        self.tree.cut(min(folded.index, self.tree.size))
        self._digests.cut(min(folded.index, self._digests.count))
        if (self.tree.size, self._digests.count) != (folded.index, folded.index):
            raise BadSnapshot("the files beside it hold less than it does")
        if self.tree.peaks(folded.index) != found.peaks:
            raise BadSnapshot("the tree beside it is another")
        away = ((run.name, run.put_by) for run in view.runs.values() if run.held is None)
        self._rows.cut(folded.index, away)
        try:
            self.trust.resume(folded.trust)
        except WrongPlace as error:
            raise BadSnapshot(error.what) from error
        self.view, self.index, self._place = view, folded.index, found.place - 1
        self._forget(erased)

    def folded(self) -> Folded:
        """What was folded so far, as a snapshot keeps it. Its files are on disk then."""
        self.tree.flush()
        self._digests.flush()
        self._rows.settle()
        return Folded(
            index=self.index, kind=_KIND, state=kept(self.view), trust=self.trust.known(), fences={}
        )

    def held(self) -> bytes:
        """What is to be kept beside: the content that was erased, so that it opens no more."""
        return msgspec.msgpack.encode(tuple(self._erased))

    def close(self) -> None:
        """Let go of the files."""
        self.tree.close()
        self._digests.close()
        self._rows.close()

    def _forget(self, erased: Iterable[ContentField]) -> None:
        self._erased.update(erased)
        if isinstance(self._keys, WorkspaceKeys):
            self._keys.forget(self._erased)

    async def run(
        self, on_ready: Callable[[], None], take: Callable[[int, str, bytes], None] | None = None
    ) -> None:
        """Follow until cancelled; `on_ready` once all that the ledger held is folded. Entries go by
        way of `take`, which gives them to `self.take`, where it is named.
        """
        if not self.index:
            self.tree.cut(0)
            self._digests.cut(0)
            self._rows.cut(0)
            self.view.shelf = RunShelf(self._rows)
        entries = follow(
            self._client,
            stream=LEDGER,
            filter_subject=None,
            consumer="console",
            throwaway=True,
            after=self.index,
            on_epoch=self._enter,
        )
        async for message in entries:
            if isinstance(message, CaughtUp):
                if self.taking is not None:
                    self.taking.caught_up()
                on_ready()
                continue
            (take or self.take)(message.index, message.subject, message.body)

    async def run_seals(self) -> None:
        """Keep the newest seal, until cancelled, for a browser to verify and a snapshot to rest on.

        Raises `LedgerDiverged` where a seal is of another history than was folded.
        """
        notes = follow(
            self._client,
            stream=SEALS,
            filter_subject=None,
            consumer="console",
            throwaway=True,
            after=self._place,
        )
        async for message in notes:
            if isinstance(message, CaughtUp):
                continue
            note = message.body.decode("utf-8", "replace")
            try:
                self.seal = note, read_checkpoint(note)
            except BadCheckpoint:
                continue
            if self.taking is not None and await self.taking.sealed(message.index, note):
                self._rows.prune(self.taking.last)

    def _enter(self, epoch: int) -> None:
        self.epoch = epoch
        self._moved.set()
        self._moved = asyncio.Event()

    def take(self, index: int, subject: str, body: bytes) -> None:
        """Fold the next entry."""
        if self.taking is not None:
            self.taking.observe(index, subject, body)
        self.tree.append(leaf_of(body))
        digest = _NONE
        try:
            verified = self.trust.accept(subject, body)
        except Rejected:
            skip(self.view, index)
        else:
            digest = verified.digest
            self._keys.learn(verified.event)
            if isinstance(verified.event.body, ContentErased):
                self._erased.update(verified.event.body.fields)
            fold(self.view, index, verified)
        self._digests.append(digest)
        if self._digests.held >= _HELD_BYTES:
            self._digests.flush()
        self.index = index
        self._moved.set()
        self._moved = asyncio.Event()

    def digest(self, index: int) -> bytes | None:
        """The digest of the valid event at `index`, None where there is none."""
        if not 0 < index <= self._digests.count:
            return None
        (found,) = self._digests.read(index - 1, 1)
        return None if found == _NONE else found

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


def _erased_in(held: bytes) -> tuple[ContentField, ...]:
    try:
        return msgspec.msgpack.decode(held, type=tuple[ContentField, ...])
    except msgspec.DecodeError as error:
        raise BadSnapshot(f"what it keeps of erasures is out of form: {error}") from error
