"""Tampering with a good export: whatever was changed is found, at or before where it was.

Each change also mends what an attacker could mend without a key: indexes, the manifest, and
where it says so the seals are dropped.
"""

from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crypto.signing import Signer
from ledger.errors import ExportDamaged
from ledger.export import ENTRIES, MANIFEST, SEALS, ExportedEntry, ExportReader
from ledger.verify import Report, verify
from schemas.actions import Receipt, ReceiptIssued
from schemas.authority import subject_of
from schemas.envelope import Envelope, encode_envelope
from schemas.events import Event, encode_event
from tests.ledgers import HeldExport, SignedLedger, event_of, small_ledger, write_export

LEDGER = small_ledger(runs=2)
OTHER = small_ledger("other")
SIZE = len(LEDGER.entries)
ACTION = LEDGER.events().index("action.started")

tells = st.sampled_from([(True, True), (True, False), (False, False)])
"""(seals kept, renumbered): without seals, renumbered entries may tell nothing; see below."""
places = st.integers(0, SIZE - 1)
thorough = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)


def report_on(entries: list[ExportedEntry], *, seals: bool, renumber: bool = True) -> Report:
    """Verification of these entries, exported as if they were the ledger."""
    if renumber:
        entries = [
            msgspec.structs.replace(entry, index=index) for index, entry in enumerate(entries, 1)
        ]
    kept = LEDGER.seals if seals else ()
    changed: SignedLedger = msgspec.structs.replace(LEDGER, seals=kept)
    export = HeldExport(changed, entries)
    return verify(export, LEDGER.root_public, receipt_key=LEDGER.receipt_key)


@given(name=st.sampled_from([ENTRIES, SEALS]), draw=st.data())
@thorough
def test_any_flipped_bit_is_found(tmp_path: Path, name: str, draw: st.DataObject) -> None:
    export = tmp_path / "good"
    if not export.exists():
        write_export(LEDGER, export)
    data = (export / name).read_bytes()
    bent = bytearray(data)
    at = draw.draw(st.integers(0, len(data) - 2), label="byte")
    bent[at] ^= 1 << draw.draw(st.integers(0, 7), label="bit")
    (export / name).write_bytes(bent)
    report = verify(ExportReader(export), LEDGER.root_public, receipt_key=LEDGER.receipt_key)
    (export / name).write_bytes(data)
    assert not report.ok and report.first_bad is not None
    if name == ENTRIES:
        assert report.first_bad <= _entry_at(data, at)


@given(draw=st.data())
@thorough
def test_any_flipped_bit_of_what_a_manifest_commits_to_is_found(
    tmp_path: Path, draw: st.DataObject
) -> None:
    export = tmp_path / "good"
    if not export.exists():
        write_export(LEDGER, export)
    data = (export / MANIFEST).read_bytes()
    end = data.index(b'"made_at"')
    bent = bytearray(data)
    at = draw.draw(st.integers(0, end - 1).filter(lambda i: not data[i : i + 1].isspace()))
    bent[at] ^= 1 << draw.draw(st.integers(0, 7))
    (export / MANIFEST).write_bytes(bent)
    try:
        assert not verify(ExportReader(export), LEDGER.root_public).ok
    except ExportDamaged as error:
        assert MANIFEST in error.what
    finally:
        (export / MANIFEST).write_bytes(data)


@given(at=st.integers(0, SIZE - 2), how=tells)
@thorough
def test_a_dropped_entry_is_found_where_it_was(at: int, how: tuple[bool, bool]) -> None:
    seals, renumber = how
    entries = [*LEDGER.entries[:at], *LEDGER.entries[at + 1 :]]
    report = report_on(entries, seals=seals, renumber=renumber)
    assert not report.ok and report.first_bad is not None
    if not renumber:
        assert report.first_bad == at + 1


def test_a_drop_without_seals_is_found_unless_nothing_in_the_ledger_rests_on_it() -> None:
    unseen = []
    for at in range(SIZE - 1):
        entries = [*LEDGER.entries[:at], *LEDGER.entries[at + 1 :]]
        if report_on(entries, seals=False).ok:
            unseen.append(LEDGER.events()[at])
    # The last of its producer's chain, and nothing says that it must be there: only a seal
    # or a known checkpoint tells. These are events of the tail, never of what was done.
    assert set(unseen) <= {"plan.finished", "run.completed"}


@given(pair=st.lists(places, min_size=2, max_size=2, unique=True), how=tells)
@thorough
def test_swapped_entries_are_found(pair: list[int], how: tuple[bool, bool]) -> None:
    (one, other), (seals, renumber) = pair, how
    entries = list(LEDGER.entries)
    entries[one], entries[other] = entries[other], entries[one]
    report = report_on(entries, seals=seals, renumber=renumber)
    assert not report.ok and report.first_bad is not None
    if not renumber:
        assert report.first_bad == min(one, other) + 1


@given(at=places, to=st.integers(0, SIZE), seals=st.booleans(), renumber=st.booleans())
@thorough
def test_a_duplicated_entry_is_found(at: int, to: int, seals: bool, renumber: bool) -> None:
    entries = list(LEDGER.entries)
    entries.insert(to, entries[at])
    assert not report_on(entries, seals=seals, renumber=renumber).ok


@given(at=st.integers(0, SIZE), garbage=st.binary(max_size=80), seals=st.booleans())
@thorough
def test_an_inserted_entry_is_found(at: int, garbage: bytes, seals: bool) -> None:
    entries = list(LEDGER.entries)
    entries.insert(at, ExportedEntry(at + 1, "ws.acme.run.r-1.proposal", garbage))
    report = report_on(entries, seals=seals)
    assert not report.ok and report.first_bad is not None and report.first_bad <= at + 1


@given(kept=st.integers(0, SIZE - 1))
@thorough
def test_a_ledger_cut_below_its_seals_is_found_where_it_ends(kept: int) -> None:
    report = report_on(list(LEDGER.entries[:kept]), seals=True)
    assert report.first_bad == kept + 1 and report.findings[-1].kind == "truncated"


@given(at=places, source=st.integers(0, len(OTHER.entries) - 1), seals=st.booleans())
@thorough
def test_an_entry_from_another_workspace_is_found(at: int, source: int, seals: bool) -> None:
    entries = list(LEDGER.entries)
    entries[at] = OTHER.entries[source]
    report = report_on(entries, seals=seals)
    assert not report.ok and report.first_bad is not None and report.first_bad <= at + 1


def test_a_whole_ledger_from_another_workspace_is_found() -> None:
    report = verify(HeldExport(OTHER), LEDGER.root_public)
    assert not report.ok and report.first_bad == 1


@given(at=places, seals=st.booleans())
@thorough
def test_an_entry_on_another_subject_is_found(at: int, seals: bool) -> None:
    entries = list(LEDGER.entries)
    entries[at] = msgspec.structs.replace(entries[at], subject="ws.acme.admin.halt")
    report = report_on(entries, seals=seals)
    assert report.first_bad is not None and report.first_bad <= at + 1
    assert any(f.index == at + 1 and "found on" in f.what for f in report.findings)


@given(at=places, seals=st.booleans())
@thorough
def test_an_event_changed_and_signed_with_a_stolen_runtime_key_is_found(
    at: int, seals: bool
) -> None:
    entries = list(LEDGER.entries)
    thief = LEDGER.signers["r-1-runtime"]
    entries[at] = _signed(msgspec.structs.replace(event_of(entries[at]), at=1), thief, at + 1)
    report = report_on(entries, seals=seals)
    assert not report.ok and report.first_bad is not None and report.first_bad <= at + 1


def test_a_stolen_runtime_key_says_nothing_after_its_run() -> None:
    last = LEDGER.events().index("run.completed")
    claim = event_of(LEDGER.entries[last - 1])
    late = msgspec.structs.replace(claim, n=claim.n + 1)
    entries = list(LEDGER.entries)
    entries.insert(last + 1, _signed(late, LEDGER.signers["r-1-runtime"], last + 2))
    report = report_on(entries, seals=False)
    assert report.first_bad == last + 2 and "not in force" in report.findings[0].what


@pytest.mark.parametrize("author", ["r-1-runtime", "r-1-judge", "orchestrator", "ann", "receipts"])
def test_an_action_signed_with_another_components_key_is_found(author: str) -> None:
    entries = list(LEDGER.entries)
    entries[ACTION] = _signed(event_of(entries[ACTION]), LEDGER.signers[author], ACTION + 1)
    report = report_on(entries, seals=False)
    assert report.first_bad == ACTION + 1


@given(field=st.sampled_from(Receipt.__struct_fields__), resign=st.booleans())
@thorough
def test_a_receipt_changed_in_any_field_is_found(field: str, resign: bool) -> None:
    at = LEDGER.events().index("receipt.issued")
    event = event_of(LEDGER.entries[at])
    assert isinstance(event.body, ReceiptIssued)
    fields = msgspec.msgpack.decode(event.body.receipt)
    value = fields[field]
    fields[field] = value + 1 if isinstance(value, int) else _other(field, value)
    body = msgspec.structs.replace(event.body, receipt=msgspec.msgpack.encode(fields))
    changed = msgspec.structs.replace(event, body=body)
    signer = LEDGER.signers["sidecar"] if resign else Signer.from_seed(b"x" * 32)
    entries = list(LEDGER.entries)
    entries[at] = _signed(changed, signer, at + 1)
    if not resign:
        envelope = msgspec.msgpack.decode(LEDGER.entries[at].body, type=Envelope)
        kept = msgspec.structs.replace(envelope, payload=encode_event(changed))
        entries[at] = msgspec.structs.replace(entries[at], body=encode_envelope(kept))
    report = report_on(entries, seals=False)
    assert report.first_bad == at + 1
    assert report.findings[0].kind == ("receipt" if resign else "unrecorded")


def _signed(event: Event, signer: Signer, index: int) -> ExportedEntry:
    body = encode_envelope(signer.envelope(encode_event(event)))
    return ExportedEntry(index, subject_of(event), body)


def _other(field: str, value: str | bytes) -> str | bytes:
    if isinstance(value, bytes):
        return bytes(len(value))
    return {"outcome": "failed", "key": "01980000-0000-7000-8000-000000000000"}.get(field, "other")


def _entry_at(data: bytes, at: int) -> int:
    """The number of the record that byte `at` of an entries file belongs to."""
    number = start = 0
    while start <= at:
        start += 4 + int.from_bytes(data[start : start + 4], "big")
        number += 1
    return number
