"""Verification of whole exports: good ones pass, and what seals and notes say is held to."""

from pathlib import Path

import msgspec
import pytest

from ledger.chain import leaf_of
from ledger.checkpoint import read_checkpoint, sign_checkpoint
from ledger.errors import BadCheckpoint
from ledger.export import ENTRIES, ExportReader
from ledger.meaning import SEALER
from ledger.verify import Report, verify
from schemas.actions import EntryRejected
from schemas.names import Role
from schemas.runs import KeyCertified, KeyRevoked
from tests.ledgers import HeldExport, SignedLedger, Story, small_ledger, write_export

LEDGER = small_ledger()


def report_on(ledger: SignedLedger, checkpoint: str | None = None) -> Report:
    """Verification of the ledger's export."""
    export = HeldExport(ledger)
    return verify(export, ledger.root_public, receipt_key=ledger.receipt_key, checkpoint=checkpoint)


def kinds(report: Report) -> set[str]:
    """The kinds of the findings."""
    return {finding.kind for finding in report.findings}


def test_the_story_of_one_run_verifies_whole() -> None:
    report = report_on(LEDGER)
    assert report.findings == ()
    assert report.ok and report.first_bad is None
    assert (report.size, report.seals, report.sealed, report.unsealed) == (20, 3, 20, 0)
    assert (report.receipts, report.unfinished, report.unreceipted) == (1, 0, 0)
    assert report.events["key.certified"] == 6 and sum(report.events.values()) == 20
    assert report.macs_checked


def test_a_report_survives_json() -> None:
    report = report_on(LEDGER)
    assert msgspec.json.decode(msgspec.json.encode(report), type=Report) == report


def test_many_runs_verify_and_progress_is_told() -> None:
    ledger = small_ledger(runs=185)
    told: list[int] = []
    export = HeldExport(ledger)
    report = verify(export, ledger.root_public, progress=told.append)
    assert report.ok and not report.macs_checked
    assert told == [1_000, 2_000]


def test_an_unsealed_tail_is_counted_and_no_finding() -> None:
    report = report_on(msgspec.structs.replace(LEDGER, seals=LEDGER.seals[:2]))
    assert report.ok and (report.sealed, report.unsealed) == (16, 4)


def test_another_root_key_finds_the_very_first_entry() -> None:
    export = HeldExport(LEDGER)
    report = verify(export, small_ledger(seed=2).root_public)
    assert report.first_bad == 1 and report.findings[0].kind == "unauthorised"
    assert not report.ok and "manifest" in kinds(report)


def test_a_recorded_invalid_entry_is_no_finding() -> None:
    story = Story()
    story.found()
    index = story.put("ws.acme.run.r-1.proposal", b"garbage")
    leaf = leaf_of(b"garbage")
    story.say("sidecar", EntryRejected(index=index, leaf=leaf, reason="unreadable: not ours"))
    story.seal()
    report = report_on(story.ledger())
    assert report.ok and report.rejected == 1
    assert [(r.index, r.what) for r in report.rejections] == [(index, "unreadable: not ours")]


@pytest.mark.parametrize(("index", "body"), [(10, b"other"), (9, b"garbage"), (99, b"garbage")])
def test_a_note_about_another_entry_excuses_nothing(index: int, body: bytes) -> None:
    story = Story()
    story.found()
    assert story.put("ws.acme.run.r-1.proposal", b"garbage") == 10
    story.say("sidecar", EntryRejected(index=index, leaf=leaf_of(body), reason="x"))
    story.seal()
    report = report_on(story.ledger())
    assert kinds(report) == {"unreadable", "misrecorded"} and report.first_bad == 10


def test_an_invalid_entry_that_nothing_records_is_found() -> None:
    story = Story()
    story.found()
    story.put("ws.acme.run.r-1.proposal", b"garbage")
    tail = report_on(story.ledger())
    story.seal()
    sealed = report_on(story.ledger())
    assert kinds(tail) == {"unrecorded"} and kinds(sealed) == {"unreadable"}
    assert tail.first_bad == sealed.first_bad == 10


def test_a_seal_by_a_key_that_the_root_did_not_certify_for_it_is_found() -> None:
    for signer in ("sidecar", "receipts", "orchestrator"):
        story = Story()
        story.found()
        story.seal(signer)
        report = report_on(story.ledger())
        assert kinds(report) == {"seal"} and report.seals == 0


def test_a_key_certified_as_sealer_for_another_role_seals_nothing() -> None:
    story = Story()
    story.found()
    story.author("sealer", Role.ADMIN)
    story.say("root", KeyCertified(certificate=story.certificate("sealer")))
    story.seal()
    report = report_on(story.ledger())
    assert kinds(report) == {"seal"} and report.seals == 0


@pytest.mark.parametrize("part", ["root", "head"])
def test_a_seal_must_fit_in_root_and_in_head(part: str) -> None:
    sealed = msgspec.structs.replace(read_checkpoint(LEDGER.seals[1]), **{part: b"x" * 32})
    note = sign_checkpoint(sealed, LEDGER.signers["sealer"])
    report = report_on(msgspec.structs.replace(LEDGER, seals=(LEDGER.seals[0], note)))
    assert kinds(report) == {"diverged"} and report.first_bad == 10


def test_a_broken_seal_signature_is_found() -> None:
    good = LEDGER.seals[1]
    broken = good[:-12] + ("A" if good[-12] != "A" else "B") + good[-11:]
    seals = (LEDGER.seals[0], broken, LEDGER.seals[2])
    report = report_on(msgspec.structs.replace(LEDGER, seals=seals))
    assert kinds(report) == {"seal"} and report.first_bad == 10
    assert (report.seals, report.sealed) == (2, 20)


def test_a_true_seal_over_another_history_is_found() -> None:
    fork = Story()
    fork.found()
    fork.put("ws.acme.admin.key", b"what was there before")
    fork.seal()
    seals = (LEDGER.seals[0], fork.seals[0])
    report = report_on(msgspec.structs.replace(LEDGER, seals=seals))
    assert kinds(report) == {"diverged"} and report.first_bad == 10


def test_two_seals_of_one_size_that_differ_are_found() -> None:
    fork = Story()
    fork.found()
    for number in range(7):
        fork.put("ws.acme.admin.key", b"%d" % number)
    fork.seal()
    for order in (0, 1):
        pair = (LEDGER.seals[1], fork.seals[0]) if order else (fork.seals[0], LEDGER.seals[1])
        seals = (LEDGER.seals[0], *pair, LEDGER.seals[2])
        report = report_on(msgspec.structs.replace(LEDGER, seals=seals))
        assert kinds(report) == {"diverged"} and report.seals == 3


def test_seals_out_of_order_are_found() -> None:
    seals = (LEDGER.seals[1], LEDGER.seals[0], LEDGER.seals[2])
    report = report_on(msgspec.structs.replace(LEDGER, seals=seals))
    assert kinds(report) == {"seal"} and "comes after" in report.findings[0].what


def test_a_revoked_seal_key_seals_nothing_more() -> None:
    story = Story()
    story.found()
    story.seal()
    revoked = story.signers["sealer"].key_id
    story.say("root", KeyRevoked(key_id=revoked, reason="lost"))
    story.seal()
    report = report_on(story.ledger())
    assert kinds(report) == {"seal"} and (report.seals, report.sealed) == (1, 9)


def test_a_new_seal_key_goes_on_where_the_old_one_ended() -> None:
    story = Story()
    story.found()
    story.seal()
    story.say("root", KeyRevoked(key_id=story.signers["sealer"].key_id, reason="rotated"))
    story.author("sealer", Role.SIDECAR)
    story.say("root", KeyCertified(certificate=story.certificate("sealer")))
    story.seal()
    report = report_on(story.ledger())
    assert report.ok and report.seals == 2


def test_an_event_signed_with_the_seal_key_is_found() -> None:
    story = Story()
    story.found()
    garbage = story.put("ws.acme.run.r-1.proposal", b"garbage")
    story.say(SEALER, EntryRejected(index=garbage, leaf=leaf_of(b"garbage"), reason="x"))
    report = report_on(story.ledger())
    assert not report.ok and report.first_bad in (10, 11)


@pytest.mark.parametrize("kept", [1, 9, 16, 19])
def test_a_cut_below_a_seal_or_a_known_checkpoint_is_found(kept: int) -> None:
    cut = msgspec.structs.replace(LEDGER, entries=LEDGER.entries[:kept])
    sealed = report_on(cut)
    bare = msgspec.structs.replace(cut, seals=())
    known = report_on(bare, LEDGER.seals[-1])
    for report in (sealed, known):
        assert report.first_bad == kept + 1 and kinds(report) == {"truncated"}


def test_a_cut_that_also_drops_its_seals_is_found_by_the_checkpoint_alone() -> None:
    cut = msgspec.structs.replace(LEDGER, entries=LEDGER.entries[:16], seals=LEDGER.seals[:2])
    assert report_on(cut).ok
    report = report_on(cut, LEDGER.seals[2])
    assert kinds(report) == {"truncated"} and report.first_bad == 17


def test_a_known_checkpoint_holds_against_a_ledger_that_grew() -> None:
    assert report_on(LEDGER, LEDGER.seals[0]).ok


def test_a_known_checkpoint_of_another_history_is_found() -> None:
    fork = Story()
    fork.found()
    fork.put("ws.acme.admin.key", b"what was there before")
    fork.seal()
    report = report_on(LEDGER, fork.seals[0])
    assert kinds(report) == {"diverged"} and "you hold" in report.findings[0].what


def test_a_known_checkpoint_that_is_none_is_refused_at_once() -> None:
    with pytest.raises(BadCheckpoint):
        report_on(LEDGER, "not a checkpoint")


@pytest.mark.parametrize("field", ["size", "first", "last", "head", "root", "seals", "root_key"])
def test_a_manifest_that_says_otherwise_is_found(field: str) -> None:
    export = HeldExport(LEDGER)
    value = getattr(export.manifest, field)
    other = value + 1 if isinstance(value, int) else "00"
    export.manifest = msgspec.structs.replace(export.manifest, **{field: other})
    report = verify(export, LEDGER.root_public)
    assert kinds(report) == {"manifest"} and field in report.findings[0].what
    assert not report.ok and report.first_bad is None


def test_a_wrong_mac_key_finds_the_receipt() -> None:
    export = HeldExport(LEDGER)
    report = verify(export, LEDGER.root_public, receipt_key=b"x" * 32)
    assert "receipt" in kinds(report) and report.first_bad == 18


def test_findings_beyond_a_thousand_are_counted_and_the_first_are_kept() -> None:
    story = Story()
    story.found()
    for number in range(1_100):
        story.put("ws.acme.run.r-1.proposal", b"%d" % number)
    report = report_on(story.ledger())
    assert len(report.findings) == 1_000 and report.omitted == 100
    assert [finding.index for finding in report.findings] == list(range(10, 1_010))


def test_an_export_on_disk_verifies_like_one_in_memory(tmp_path: Path) -> None:
    reader = ExportReader(write_export(LEDGER, tmp_path / "export"))
    report = verify(reader, LEDGER.root_public, receipt_key=LEDGER.receipt_key)
    assert report == report_on(LEDGER)


def test_a_damaged_file_is_a_finding_at_the_entry_that_cannot_be_read(tmp_path: Path) -> None:
    export = write_export(LEDGER, tmp_path / "export")
    data = (export / ENTRIES).read_bytes()
    (export / ENTRIES).write_bytes(data[:-1])
    report = verify(ExportReader(export), LEDGER.root_public)
    assert report.first_bad == 20 and report.findings[0].kind == "damaged"
    assert "truncated" in kinds(report)
