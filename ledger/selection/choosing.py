"""Choosing: one pass over a whole ledger, and then which entries go, under which seal.

Beside what was asked for go the entries without which it would not verify: all that the root
signed (keys, policies, reps), the leases that certify a chosen run's keys, and the sidecar's
notes on chosen entries that are invalid. Memory is 64 bytes an entry, for the proofs.
"""

from collections.abc import Iterable
from enum import Enum

from msgspec import Struct

from crypto.errors import Rejected
from crypto.trust import Trust
from ledger.chain import leaf_of
from ledger.checkpoint import open_checkpoint
from ledger.errors import BadCheckpoint, NothingSelected
from ledger.merkle import Tree
from ledger.selection.criteria import Criteria, matches
from schemas.actions import EntryRejected
from schemas.names import Role
from schemas.runs import LeaseGranted, LeaseRenewed, RunRequested


class Part(Enum):
    """Why an entry is in a selection: it was asked for, or the others need it."""

    CHOSEN = "chosen"
    SUPPORT = "support"


class Plan(Struct, frozen=True):
    """What goes: the part of each index, in order, and the sealed state it is proved against.

    `unsealed` counts what was asked for and is left out, since no seal covers it yet.
    """

    parts: dict[int, Part]
    note: str
    size: int
    root: bytes
    unsealed: int


class Choosing:
    """Folds a ledger's entries in order, from the first; then plans, and gives proofs."""

    def __init__(self, workspace: str, root_public: bytes, criteria: Criteria) -> None:
        self._trust = Trust(workspace, root_public)
        self._criteria = criteria
        self._tree = Tree()
        self._chosen: set[int] = set()
        self._support: set[int] = set()
        self._reps: dict[str, str] = {}
        self._leases: dict[str, list[int]] = {}
        self._runs: set[str] = set()

    def fold(self, index: int, subject: str, body: bytes) -> None:
        """Take the next entry."""
        self._tree.append(leaf_of(body))
        try:
            event = self._trust.accept(subject, body).event
        except Rejected:
            self._take_invalid(index, subject)
            return
        held, run = event.body, event.run
        if run is not None and isinstance(held, RunRequested):
            self._reps.setdefault(run, held.rep)
        if run is not None and isinstance(held, LeaseGranted | LeaseRenewed):
            self._leases.setdefault(run, []).append(index)
        if event.actor.role is Role.ROOT:
            self._support.add(index)
        if isinstance(held, EntryRejected) and held.index in self._chosen:
            self._support.add(index)
        if matches(self._criteria, event, self._reps.get(run or "")):
            self._chosen.add(index)
            if run is not None:
                self._runs.add(run)

    def plan(self, seals: Iterable[str]) -> Plan:
        """What goes, under the last seal that fits. Raises `NothingSelected`."""
        note, size = self._sealed(seals)
        leases = {index for run in self._runs for index in self._leases.get(run, ())}
        support = (self._support | leases) - self._chosen
        parts = dict.fromkeys(self._chosen, Part.CHOSEN) | dict.fromkeys(support, Part.SUPPORT)
        covered = {index: parts[index] for index in sorted(parts) if index <= size}
        chosen = sum(index <= size for index in self._chosen)
        if not chosen:
            raise NothingSelected(
                f"no sealed entry is of {self._criteria.in_words()}",
                fix="see `anyteam runs` for runs and reps; times are UTC; a seal takes a second",
            )
        unsealed = len(self._chosen) - chosen
        return Plan(covered, note, size, self._tree.root(size), unsealed)

    def path(self, index: int, size: int) -> tuple[bytes, ...]:
        """The inclusion proof of an entry in the state of `size` entries (RFC 6962 2.1.1)."""
        return self._tree.inclusion(index - 1, size)

    def _take_invalid(self, index: int, subject: str) -> None:
        """An invalid entry has no run but the one whose subject it lies on."""
        tokens = subject.split(".")
        run = tokens[3] if len(tokens) == 5 and tokens[2] == "run" else ""
        wanted = run in self._criteria.runs or self._reps.get(run) in self._criteria.reps
        if run and wanted and self._criteria.whole_runs:
            self._chosen.add(index)

    def _sealed(self, seals: Iterable[str]) -> tuple[str, int]:
        """The last seal that is the sealer's and fits this ledger."""
        keys = self._trust.keys_of(Role.SIDECAR, "sealer")
        best: tuple[str, int] | None = None
        for note in seals:
            try:
                found = open_checkpoint(note, self._trust.workspace, keys)
            except BadCheckpoint:
                continue
            fits = found.size <= self._tree.size and self._tree.root(found.size) == found.root
            if fits and (best is None or found.size >= best[1]):
                best = note, found.size
        if best is None:
            raise NothingSelected(
                "no seal covers this ledger yet, so that nothing can be proved",
                fix="try again in a second, with the sidecar up",
            )
        return best
