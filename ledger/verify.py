"""Verification: an export held against the root key, and nothing else trusted.

Every entry must pass `crypto.trust` (or be one that the sidecar recorded as invalid, by
index and leaf), stand at its own index, mean what `ledger.meaning` asks, and lie under seals
that fit (`ledger.seals`). What does not hold becomes a finding at the first index that it
makes suspect; nothing short of an unreadable manifest stops the reading.

One pass. Memory is that of the live runs and of invalid entries, not of the ledger.
"""

import heapq
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

from msgspec import Struct

from crypto.errors import Rejected
from crypto.signing import verify as check_signature
from crypto.trust import SignatureCheck, Trust, Verified
from ledger.chain import first_head, leaf_of, next_head
from ledger.checkpoint import Checkpoint, NoteKey, origin_of
from ledger.errors import ExportDamaged
from ledger.export import Export, ExportedEntry
from ledger.meaning import RECEIPTS, SEALER, Meaning
from ledger.merkle import Frontier
from ledger.opening import mistaken
from ledger.seals import Problem, SealWalk
from schemas.actions import EntryRejected
from schemas.authority import subject
from schemas.names import Role
from schemas.runs import EpochOpened, KeyCertified, KeyRevoked

MAX_FINDINGS: Final = 1_000
PROGRESS_EVERY: Final = 1_000

Progress = Callable[[int], None]


class Finding(Struct, frozen=True):
    """Something that does not hold. `index` is the first suspect entry, 0 for the export."""

    index: int
    kind: str
    what: str


class Report(Struct, frozen=True, kw_only=True):
    """What verification found; JSON-able. Digests are hex.

    `sealed` is the largest size under a seal that holds and `unsealed` the entries after it.
    `rejected` counts invalid entries that the ledger itself records as such, `rejections`
    lists the first of them. `unfinished` and `unreceipted` count actions at the ledger's end
    whose outcome or receipt was still to come. `findings` are sorted, at most 1,000 of them;
    `omitted` counts the others.
    """

    ok: bool
    workspace: str
    size: int
    head: str
    root: str
    seals: int
    sealed: int
    unsealed: int
    events: dict[str, int]
    rejected: int
    rejections: tuple[Finding, ...]
    receipts: int
    macs_checked: bool
    unfinished: int
    unreceipted: int
    findings: tuple[Finding, ...]
    omitted: int

    @property
    def first_bad(self) -> int | None:
        """The first index that a finding makes suspect, or None."""
        return next((finding.index for finding in self.findings if finding.index), None)


def verify(
    export: Export,
    root_public: bytes,
    *,
    receipt_key: bytes | None = None,
    checkpoint: str | None = None,
    progress: Progress | None = None,
    check: SignatureCheck = check_signature,
) -> Report:
    """Hold a whole export against the root's raw public key.

    `receipt_key` is the workspace's MAC key, where the auditor was given it; `checkpoint` a
    note kept from earlier, so that a ledger cut short since is found. `progress` is called
    with the number of entries read, each 1,000. `check` verifies one event's signature.
    Raises `BadCheckpoint` where `checkpoint` is none.
    """
    audit = _Audit(export, root_public, receipt_key, checkpoint, check)
    audit.read(progress)
    return audit.report()


class _Findings:
    """The findings with the smallest indexes, as many as are kept."""

    def __init__(self) -> None:
        self.total = 0
        self._kept: list[tuple[int, int, Finding]] = []

    def add(self, index: int, kind: str, what: str) -> None:
        self.total += 1
        # Findings on the export as a whole sort behind those on an entry.
        place = (-(index or 2**63), -self.total)
        push = heapq.heappush if len(self._kept) < MAX_FINDINGS else heapq.heappushpop
        push(self._kept, (*place, Finding(index, kind, what[:500])))

    def first_from(self, index: int) -> int | None:
        """The smallest index of a finding that is at least `index`, or None."""
        return min((f.index for *_, f in self._kept if f.index >= index), default=None)

    def sorted(self) -> tuple[Finding, ...]:
        return tuple(finding for *_, finding in sorted(self._kept, reverse=True))


class _Audit:
    """One verification under way."""

    def __init__(
        self,
        export: Export,
        root_public: bytes,
        receipt_key: bytes | None,
        checkpoint: str | None,
        check: SignatureCheck,
    ) -> None:
        self._export = export
        self._workspace = export.manifest.workspace
        self._root_public = root_public
        self._trust = Trust(self._workspace, root_public, check=check)
        self._frontier, self._head = Frontier(), first_head(self._workspace)
        self._keys: dict[str, dict[bytes, bytes]] = {SEALER: {}, RECEIPTS: {}}
        self._meaning = Meaning(self._workspace, self._keys[RECEIPTS], receipt_key)
        self._seals = SealWalk(self._workspace, export.seals(), checkpoint)
        self._macs_checked = receipt_key is not None
        self._findings = _Findings()
        self._events: Counter[str] = Counter()
        self._rejected: dict[int, tuple[bytes, Rejected]] = {}
        self._noted: dict[int, tuple[bytes, str]] = {}
        self._seal_problems: list[Problem] = []
        self._edge = (0, 0)
        self._epochs = subject(self._workspace, None, "epoch")
        self._before: Checkpoint | None = None

    def read(self, progress: Progress | None) -> None:
        """Take every entry."""
        expected = 1
        for entry in self._entries():
            self._before = self._state() if entry.subject == self._epochs else None
            self._frontier.append(leaf := leaf_of(entry.body))
            self._head = next_head(self._head, leaf)
            size = self._frontier.size
            if entry.index != expected:
                what = f"entry {entry.index} stands where {expected} belongs"
                self._findings.add(size, "order", what)
            self._edge = (self._edge[0] or entry.index, entry.index)
            expected = entry.index + 1
            self._take(size, leaf, entry)
            self._seal_problems += self._seals.at(self._state, size, self._keys[SEALER].values())
            if progress is not None and size % PROGRESS_EVERY == 0:
                progress(size)
        self._seal_problems += self._seals.end(self._frontier.size)
        self._settle_rejected()
        self._settle_seals()
        self._check_manifest()

    def report(self) -> Report:
        """What was found."""
        size = self._frontier.size
        findings = self._findings.sorted()
        rejections = tuple(
            Finding(index, "rejected", reason)
            for index, (_, reason) in sorted(self._noted.items())[:MAX_FINDINGS]
        )
        return Report(
            ok=not findings,
            workspace=self._workspace,
            size=size,
            head=self._head.hex(),
            root=self._frontier.root().hex(),
            seals=self._seals.good,
            sealed=self._seals.sealed,
            unsealed=size - self._seals.sealed,
            events=dict(sorted(self._events.items())),
            rejected=len(self._noted),
            rejections=rejections,
            receipts=self._meaning.receipts,
            macs_checked=self._macs_checked,
            unfinished=self._meaning.unfinished,
            unreceipted=self._meaning.unreceipted,
            findings=findings,
            omitted=self._findings.total - len(findings),
        )

    def _entries(self) -> Iterator[ExportedEntry]:
        try:
            yield from self._export.entries()
        except ExportDamaged as error:
            self._findings.add(self._frontier.size + 1, "damaged", error.what)

    def _take(self, index: int, leaf: bytes, entry: ExportedEntry) -> None:
        try:
            verified = self._trust.accept(entry.subject, entry.body)
        except Rejected as error:
            self._rejected[index] = (leaf, error)
            return
        body = verified.event.body
        self._events[verified.event.type] += 1
        if isinstance(body, EntryRejected):
            self._note(index, body)
        if isinstance(body, EpochOpened) and self._before is not None:
            if what := mistaken(body, self._before):
                self._findings.add(index, "epoch", what)
        self._learn_keys(verified)
        for kind, what in self._meaning.fold(index, verified):
            self._findings.add(index, kind, what)

    def _note(self, index: int, note: EntryRejected) -> None:
        """The sidecar says that an earlier entry is invalid: it must be that one, and be so."""
        leaf, _ = self._rejected.get(note.index) or self._noted.get(note.index) or (None, None)
        if leaf != note.leaf:
            what = f"says of entry {note.index} that it is invalid; it is not that entry, or is not"
            self._findings.add(index, "misrecorded", what)
            return
        if self._rejected.pop(note.index, None) is not None:
            self._noted[note.index] = (note.leaf, note.reason)

    def _learn_keys(self, verified: Verified) -> None:
        body = verified.event.body
        if isinstance(body, KeyCertified):
            granted = body.certificate
            if granted.role is Role.SIDECAR and granted.instance in self._keys:
                self._keys[granted.instance][granted.key_id] = granted.public_key
        elif isinstance(body, KeyRevoked):
            for keys in self._keys.values():
                keys.pop(body.key_id, None)

    def _state(self) -> Checkpoint:
        return Checkpoint(
            origin=origin_of(self._workspace),
            size=self._frontier.size,
            root=self._frontier.root(),
            head=self._head,
        )

    def _settle_rejected(self) -> None:
        """Invalid entries that no later entry records."""
        for index, (_, error) in self._rejected.items():
            kind, _, what = error.reason.partition(": ")
            if index > self._seals.reached:
                kind, what = "unrecorded", error.reason
            self._findings.add(index, kind, what)

    def _settle_seals(self) -> None:
        """A seal names a range; where an entry in it is known to be bad, it is that one."""
        known: dict[int, int | None] = {}
        for first, _, _, _ in self._seal_problems:
            if first not in known:
                known[first] = self._findings.first_from(first)
        for first, last, kind, what in self._seal_problems:
            entry = known[first]
            self._findings.add(first if entry is None or entry > last else entry, kind, what)

    def _check_manifest(self) -> None:
        manifest = self._export.manifest
        found = {
            "size": self._frontier.size,
            "first": self._edge[0],
            "last": self._edge[1],
            "head": self._head.hex(),
            "root": self._frontier.root().hex(),
            "seals": self._seals.read,
            "root_key": NoteKey(origin_of(self._workspace), self._root_public).vkey,
        }
        for field, value in found.items():
            if getattr(manifest, field) != value:
                self._findings.add(0, "manifest", f"its {field} is not what is here")
