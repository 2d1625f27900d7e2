"""Cosignatures: the specification's form, and two histories shown to two auditors."""

import base64
import hashlib
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from crypto.signing import Signer
from ledger.checkpoint import NoteKey, open_checkpoint, origin_of, parse_note, read_checkpoint
from ledger.cosignature import Witnessed, WitnessKey, cosign, cosigned_by, parse_witness_vkey
from ledger.cosigned import merged
from ledger.errors import BadCheckpoint
from ledger.export import ExportReader, ExportWriter
from ledger.verify import verify
from tests.ledgers import HeldExport, small_ledger

LEDGER = small_ledger()
NOTE = LEDGER.seals[-1]
TEXT = parse_note(NOTE)[0]
SIGNERS = [Signer.from_seed(bytes([n]) * 32) for n in (1, 2, 3)]
KEYS = [WitnessKey(f"witness.example.com/w{n}", s.public) for n, s in enumerate(SIGNERS)]


def line(n: int, text: str = TEXT, at_s: int = 1_679_315_147) -> str:
    return cosign(text, KEYS[n].name, SIGNERS[n], at_s)


def test_a_cosignature_is_made_as_the_specification_says() -> None:
    """Checked with nothing of ours: key id, big-endian time, header and time lines."""
    dash, name, encoded = line(0).rstrip("\n").split(" ")
    data = base64.b64decode(encoded)
    key_id = hashlib.sha256(name.encode() + b"\n\x04" + SIGNERS[0].public).digest()[:4]
    assert dash == "\u2014" and data[:4] == key_id and len(data) == 4 + 8 + 64
    assert int.from_bytes(data[4:12], "big") == 1_679_315_147
    message = b"cosignature/v1\ntime 1679315147\n" + TEXT.encode()
    Ed25519PublicKey.from_public_bytes(SIGNERS[0].public).verify(data[12:], message)


def test_the_specifications_example_is_read_as_a_note_with_a_cosignature_of_its_size() -> None:
    note = (
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
        "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/"
        "Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
        "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX"
        "3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
    )
    _, (own, cosigned) = parse_note(note)
    assert len(own.signature) == 64 and len(cosigned.signature) == 72
    assert int.from_bytes(cosigned.signature[:8], "big") == 1_679_315_147


def test_a_vkey_is_read_back_and_a_logs_is_refused() -> None:
    assert parse_witness_vkey(KEYS[0].vkey) == KEYS[0]
    with pytest.raises(BadCheckpoint, match="not of type 0x04"):
        parse_witness_vkey(NoteKey("w", SIGNERS[0].public).vkey)
    name, _, rest = KEYS[0].vkey.partition("+")
    with pytest.raises(BadCheckpoint, match="hash is not its own"):
        parse_witness_vkey(f"{name}x+{rest}")


def test_cosigners_are_those_whose_lines_verify_and_the_seal_still_opens() -> None:
    note = NOTE + line(0) + line(2)
    assert list(cosigned_by(note, KEYS)) == [KEYS[0], KEYS[2]]
    assert cosigned_by(note, [KEYS[1]]) == {}
    assert open_checkpoint(note, "acme", [LEDGER.signers["sealer"].public]).size == 20


def test_a_cosignature_of_another_note_or_time_spoils_the_note() -> None:
    other = parse_note(LEDGER.seals[0])[0]
    with pytest.raises(BadCheckpoint, match="w0 does not verify"):
        cosigned_by(NOTE + line(0, other), KEYS)
    bent = base64.b64decode(line(0).split(" ")[2])
    later = bent[:11] + bytes([bent[11] ^ 1]) + bent[12:]
    with pytest.raises(BadCheckpoint):
        cosigned_by(NOTE + f"— {KEYS[0].name} {base64.b64encode(later).decode()}\n", KEYS)


@pytest.mark.parametrize(("lines", "quorum", "ok"), [(2, 2, True), (2, 3, False), (0, 1, False)])
def test_verification_asks_for_a_quorum(lines: int, quorum: int, ok: bool) -> None:
    note = NOTE + "".join(line(n) for n in range(lines))
    witnessed = Witnessed((note,), tuple(KEYS), quorum)
    report = verify(HeldExport(LEDGER), LEDGER.root_public, witnessed=witnessed)
    assert report.ok is ok
    assert ok or [finding.kind for finding in report.findings] == ["witness"]


def test_the_cosigned_checkpoint_holds_the_entries_like_one_that_the_auditor_kept() -> None:
    cut = msgspec.structs.replace(LEDGER, entries=LEDGER.entries[:16], seals=LEDGER.seals[:2])
    witnessed = Witnessed((NOTE + line(0),), (KEYS[0],), 1)
    report = verify(HeldExport(cut), LEDGER.root_public, witnessed=witnessed)
    assert report.first_bad == 17 and "cosigned" in report.findings[0].by
    assert not verify(
        HeldExport(LEDGER), LEDGER.root_public, witnessed=Witnessed(("junk",), (KEYS[0],), 1)
    ).ok
    assert origin_of("acme") in TEXT


def at_seal(n: int, *witnesses: int) -> str:
    note = LEDGER.seals[n]
    text = parse_note(note)[0]
    return note + "".join(line(witness, text) for witness in witnesses)


def test_each_witness_counts_up_to_its_newest_seal_and_a_quorum_up_to_what_it_agrees_on() -> None:
    sizes = [read_checkpoint(note).size for note in LEDGER.seals]
    notes = (at_seal(0, 0, 2), at_seal(1, 1), at_seal(2, 0))
    report = verify(
        HeldExport(LEDGER), LEDGER.root_public, witnessed=Witnessed(notes, tuple(KEYS), 2)
    )
    assert report.ok and report.witnessed == sizes[1]
    assert report.witnesses == {
        KEYS[0].vkey: sizes[2],
        KEYS[1].vkey: sizes[1],
        KEYS[2].vkey: sizes[0],
    }


@pytest.mark.parametrize(("lag", "ok"), [(0, False), (1_000, True)])
def test_what_was_sealed_since_the_witnesses_word_is_bounded(lag: int, ok: bool) -> None:
    witnessed = Witnessed((at_seal(0, 0),), (KEYS[0],), 1, lag)
    report = verify(HeldExport(LEDGER), LEDGER.root_public, witnessed=witnessed)
    assert report.ok is ok
    assert ok or "without their word" in report.findings[0].what


def test_a_cosigned_note_of_another_history_counts_for_nothing_and_is_a_finding() -> None:
    other = small_ledger(seed=1, runs=2)
    text = parse_note(other.seals[-2])[0]
    note = other.seals[-2] + line(0, text)
    witnessed = Witnessed((note, at_seal(2, 1)), tuple(KEYS), 1)
    report = verify(HeldExport(LEDGER), LEDGER.root_public, witnessed=witnessed)
    assert not report.ok and list(report.witnesses) == [KEYS[1].vkey]


def test_notes_of_one_seal_are_merged_with_each_line_once() -> None:
    (note,) = merged([at_seal(0, 0), at_seal(0, 1), at_seal(0, 0), "junk"])
    assert list(cosigned_by(note, KEYS)) == KEYS[:2] and note.count("w0") == 1
    assert open_checkpoint(note, "acme", [LEDGER.signers["sealer"].public])


def test_an_export_carries_what_was_cosigned_and_its_checkpoint_has_the_lines(
    tmp_path: Path,
) -> None:
    with ExportWriter(tmp_path / "export", "acme", LEDGER.root_public) as writer:
        writer.add_cosigned([at_seal(0, 1), at_seal(2, 0)])
        for note in LEDGER.seals:
            writer.add_seal(note)
        for entry in LEDGER.entries:
            writer.add(entry.index, entry.subject, entry.body)
        writer.finish(1)
    reader = ExportReader(tmp_path / "export")
    assert reader.cosigned() == (at_seal(0, 1), at_seal(2, 0))
    assert (tmp_path / "export" / "checkpoint").read_text() == at_seal(2, 0)
    witnessed = Witnessed(reader.cosigned(), tuple(KEYS), 2)
    assert verify(reader, LEDGER.root_public, witnessed=witnessed).ok
