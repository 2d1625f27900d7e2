"""Selections: what is asked for, proved and verified from the root key alone; each change found."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ledger.chain import leaf_of
from ledger.errors import ExportDamaged, NothingSelected
from ledger.export import ExportedEntry
from ledger.selection.choosing import Choosing, Part
from ledger.selection.criteria import Criteria
from ledger.selection.folder import (
    CHECKPOINT,
    ENTRIES,
    SelectedEntry,
    SelectionReader,
    SelectionWriter,
    is_selection,
)
from ledger.selection.verify import SelectionReport, verify_selection
from schemas.actions import EntryRejected
from schemas.envelope import decode_envelope
from schemas.events import Event, decode_event
from schemas.names import SECOND
from schemas.runs import KeyRevoked
from tests.ledgers import SignedLedger, small_ledger, write_export
from tests.stories import Story

LEDGER = small_ledger(runs=3)


def selected(
    folder: Path,
    criteria: Criteria,
    ledger: SignedLedger = LEDGER,
    *,
    change: Callable[[list[SelectedEntry]], Sequence[SelectedEntry]] = lambda entries: entries,
) -> SelectionReader:
    """A selection of `ledger` in `folder`, with one named change to its entries."""
    choosing = Choosing(ledger.workspace, ledger.root_public, criteria)
    for entry in ledger.entries:
        choosing.fold(entry.index, entry.subject, entry.body)
    plan = choosing.plan(ledger.seals)
    entries = [
        SelectedEntry(e.index, part, e.subject, e.body, choosing.path(e.index, plan.size))
        for e in ledger.entries
        if (part := plan.parts.get(e.index)) is not None
    ]
    with SelectionWriter(folder, ledger.workspace, ledger.root_public) as writer:
        for entry in change(entries):
            writer.add(entry)
        writer.finish(criteria, plan, 1)
    return SelectionReader(folder)


def told(entry: ExportedEntry | SelectedEntry) -> Event:
    """The event in an entry of a ledger that we built ourselves."""
    return decode_event(decode_envelope(entry.body).payload)


def report_on(tmp_path: Path, criteria: Criteria, **how: Any) -> SelectionReport:
    ledger = how.get("ledger", LEDGER)
    return verify_selection(selected(tmp_path / "part", criteria, **how), ledger.root_public)


def test_a_run_is_taken_with_what_it_needs_and_nothing_else(tmp_path: Path) -> None:
    reader = selected(tmp_path / "part", Criteria(runs=("r-2",)))
    taken = list(reader.entries())
    chosen = {told(e).run for e in taken if e.part is Part.CHOSEN}
    support = {told(e).run for e in taken if e.part is Part.SUPPORT}
    assert (chosen, support) == ({"r-2"}, {None})
    report = verify_selection(reader, LEDGER.root_public)
    assert report.ok, report.findings
    assert (report.chosen, report.gaps, report.size) == (11, (), len(LEDGER.entries))
    assert report.cannot_be_concluded


@pytest.mark.parametrize(
    ("criteria", "runs"),
    [
        (Criteria(reps=("ann",)), {"r-1", "r-2", "r-3"}),
        (Criteria(runs=("r-1", "r-3")), {"r-1", "r-3"}),
        (Criteria(runs=("r-1",), reps=("ann",)), {"r-1"}),
        (Criteria(since=0), {"r-1", "r-2", "r-3", None}),
    ],
)
def test_what_is_asked_for_is_what_is_chosen(
    tmp_path: Path, criteria: Criteria, runs: set[str | None]
) -> None:
    reader = selected(tmp_path / "part", criteria)
    found = {told(e).run for e in reader.entries() if e.part is Part.CHOSEN}
    # Of a rep, what the workspace says of them comes too.
    assert found - {None} == runs - {None}
    assert verify_selection(reader, LEDGER.root_public).ok


def test_a_window_of_time_has_its_leases_and_says_where_gaps_are(tmp_path: Path) -> None:
    middle = [told(e).at for e in LEDGER.entries if told(e).type == "proposal.made"][1]
    criteria = Criteria(since=middle, until=middle + SECOND // 2)
    reader = selected(tmp_path / "part", criteria)
    taken = list(reader.entries())
    assert {told(e).at for e in taken if e.part is Part.CHOSEN} == {
        middle + step * SECOND // 10 for step in range(5)
    }
    assert "lease.granted" in {told(e).type for e in taken if e.part is Part.SUPPORT}
    report = verify_selection(reader, LEDGER.root_public)
    assert report.ok and report.gaps


def test_nobody_and_nothing_is_an_error_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(NothingSelected, match="run r-9"):
        selected(tmp_path / "part", Criteria(runs=("r-9",)))
    unsealed: SignedLedger = msgspec.structs.replace(LEDGER, seals=())
    with pytest.raises(NothingSelected, match="no seal"):
        selected(tmp_path / "part", Criteria(runs=("r-1",)), unsealed)


def test_what_no_seal_covers_is_left_out_and_counted(tmp_path: Path) -> None:
    early: SignedLedger = msgspec.structs.replace(LEDGER, seals=LEDGER.seals[:2])
    reader = selected(tmp_path / "part", Criteria(runs=("r-1",)), early)
    assert reader.manifest.unsealed == 4
    assert verify_selection(reader, LEDGER.root_public).ok


def replaced(place: int, **fields: Any) -> Callable[[list[SelectedEntry]], list[SelectedEntry]]:
    def change(entries: list[SelectedEntry]) -> list[SelectedEntry]:
        entries[place] = msgspec.structs.replace(entries[place], **fields)
        return entries

    return change


def without(kind: str) -> Callable[[list[SelectedEntry]], list[SelectedEntry]]:
    def change(entries: list[SelectedEntry]) -> list[SelectedEntry]:
        return [e for e in entries if told(e).type != kind]

    return change


OTHER = small_ledger(seed=7).entries
CHANGES: dict[str, tuple[Callable[[list[SelectedEntry]], Sequence[SelectedEntry]], str]] = {
    "a proof that is cut": (lambda e: replaced(-1, path=e[-1].path[:-1])(e), "proof"),
    "a proof of another entry": (lambda e: replaced(-1, path=e[-2].path)(e), "proof"),
    "another index": (lambda e: replaced(-1, index=e[-1].index - 1)(e), "order"),
    "another ledger's entry": (
        replaced(-1, body=OTHER[-1].body, subject=OTHER[-1].subject),
        "proof",
    ),
    "an entry twice": (lambda e: [*e, e[-1]], "order"),
    "another subject": (replaced(-1, subject="ws.acme.admin.key"), "wrongplace"),
    "no lease": (without("lease.granted"), "unauthorised"),
    "an outcome left out of a whole run": (without("action.finished"), "gap"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_every_change_to_a_selection_is_found(tmp_path: Path, name: str) -> None:
    change, kind = CHANGES[name]
    report = report_on(tmp_path, Criteria(runs=("r-2",)), change=change)
    assert not report.ok
    assert kind in {finding.kind for finding in report.findings}


def test_a_root_event_left_out_shows_by_the_roots_own_count(tmp_path: Path) -> None:
    report = report_on(tmp_path, Criteria(runs=("r-2",)), change=without("policy.set"))
    assert not report.ok
    assert any("does not follow" in finding.what for finding in report.findings)


def test_a_checkpoint_by_nobody_is_found(tmp_path: Path) -> None:
    reader = selected(tmp_path / "part", Criteria(runs=("r-2",)))
    path = tmp_path / "part" / CHECKPOINT
    path.write_text(small_ledger(seed=7).seals[-1])
    report = verify_selection(reader, LEDGER.root_public)
    assert {"seal", "proof"} <= {finding.kind for finding in report.findings}
    path.write_bytes(b"\xff")
    assert not verify_selection(reader, LEDGER.root_public).ok
    path.unlink()
    assert not verify_selection(reader, LEDGER.root_public).ok


def test_another_root_verifies_no_selection(tmp_path: Path) -> None:
    reader = selected(tmp_path / "part", Criteria(runs=("r-2",)))
    assert not verify_selection(reader, small_ledger(seed=7).root_public).ok


def test_an_invalid_entry_goes_with_the_note_that_says_so(tmp_path: Path) -> None:
    story = Story()
    story.found()
    run = story.begin("r-1")
    run.act()
    index = story.put("ws.acme.run.r-1.proposal", b"junk")
    note = EntryRejected(index=index, leaf=leaf_of(b"junk"), reason="unreadable: no event")
    story.say("sidecar", note)
    story.seal()
    report = report_on(tmp_path, Criteria(runs=("r-1",)), ledger=story.ledger())
    assert report.ok, report.findings
    assert report.rejected == 1
    story = Story()
    story.found()
    story.begin("r-1")
    story.put("ws.acme.run.r-1.proposal", b"junk")
    story.seal()
    assert not report_on(tmp_path / "other", Criteria(runs=("r-1",)), ledger=story.ledger()).ok


def test_a_seal_by_a_revoked_key_counts_no_more(tmp_path: Path) -> None:
    story = Story()
    story.found()
    story.begin("r-1")
    revoked = KeyRevoked(key_id=story.signers["sealer"].key_id, reason="lost")
    story.say("root", revoked)
    story.seal()
    with pytest.raises(NothingSelected, match="no seal"):
        selected(tmp_path / "part", Criteria(runs=("r-1",)), story.ledger())


def test_damage_is_named_by_its_byte(tmp_path: Path) -> None:
    reader = selected(tmp_path / "part", Criteria(runs=("r-2",)))
    path = tmp_path / "part" / ENTRIES
    data = path.read_bytes()
    for broken in (data[:-1], data + b"\xff\xff\xff\xff", b"\x00\x00\x00\x01\xc1", data[:2]):
        path.write_bytes(broken)
        with pytest.raises(ExportDamaged, match="byte"):
            list(reader.entries())
        assert not verify_selection(reader, LEDGER.root_public).ok


def test_a_selection_is_told_from_a_whole_export(tmp_path: Path) -> None:
    selected(tmp_path / "part", Criteria(runs=("r-2",)))
    write_export(LEDGER, tmp_path / "whole")
    assert is_selection(tmp_path / "part")
    assert not is_selection(tmp_path / "whole")
    assert not is_selection(tmp_path / "nothing")
    with pytest.raises(ExportDamaged, match="manifest"):
        SelectionReader(tmp_path / "whole")
