"""Sealing: the state behind the signed checkpoints of a growing ledger. Pure, no I/O.

`Sealing` is fed every stream entry in order and every seal that is found. The fold must pass
through exactly the sizes, roots and heads that were sealed, whether a seal comes before or
after the entries it covers. It never signs a size below one already sealed.

It keeps the tree's frontier at the last seal and the leaves since, so that a seal for any
size from there on can be checked; while seals are still to be reached it keeps no leaves, and of
very many seals only some.
"""

from typing import Final

from crypto.signing import Signer
from ledger.chain import first_head, leaf_of, next_head
from ledger.checkpoint import Checkpoint, open_checkpoint, origin_of, sign_checkpoint
from ledger.errors import LedgerDiverged, LedgerTruncated
from ledger.merkle import Frontier
from ledger.opening import check_opening
from schemas.authority import subject as subject_of_scope
from schemas.names import SECOND

SEAL_EVERY_NS: Final = SECOND
SEAL_EVERY_ENTRIES: Final = 1_000
MOST_AHEAD: Final = 4_096
"""A ledger of years has more seals than should lie in memory until their entries are read."""


class Sealing:
    """One workspace's ledger as far as it was folded, and what seals say of it.

    `keys` are the raw Ed25519 public keys whose seals count.
    """

    def __init__(self, workspace: str, *keys: bytes) -> None:
        self._workspace = workspace
        self._keys = keys
        self._epochs = subject_of_scope(workspace, None, "epoch")
        self._frontier, self._head = Frontier(), first_head(workspace)
        self._base, self._base_head = self._frontier.copy(), self._head
        self._since: list[bytes] = []
        self._ahead: dict[int, Checkpoint] = {}
        self._sealed_at = 0

    def resume(self, frontier: Frontier, head: bytes) -> None:
        """Go on from a state that lies on the sealed history, before anything was folded."""
        self._frontier, self._head = frontier.copy(), head
        self._settle(frontier.copy(), head, [])

    @property
    def size(self) -> int:
        """Entries folded."""
        return self._frontier.size

    @property
    def frontier(self) -> Frontier:
        """The tree's right edge, as far as it was folded."""
        return self._frontier.copy()

    @property
    def sealed(self) -> int:
        """The size of the last seal that was made here or found to hold."""
        return self._base.size

    @property
    def state(self) -> Checkpoint:
        """Where the fold stands, unsigned."""
        return self._state(self._frontier, self._head)

    def fold(self, index: int, subject: str, body: bytes) -> None:
        """Take the entry at `index`, which must be the next one.

        Raises `LedgerDiverged` for a gap or a repetition, or where a known seal of this size or
        the opening of an epoch says otherwise.
        """
        if index != self.size + 1:
            raise LedgerDiverged(
                f"entry {index} on {subject} comes where {self.size + 1} belongs",
                fix="the broker dropped or reordered entries; run `anyteam verify` on an export",
            )
        if subject == self._epochs:
            check_opening(body, self.state)
        leaf = leaf_of(body)
        self._frontier.append(leaf)
        self._head = next_head(self._head, leaf)
        if not self._ahead:
            self._since.append(leaf)
            return
        expected = self._ahead.pop(index, None)
        if expected is not None:
            _compare(expected, self.state)
            self._settle(self._frontier.copy(), self._head, [])

    def check(self, note: str) -> Checkpoint:
        """Hold a seal from the seals stream against the fold, now or once its size is reached.

        Raises `BadCheckpoint` where it is no seal by our keys; `LedgerDiverged` where the
        ledger is not the one it sealed, two seals of one size differ, or it covers less than
        one that holds.
        """
        sealed = open_checkpoint(note, self._workspace, self._keys)
        if sealed.size > self.size:
            _compare(sealed, self._ahead.setdefault(sealed.size, sealed))
            if len(self._ahead) > MOST_AHEAD:
                self._thin()
        elif sealed.size < self.sealed:
            raise LedgerDiverged(
                f"a seal of {sealed.size} entries comes after one of {self.sealed}",
                fix="another sealer is at work, or the seals stream was rewritten",
            )
        elif sealed.size == self.size:
            _compare(sealed, self.state)
            self._settle(self._frontier.copy(), self._head, [])
        else:
            self._check_past(sealed)
        return sealed

    def caught_up(self) -> None:
        """The stream's end was reached. Raises `LedgerTruncated` where seals cover more."""
        if self._ahead:
            raise LedgerTruncated(max(self._ahead), self.size)

    def due(self, now: int) -> bool:
        """Whether a seal is due at `now` (ns): something new, and a second or 1,000 entries.

        Also where the clock was set back: how long ago the last one was is not known then.
        """
        unsealed = self.size - self.sealed
        if self._ahead or not unsealed:
            return False
        just_now = 0 <= now - self._sealed_at < SEAL_EVERY_NS
        return not just_now or unsealed >= SEAL_EVERY_ENTRIES

    def seal(self, signer: Signer, now: int) -> str:
        """The signed checkpoint of all that was folded, at `now` (ns).

        Raises `LedgerTruncated` where a known seal covers more than was folded.
        """
        self.caught_up()
        note = sign_checkpoint(self.state, signer)
        self._settle(self._frontier.copy(), self._head, [])
        self._sealed_at = now
        return note

    def _thin(self) -> None:
        """Do without every other seal that is still to be reached: each binds all before it, and so
        the next one shows what these would have shown.
        """
        for size in sorted(self._ahead)[-2::-2]:
            del self._ahead[size]

    def _check_past(self, sealed: Checkpoint) -> None:
        passed = sealed.size - self.sealed
        if len(self._since) < passed:
            # Its leaves were not kept, since later seals were known then: those settle it.
            return
        frontier, head = self._base.copy(), self._base_head
        for leaf in self._since[:passed]:
            frontier.append(leaf)
            head = next_head(head, leaf)
        _compare(sealed, self._state(frontier, head))
        self._settle(frontier, head, self._since[passed:])

    def _settle(self, base: Frontier, head: bytes, since: list[bytes]) -> None:
        self._base, self._base_head, self._since = base, head, since

    def _state(self, frontier: Frontier, head: bytes) -> Checkpoint:
        return Checkpoint(
            origin=origin_of(self._workspace),
            size=frontier.size,
            root=frontier.root(),
            head=head,
        )


def _compare(sealed: Checkpoint, found: Checkpoint) -> None:
    if sealed != found:
        part = "root" if sealed.root != found.root else "chain head"
        raise LedgerDiverged(
            f"at {sealed.size} entries the {part} is not the sealed one",
            fix="stop writing and run `anyteam verify` on an export",
        )
