"""Verification of a selection: each entry proved, signed, in its place; the root key alone given.

1. The checkpoint is signed by the sealer, whom the root certified in an entry that is here.
2. Every entry's inclusion proof leads to that checkpoint's root, at its own index.
3. Every entry passes `crypto.trust`, gaps allowed; or the sidecar noted that it is invalid.
4. Of a whole run that was asked for, no producer's events have a gap; the root's never have.

One pass in bounded memory. It says nothing of what is not here (`ledger.selection.guide`).
"""

from collections import Counter
from collections.abc import Iterator

from msgspec import Struct

from crypto.errors import Rejected
from crypto.trust import Trust, Verified
from ledger.chain import leaf_of
from ledger.checkpoint import Checkpoint, NoteKey, open_checkpoint, origin_of, read_checkpoint
from ledger.errors import BadCheckpoint, BadProof, ExportDamaged
from ledger.findings import Finding
from ledger.merkle import check_inclusion
from ledger.selection.choosing import Part
from ledger.selection.folder import SelectedEntry, SelectionReader
from ledger.selection.guide import CANNOT
from schemas.actions import EntryRejected
from schemas.names import Role


class SelectionReport(Struct, frozen=True, kw_only=True):
    """What was found; JSON-able. `rejected` are entries that the sidecar noted as invalid."""

    ok: bool
    workspace: str
    asked_for: str
    chosen: int
    support: int
    size: int
    root: str
    events: dict[str, int]
    rejected: int
    gaps: tuple[str, ...]
    findings: tuple[Finding, ...]
    cannot_be_concluded: tuple[str, ...]


def verify_selection(reader: SelectionReader, root_public: bytes) -> SelectionReport:
    """Hold a selection against the root's raw public key."""
    audit = _Audit(reader, root_public)
    audit.read()
    return audit.report()


class _Audit:
    """One verification under way."""

    def __init__(self, reader: SelectionReader, root_public: bytes) -> None:
        self._reader = reader
        self._manifest = reader.manifest
        self._root_public = root_public
        self._trust = Trust(self._manifest.workspace, root_public, partial=True)
        self._findings: list[Finding] = []
        self._events: Counter[str] = Counter()
        self._parts: Counter[Part] = Counter()
        self._rejected: dict[int, tuple[bytes, str]] = {}
        self._noted = 0
        self._gaps: list[str] = []
        self._last = 0
        self._note = ""
        self._counts: dict[tuple[bytes, str | None], int] = {}
        self._claimed = self._claim()

    def read(self) -> None:
        """Take every entry."""
        for entry in self._entries():
            self._parts[entry.part] += 1
            if entry.index <= self._last:
                self._find(entry.index, "order", f"it comes after entry {self._last}")
            self._last = max(self._last, entry.index)
            leaf = leaf_of(entry.body)
            self._prove(entry, leaf)
            try:
                self._take(entry.index, self._trust.accept(entry.subject, entry.body))
            except Rejected as error:
                self._rejected[entry.index] = leaf, error.reason
        for index, (_, reason) in self._rejected.items():
            kind, _, what = reason.partition(": ")
            self._find(index, kind, what)
        self._check_seal()
        self._check_manifest()

    def report(self) -> SelectionReport:
        """What was found."""
        return SelectionReport(
            ok=not self._findings,
            workspace=self._manifest.workspace,
            asked_for=self._manifest.asked_for.in_words(),
            chosen=self._parts[Part.CHOSEN],
            support=self._parts[Part.SUPPORT],
            size=self._claimed.size,
            root=self._claimed.root.hex(),
            events=dict(sorted(self._events.items())),
            rejected=self._noted,
            gaps=tuple(self._gaps),
            findings=tuple(sorted(self._findings, key=lambda found: found.index)),
            cannot_be_concluded=CANNOT,
        )

    def _claim(self) -> Checkpoint:
        """What the checkpoint says; whether the sealer signed it shows at the end."""
        try:
            self._note = self._reader.checkpoint()
            return read_checkpoint(self._note)
        except (ExportDamaged, BadCheckpoint) as error:
            self._find(0, "seal", error.what)
            self._note = ""
            return Checkpoint(origin="", size=0, root=bytes(32), head=bytes(32))

    def _entries(self) -> Iterator[SelectedEntry]:
        try:
            yield from self._reader.entries()
        except ExportDamaged as error:
            self._find(self._last + 1, "damaged", error.what)

    def _prove(self, entry: SelectedEntry, leaf: bytes) -> None:
        sealed = self._claimed
        try:
            check_inclusion(leaf, entry.index - 1, sealed.size, entry.path, sealed.root)
        except BadProof as error:
            self._find(entry.index, "proof", error.what)

    def _take(self, index: int, verified: Verified) -> None:
        event, body = verified.event, verified.event.body
        self._events[event.type] += 1
        if isinstance(body, EntryRejected):
            leaf, _ = self._rejected.get(body.index, (None, ""))
            if leaf == body.leaf:
                del self._rejected[body.index]
                self._noted += 1
        self._count(index, verified)

    def _count(self, index: int, verified: Verified) -> None:
        """Note a gap before this event; in a whole run that was asked for, it is a finding."""
        event, key = verified.event, verified.certificate.key_id
        before = self._counts.get((key, event.run), -1)
        self._counts[(key, event.run)] = event.n
        missing = event.n - before - 1
        if missing <= 0 or event.run is None:
            return
        who = f"{event.actor.role.value}/{event.actor.instance}"
        what = f"{missing} events of {who} in run {event.run} are missing before entry {index}"
        self._gaps.append(what)
        if self._asked_whole(event.run):
            self._find(index, "gap", what)

    def _asked_whole(self, run: str) -> bool:
        asked = self._manifest.asked_for
        return asked.whole_runs and (run in asked.runs or bool(asked.reps))

    def _check_seal(self) -> None:
        if not self._note:
            return
        # All that the root signed up to the seal is here, so these are the keys in force at it.
        keys = self._trust.keys_of(Role.SIDECAR, "sealer")
        try:
            open_checkpoint(self._note, self._manifest.workspace, keys)
        except BadCheckpoint as error:
            self._find(0, "seal", error.what)

    def _check_manifest(self) -> None:
        found = {
            "chosen": self._parts[Part.CHOSEN],
            "support": self._parts[Part.SUPPORT],
            "size": self._claimed.size,
            "root": self._claimed.root.hex(),
            "root_key": NoteKey(origin_of(self._manifest.workspace), self._root_public).vkey,
        }
        for field, value in found.items():
            if getattr(self._manifest, field) != value:
                self._find(0, "manifest", f"its {field} is not what is here")

    def _find(self, index: int, kind: str, what: str) -> None:
        self._findings.append(Finding(index, kind, what[:500]))
