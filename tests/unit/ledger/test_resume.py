"""Verification resumed: what was checked before is not checked again, and nothing else is saved."""

import msgspec
import pytest

from crypto.errors import BadSignature
from crypto.signing import verify as check_signature
from ledger.errors import BadResume
from ledger.export import ExportedEntry
from ledger.resume import Prefix, read_prefix, write_prefix
from ledger.verify import Report, verify
from schemas.envelope import PAYLOAD_TYPE, decode_envelope, encode_envelope
from tests.ledgers import HeldExport, SignedLedger, small_ledger

LEDGER = small_ledger(runs=2)
KEY = b"k" * 32
ROOT_KEY = "anyteam/acme+00000000+AA=="


class Counted:
    """A signature check that counts events; a receipt's own is checked each time."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, public: bytes, kind: str, payload: bytes, signature: bytes) -> None:
        self.times += kind == PAYLOAD_TYPE
        check_signature(public, kind, payload, signature)


def run(
    entries: tuple[ExportedEntry, ...], prefix: Prefix | None = None
) -> tuple[Report, list[Prefix], int]:
    """Verification of these entries as the whole ledger: report, prefixes saved, checks made."""
    seals = tuple(note for note in LEDGER.seals if int(note.split("\n")[1]) <= len(entries))
    ledger: SignedLedger = msgspec.structs.replace(LEDGER, entries=entries, seals=seals)
    saved: list[Prefix] = []
    check = Counted()
    report = verify(
        HeldExport(ledger), LEDGER.root_public, check=check, prefix=prefix, save=saved.append
    )
    return report, saved, check.times


def bent(at: int) -> tuple[ExportedEntry, ...]:
    """The ledger with the signature of the entry at position `at` spoilt."""
    entries = list(LEDGER.entries)
    spoilt = msgspec.structs.replace(decode_envelope(entries[at].body), signature=bytes(64))
    entries[at] = msgspec.structs.replace(entries[at], body=encode_envelope(spoilt))
    return tuple(entries)


def test_only_the_entries_after_the_prefix_are_checked() -> None:
    _, (prefix,), _ = run(LEDGER.entries[:20])
    report, (whole,), checks = run(LEDGER.entries, prefix)
    size = len(LEDGER.entries)
    assert report.ok and report.resumed == 20 and checks == size - 20
    plain, _, all_checks = run(LEDGER.entries)
    assert all_checks == size and msgspec.structs.replace(report, resumed=0) == plain
    assert whole.size == size and whole.root.hex() == report.root


def test_a_ledger_that_begins_otherwise_is_verified_whole() -> None:
    _, (prefix,), _ = run(LEDGER.entries[:20])
    report, _, checks = run(bent(5), prefix)
    assert report.resumed == 0 and checks > 20
    assert report.first_bad == 6 and report.findings[0].kind == "forged"


def test_a_ledger_shorter_than_the_prefix_is_verified_whole() -> None:
    _, (prefix,), _ = run(LEDGER.entries)
    report, _, checks = run(LEDGER.entries[:20], prefix)
    assert report.ok and report.resumed == 0 and checks == 20


def test_an_entry_that_failed_before_is_checked_again_and_fails_again() -> None:
    first, (prefix,), _ = run(bent(5))
    assert 6 in prefix.unverified and not first.ok
    again, _, _ = run(bent(5), prefix)
    assert again.findings == first.findings and again.resumed == prefix.size


def test_meaning_and_seals_are_derived_again_within_the_prefix() -> None:
    _, (prefix,), _ = run(LEDGER.entries)
    ledger = msgspec.structs.replace(LEDGER, seals=(LEDGER.seals[1], LEDGER.seals[0]))
    report = verify(HeldExport(ledger), LEDGER.root_public, prefix=prefix)
    assert report.resumed == prefix.size and not report.ok


def test_an_interrupted_verification_saves_what_it_had_verified() -> None:
    class Stopped(Exception):
        pass

    def check(public: bytes, kind: str, payload: bytes, signature: bytes) -> None:
        if decode_envelope(LEDGER.entries[12].body).payload == payload:
            raise Stopped
        check_signature(public, kind, payload, signature)

    saved: list[Prefix] = []
    with pytest.raises(Stopped):
        verify(HeldExport(LEDGER), LEDGER.root_public, check=check, save=saved.append)
    report, _, checks = run(LEDGER.entries, saved[-1])
    assert saved[-1].size == 12 and report.ok and checks == len(LEDGER.entries) - 12


def test_a_file_is_read_back_as_it_was_written() -> None:
    _, (prefix,), _ = run(bent(5))
    data = write_prefix(prefix, "acme", ROOT_KEY, KEY)
    assert read_prefix(data, "acme", ROOT_KEY, KEY) == prefix


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "anyteam verified prefix v0"},
        {"workspace": "other"},
        {"root_key": "x"},
        {"mac": "00" * 32},
        {"mac": "zz"},
    ],
)
def test_a_file_that_was_changed_is_refused(changes: dict[str, str]) -> None:
    data = write_prefix(Prefix(3, b"r" * 32, b"h" * 32), "acme", ROOT_KEY, KEY)
    bent = msgspec.json.encode(msgspec.json.decode(data) | changes)
    with pytest.raises(BadResume):
        read_prefix(bent, "acme", ROOT_KEY, KEY)


def test_a_file_from_another_machine_or_with_other_content_is_refused() -> None:
    data = write_prefix(Prefix(3, b"r" * 32, b"h" * 32), "acme", ROOT_KEY, KEY)
    with pytest.raises(BadResume, match="not written on this machine"):
        read_prefix(data, "acme", ROOT_KEY, b"j" * 32)
    fields = msgspec.json.decode(data)
    fields["prefix"]["size"] = 4
    with pytest.raises(BadResume, match="changed since"):
        read_prefix(msgspec.json.encode(fields), "acme", ROOT_KEY, KEY)
    with pytest.raises(BadResume, match="out of form"):
        read_prefix(b"garbage", "acme", ROOT_KEY, KEY)


def test_the_check_that_counts_refuses_what_it_should() -> None:
    with pytest.raises(BadSignature):
        Counted()(LEDGER.root_public, "t", b"p", bytes(64))
