"""Verification: an export held against the root key, and nothing else trusted.

Every entry must pass `crypto.trust` (or be one that the sidecar recorded as invalid, by
index and leaf), stand at its own index, mean what `ledger.meaning` asks, and lie under seals
that fit (`ledger.seals`). What does not hold becomes a finding at the first index that it
makes suspect; nothing short of an unreadable manifest stops the reading.

One pass. Memory is that of the live runs and of invalid entries, and what `ended` takes.
Signatures may have been checked elsewhere (`ledger.signatures`) or before (`ledger.resume`);
everything else is derived here, in order, each time.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

from crypto.errors import NewerRelease, Rejected, Unauthorised, Unraised, Unreadable
from crypto.known import EndedRuns
from crypto.signing import audit
from crypto.trust import SignatureCheck, Trust
from ledger.acyclic import seldom_collected
from ledger.chain import first_head, leaf_of, next_head
from ledger.checkpoint import Checkpoint, NoteKey, origin_of
from ledger.cosignature import Witnessed
from ledger.errors import BadCheckpoint, ExportDamaged
from ledger.export import MANIFEST, Export, ExportedEntry
from ledger.findings import MAX_FINDINGS, Finding, Findings, chain_of, shown_by
from ledger.meaning import RECEIPTS, SEALER, Meaning
from ledger.merkle import Frontier
from ledger.opening import mistaken
from ledger.report import Report
from ledger.resume import MAX_UNVERIFIED, NOTHING, Prefix
from ledger.seals import Problem, SealWalk
from ledger.signatures import Known, Question, unasked
from schemas.actions import EntryRejected
from schemas.events import AnyBody, tag_of
from schemas.names import Role
from schemas.runs import EpochOpened, KeyCertified, KeyRevoked

__all__ = ["PROGRESS_EVERY", "SAVE_EVERY", "Ahead", "Progress", "Report", "verify"]

_ON_THE_LEDGER: Final = frozenset((EntryRejected, EpochOpened, KeyCertified, KeyRevoked))
"""What this file folds; most events say nothing of the kind, and are asked once."""

PROGRESS_EVERY: Final = 1_000

SAVE_EVERY: Final = 50_000

Progress = Callable[[int], None]
Ahead = Callable[[Iterator[ExportedEntry], int], Iterator[Known]]
"""(entries, how many to pass over) -> each entry with those of its signatures that were seen to
hold: as `ledger.spread.Spread.ahead`."""


def verify(
    export: Export,
    root_public: bytes,
    *,
    receipt_key: bytes | None = None,
    checkpoint: str | None = None,
    progress: Progress | None = None,
    check: SignatureCheck = audit,
    ahead: Ahead | None = None,
    prefix: Prefix | None = None,
    save: Callable[[Prefix], None] | None = None,
    witnessed: Witnessed | None = None,
    ended: EndedRuns | None = None,
) -> Report:
    """Hold a whole export against the root's raw public key.

    `receipt_key` is the workspace's MAC key, where the auditor was given it; `checkpoint` a
    note kept from earlier, so that a ledger cut short since is found. `progress` is called
    with the number of entries read, each 1,000. `check` verifies one event's signature, where
    `ahead` has not. `prefix` is what was verified before; where the ledger does not begin with
    just those entries, nothing of it counts. `save` is given such a prefix each 50,000 entries
    and at the end, also where reading is interrupted. `witnessed` are the checkpoints
    that come with cosignatures, and whose of them are asked for. `ended` is an empty place for what
    is kept of runs that are over; in memory, it grows with their number. Raises `BadCheckpoint`
    where `checkpoint` is none.
    """
    known = {"the checkpoint you hold": checkpoint} if checkpoint is not None else {}
    if witnessed is not None:
        known |= witnessed.named()
    audit = _Audit(export, root_public, receipt_key, known, check, prefix, ended)
    try:
        audit.read(progress, ahead or unasked, save)
    except _Stale:
        if ended is not None:
            ended.clear()
        audit = _Audit(export, root_public, receipt_key, known, check, None, ended)
        audit.read(progress, ahead or unasked, save)
    return audit.report(witnessed)


class _Stale(Exception):
    """The ledger does not begin with the prefix that was verified before."""


class _Audit:
    """One verification under way."""

    def __init__(
        self,
        export: Export,
        root_public: bytes,
        receipt_key: bytes | None,
        known: dict[str, str],
        check: SignatureCheck,
        prefix: Prefix | None,
        ended: EndedRuns | None,
    ) -> None:
        self._export = export
        self._workspace = export.manifest.workspace
        self._root_public = root_public
        self._trust = Trust(self._workspace, root_public, check=self._check, ended=ended)
        self._check_signature = check
        self._prefix = prefix or NOTHING
        self._failed_before = frozenset(self._prefix.unverified)
        self._unverified: list[int] = []
        self._held: tuple[Question, ...] = ()
        self._seen_before = False
        self._damage = ""
        self._frontier, self._head = Frontier(), first_head(self._workspace)
        self._keys: dict[str, dict[bytes, bytes]] = {SEALER: {}, RECEIPTS: {}}
        receipts = self._keys[RECEIPTS]
        self._meaning = Meaning(self._workspace, receipts, receipt_key, self._check_unless_held)
        self._seals = SealWalk(self._workspace, export.seals(), known)
        self._macs_checked = receipt_key is not None
        self._findings = Findings()
        self._events: Counter[type[AnyBody]] = Counter()
        self._rejected: dict[int, tuple[bytes, Rejected, str]] = {}
        self._noted: dict[int, tuple[bytes, str]] = {}
        self._seal_problems: list[Problem] = []
        self._first = self._last = 0
        self._newer = 0
        self._unjudged = 0

    def read(
        self, progress: Progress | None, ahead: Ahead, save: Callable[[Prefix], None] | None
    ) -> None:
        """Take every entry. Raises `_Stale` where these are not those of the prefix."""
        try:
            with seldom_collected():
                self._read(progress, ahead(self._entries(), self._prefix.size), save)
        finally:
            if save is not None and self._frontier.size > self._prefix.size:
                self._save(save)

    def _read(
        self,
        progress: Progress | None,
        entries: Iterator[Known],
        save: Callable[[Prefix], None] | None,
    ) -> None:
        frontier, seals, prefix = self._frontier, self._seals, self._prefix.size
        expected = 1
        for size, known in enumerate(entries, start=1):
            entry = known.entry
            leaf = leaf_of(entry.body)
            if entry.index != expected:
                what = f"entry {entry.index} stands where {expected} belongs"
                self._findings.add(size, "order", what, "the entry's own index")
            if size == 1:
                self._first = entry.index
            self._last = entry.index
            expected = entry.index + 1
            self._held = known.held
            self._seen_before = size <= prefix and size not in self._failed_before
            self._take(size, leaf, known)
            frontier.append(leaf)
            self._head = next_head(self._head, leaf)
            if size == prefix:
                self._hold_prefix()
            if size >= seals.due:
                keys = self._keys[SEALER].values()
                self._seal_problems += seals.at(self._state, size, keys)
            if size % PROGRESS_EVERY == 0:
                if progress is not None:
                    progress(size)
                if save is not None and size % SAVE_EVERY == 0 and size > prefix:
                    self._save(save)
        size = frontier.size
        if size < prefix:
            raise _Stale
        if not size and not self._damage:
            self._findings.add(1, "truncated", "no entry at all, not even genesis", "genesis")
        if self._damage:
            self._findings.add(size + 1, "damaged", self._damage, "the file's form")
        self._seal_problems += self._seals.end(size)
        self._settle_rejected()
        self._settle_seals()
        self._check_manifest()

    def report(self, witnessed: Witnessed | None) -> Report:
        """What was found, of the entries and of what witnesses were to say."""
        witnesses = self._hold_witnesses(witnessed) if witnessed is not None else {}
        size = self._frontier.size
        findings = self._findings.sorted()
        named = (finding.index - 1 for finding in findings if finding.index)
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
            events=dict(sorted((tag_of(body), count) for body, count in self._events.items())),
            rejected=len(self._noted),
            rejections=rejections,
            receipts=self._meaning.receipts,
            macs_checked=self._macs_checked,
            unfinished=self._meaning.unfinished,
            unreceipted=self._meaning.unreceipted,
            findings=findings,
            omitted=self._findings.total - len(findings),
            resumed=self._prefix.size,
            first_bad=next((finding.index for finding in findings if finding.index), None),
            seal_keys=tuple(
                NoteKey(origin_of(self._workspace), public).vkey
                for public in self._keys[SEALER].values()
            ),
            undoubted=size if not findings else min([self._seals.held, *named]),
            witnesses=witnesses,
            witnessed=witnessed.agreed(witnesses) if witnessed is not None else 0,
            unjudged=self._unjudged,
        )

    def _hold_witnesses(self, witnessed: Witnessed) -> dict[str, int]:
        try:
            sizes = witnessed.sizes(self._seals.fitted)
        except BadCheckpoint as error:
            self._findings.add(0, "witness", error.what, "cosignatures")
            return {}
        missing = witnessed.missing(sizes, self._seals.sealed)
        if missing:
            self._findings.add(0, "witness", missing, "cosignatures")
        return sizes

    def _entries(self) -> Iterator[ExportedEntry]:
        try:
            yield from self._export.entries()
        except ExportDamaged as error:
            # Said at the end, since entries are read ahead of their turn.
            self._damage = error.what

    def _check(self, public: bytes, payload_type: str, payload: bytes, signature: bytes) -> None:
        """The signature of the entry that is being taken."""
        if self._seen_before:
            return
        if self._held:
            self._check_unless_held(public, payload_type, payload, signature)
        else:
            self._check_signature(public, payload_type, payload, signature)

    def _check_unless_held(
        self, public: bytes, payload_type: str, payload: bytes, signature: bytes
    ) -> None:
        """One of the entry's signatures, unless the very same question was answered ahead."""
        held = self._held
        if not held or Question(public, payload_type, payload, signature) not in held:
            self._check_signature(public, payload_type, payload, signature)

    def _hold_prefix(self) -> None:
        """Only the very entries that were verified before need no signature check now."""
        if (self._frontier.root(), self._head) != (self._prefix.root, self._prefix.head):
            raise _Stale

    def _save(self, save: Callable[[Prefix], None]) -> None:
        # A release that reads what this one does not has to check it all.
        if len(self._unverified) <= MAX_UNVERIFIED and not self._newer:
            frontier = self._frontier
            save(Prefix(frontier.size, frontier.root(), self._head, tuple(self._unverified)))

    def _beyond(self, index: int, leaf: bytes, known: Known) -> None:
        """An entry after the ledger was raised to a version that this release does not read.

        What its bytes show is held to; what rests on what cannot be read is not judged, nor
        is what the events mean.
        """
        entry, opened = known.entry, known.opened
        self._unjudged += 1
        try:
            if isinstance(opened, Unraised):
                self._trust.follow(entry.subject, opened)
            elif isinstance(opened, Unreadable):
                raise opened
            else:
                body = self._trust.accept_opened(entry.subject, opened).event.body
                self._events[type(body)] += 1
                if type(body) in _ON_THE_LEDGER:
                    self._fold(index, body)
        except Unauthorised:
            # Its key may have been certified by what is not read.
            return
        except Rejected as error:
            self._rejected[index] = (leaf, error, shown_by(error, entry.body))

    def _take(self, index: int, leaf: bytes, known: Known) -> None:
        if self._newer:
            self._beyond(index, leaf, known)
            return
        entry = known.entry
        try:
            if isinstance(known.opened, Unreadable):
                self._trust.refuse(entry.subject, known.opened)
            verified = self._trust.accept_opened(entry.subject, known.opened)
        except NewerRelease as error:
            self._newer = index
            what = f"{error.what}, and does not judge what comes after by its meaning"
            self._findings.add(index, "newer", what, "the root's own event")
            self._beyond(index, leaf, known)
            return
        except Rejected as error:
            self._rejected[index] = (leaf, error, shown_by(error, entry.body))
            if len(self._unverified) <= MAX_UNVERIFIED:
                self._unverified.append(index)
            return
        kind_of_body = type(verified.event.body)
        self._events[kind_of_body] += 1
        if kind_of_body in _ON_THE_LEDGER:
            self._fold(index, verified.event.body)
        for kind, what in self._meaning.fold(index, verified):
            event = verified.event
            self._findings.add(index, kind, what, f"{event.type} of {chain_of(event)}")

    def _fold(self, index: int, body: AnyBody) -> None:
        """What an event says of the ledger itself, or of the keys that seal it."""
        if isinstance(body, EntryRejected):
            self._note(index, body)
        elif isinstance(body, EpochOpened):
            # The entry is not in the tree yet: this is what it says is before it.
            if what := mistaken(body, self._state()):
                self._findings.add(index, "epoch", what, "the chain and tree of the entries here")
        elif isinstance(body, KeyCertified):
            self._learn_key(body)
        elif isinstance(body, KeyRevoked):
            for keys in self._keys.values():
                keys.pop(body.key_id, None)

    def _note(self, index: int, note: EntryRejected) -> None:
        """The sidecar says that an earlier entry is invalid: it must be that one, and be so."""
        found = self._rejected.get(note.index) or self._noted.get(note.index) or (None,)
        if found[0] != note.leaf:
            if self._newer and note.index >= self._newer:
                return
            what = f"says of entry {note.index} that it is invalid; it is not that entry, or is not"
            self._findings.add(index, "misrecorded", what, "entry.rejected")
            return
        if self._rejected.pop(note.index, None) is not None:
            self._noted[note.index] = (note.leaf, note.reason)

    def _learn_key(self, body: KeyCertified) -> None:
        granted = body.certificate
        if granted.role is Role.SIDECAR and granted.instance in self._keys:
            self._keys[granted.instance][granted.key_id] = granted.public_key

    def _state(self) -> Checkpoint:
        return Checkpoint(
            origin=origin_of(self._workspace),
            size=self._frontier.size,
            root=self._frontier.root(),
            head=self._head,
        )

    def _settle_rejected(self) -> None:
        """Invalid entries that no later entry records."""
        for index, (_, error, by) in self._rejected.items():
            kind, _, what = error.reason.partition(": ")
            if index > self._seals.reached:
                kind, what = "unrecorded", error.reason
            self._findings.add(index, kind, what, by)

    def _settle_seals(self) -> None:
        """A seal names a range; where an entry in it is known to be bad, it is that one."""
        known: dict[int, int | None] = {}
        for first, *_ in self._seal_problems:
            if first not in known:
                known[first] = self._findings.first_from(first)
        for first, last, kind, what, by in self._seal_problems:
            entry = known[first]
            self._findings.add(first if entry is None or entry > last else entry, kind, what, by)

    def _check_manifest(self) -> None:
        manifest = self._export.manifest
        found = {
            "size": self._frontier.size,
            "first": self._first,
            "last": self._last,
            "head": self._head.hex(),
            "root": self._frontier.root().hex(),
            "seals": self._seals.read,
            "root_key": NoteKey(origin_of(self._workspace), self._root_public).vkey,
        }
        for field, value in found.items():
            if getattr(manifest, field) != value:
                self._findings.add(0, "manifest", f"its {field} is not what is here", MANIFEST)
