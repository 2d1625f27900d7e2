"""Seals held against a ledger that is being read: each at its size, in order, once.

A seal counts where its note is signed by a seal key in force at its size, its size is not
below the seal before it, and root and head are those of the entries so far. A checkpoint
that the auditor kept from earlier is held against the ledger in the same way.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from ledger.checkpoint import Checkpoint, open_checkpoint, read_checkpoint
from ledger.errors import BadCheckpoint, ExportDamaged

NEVER: Final = 2**63
Problem = tuple[int, int, str, str, str]
"""(first and last suspect index, kind, what, the seal or checkpoint that shows it)."""


class SealWalk:
    """Walks `notes` along with the entries; `known` are checkpoints from elsewhere, by what they
    are called: the auditor's own, and one that witnesses cosigned.

    `read` counts the notes, `good` those that hold; `sealed` is the largest size among these,
    `reached` among all whose size the ledger has, `held` among seals that hold and those
    known; `fitted` are the names of these last; `due` is the size at which `at` has something to
    say next.
    Raises `BadCheckpoint` at once where one of `known` is no checkpoint.
    """

    def __init__(self, workspace: str, notes: Iterator[str], known: Mapping[str, str]) -> None:
        self.read = 0
        self.good = 0
        self.sealed = 0
        self.reached = 0
        self.held = 0
        self.fitted: set[str] = set()
        self.due = 1
        self._workspace = workspace
        self._notes = notes
        self._known = [(what, note, read_checkpoint(note).size) for what, note in known.items()]
        self._next: tuple[str, int] | None = None
        self._begun = False

    def at(
        self, state: Callable[[], Checkpoint], size: int, keys: Iterable[bytes]
    ) -> Iterator[Problem]:
        """Check what was sealed at `size`. `keys` are the public seal keys in force there.

        Call for each size from `due` on, in order, and exhaust the iterator.
        """
        yield from self._advance(size)
        while self._next is not None and self._next[1] == size:
            self.reached = size
            problem = self._hold(self._next[0], state(), keys)
            if problem is None:
                self.good += 1
                self.sealed = self.held = size
            else:
                by = f"seal of {size} entries"
                yield self.sealed + 1, size, problem[0], f"{by}: {problem[1]}", by
            yield from self._take(size)
        for what, note, known in self._known:
            if known != size:
                continue
            problem = self._hold(note, state(), keys)
            if problem is None:
                self.held = size
                self.fitted.add(what)
            else:
                by = f"{what}, of {size} entries"
                yield self.sealed + 1, size, problem[0], f"{by}: {problem[1]}", by
        sizes = [known for _, _, known in self._known if known > size]
        self.due = min(sizes, default=NEVER)
        if self._next is not None:
            self.due = min(self.due, self._next[1])

    def end(self, size: int) -> Iterator[Problem]:
        """The ledger ended at `size`: what was sealed beyond it is lost."""
        yield from self._advance(size)
        beyond = 0
        while self._next is not None:
            beyond = max(beyond, self._next[1])
            yield from self._take(size)
        if beyond:
            what = f"{beyond} entries were sealed, {size} are here"
            yield size + 1, size + 1, "truncated", what, f"seal of {beyond} entries"
        for what, _, known in self._known:
            if known > size:
                text = f"{what} covers {known} entries, {size} are here"
                yield size + 1, size + 1, "truncated", text, f"{what}, of {known} entries"

    def _advance(self, size: int) -> Iterator[Problem]:
        if not self._begun:
            self._begun = True
            yield from self._take(size)

    def _take(self, size: int) -> Iterator[Problem]:
        """Read on to the next note that could hold."""
        self._next = None
        while True:
            try:
                note = next(self._notes, None)
                if note is None:
                    return
                self.read += 1
                claimed = read_checkpoint(note).size
            except ExportDamaged as error:
                # A generator that raised is exhausted: no later seal can be read.
                yield self.sealed + 1, max(size, self.sealed + 1), "seal", error.what, "seals"
                return
            except BadCheckpoint as error:
                yield (
                    self.sealed + 1,
                    max(size, self.sealed + 1),
                    "seal",
                    f"a seal is out of form: {error.what}",
                    f"seal number {self.read}",
                )
                continue
            if claimed < size:
                what = f"a seal of {claimed} entries comes after seals up to {size}"
                by = f"seal number {self.read}"
                yield self.sealed + 1, max(size, self.sealed + 1), "seal", what, by
                continue
            self._next = (note, claimed)
            return

    def _hold(self, note: str, state: Checkpoint, keys: Iterable[bytes]) -> tuple[str, str] | None:
        try:
            sealed = open_checkpoint(note, self._workspace, keys)
        except BadCheckpoint as error:
            return "seal", error.what
        if sealed != state:
            part = "root" if sealed.root != state.root else "chain head"
            since = f"between entries {self.sealed + 1} and {state.size}"
            return "diverged", f"its {part} is not that of the entries here; look {since}"
        return None
