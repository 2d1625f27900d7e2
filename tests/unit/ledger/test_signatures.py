"""Signatures checked ahead: an answer is to one question, and never more than that."""

import io
from collections.abc import Iterator

import msgspec
import pytest

from crypto.ed25519 import holds
from crypto.opening import open_body
from crypto.signing import Signer, pae
from ledger.checking import checks_in, frame, frame_of, read_frame, serve
from ledger.export import ExportedEntry
from ledger.signatures import MAX_KEYS, Keys, Known, Question, opened_or_not
from ledger.verify import verify
from schemas.envelope import PAYLOAD_TYPE, RECEIPT_TYPE, decode_envelope, encode_envelope
from schemas.names import NO_DIGEST
from tests.ledgers import HeldExport, small_ledger

LEDGER = small_ledger()
OPENED = [open_body(entry.body) for entry in LEDGER.entries]


def asked() -> list[Question]:
    """Every question of the ledger, in order."""
    keys = Keys(LEDGER.root_public)
    return [question for opened in OPENED for question in keys.questions(opened)]


def test_every_signature_is_asked_for_under_a_key_that_the_ledger_claims() -> None:
    publics = {signer.key_id: signer.public for signer in LEDGER.signers.values()}
    events = [q for q in asked() if q.payload_type == PAYLOAD_TYPE]
    assert [q.public for q in events] == [publics[o.envelope.key_id] for o in OPENED]
    (receipt,) = [q for q in asked() if q.payload_type == RECEIPT_TYPE]
    assert receipt.public == LEDGER.signers["receipts"].public
    assert all(holds(*question.check) for question in asked())


def test_of_entries_verified_before_the_receipts_alone_are_asked_for() -> None:
    keys = Keys(LEDGER.root_public)
    for opened in OPENED:
        questions = keys.questions(opened, receipt_alone=True)
        assert {q.payload_type for q in questions} <= {RECEIPT_TYPE}
    assert keys.questions(OPENED[-1])[0].payload_type == PAYLOAD_TYPE


def test_an_unknown_key_is_not_asked_for_and_garbage_is_unreadable() -> None:
    unknown = msgspec.structs.replace(OPENED[0].envelope, key_id=bytes(16))
    opened = open_body(encode_envelope(unknown))
    assert Keys(LEDGER.root_public).questions(opened) == ()
    garbage = opened_or_not(ExportedEntry(1, "ws.acme.admin.key", b"garbage"))
    assert "not an envelope" in str(garbage)


def test_a_helper_answers_each_check_in_order_and_ends_with_its_input() -> None:
    checks = [question.check for question in asked()]
    public, message, _ = checks[2]
    checks[2] = (public, message, bytes(64))
    checks[4] = (b"k" * 32, *checks[4][1:])
    sent = frame_of(checks)
    assert list(checks_in(read_frame(io.BytesIO(sent).read))) == checks
    answered = io.BytesIO()
    serve(io.BytesIO(sent + frame_of(checks[:1]) + sent[:-1]), answered, holds)
    expected = bytes(place not in (2, 4) for place in range(len(checks)))
    assert answered.getvalue() == frame(expected) + frame(b"\x01")


def test_a_key_in_use_outlasts_any_number_of_claims() -> None:
    keys = Keys(LEDGER.root_public)
    grant = next(o for o in OPENED if o.event.type == "key.certified")
    for number in range(MAX_KEYS * 2):
        body = grant.event.body
        certificate = msgspec.structs.replace(
            body.certificate,  # type: ignore[union-attr]
            public_key=number.to_bytes(32, "big"),
        )
        event = msgspec.structs.replace(
            grant.event, body=msgspec.structs.replace(body, certificate=certificate)
        )
        assert keys.questions(msgspec.structs.replace(grant, event=event))


def test_a_signature_under_another_key_than_the_certified_one_counts_for_nothing() -> None:
    """An attacker's claim of a key leads to an answer; trust asks for the certified key's."""
    entries = list(LEDGER.entries)
    thief = Signer.from_seed(b"x" * 32)
    envelope = decode_envelope(entries[7].body)
    forged = msgspec.structs.replace(thief.envelope(envelope.payload), key_id=envelope.key_id)
    entries[7] = msgspec.structs.replace(entries[7], body=encode_envelope(forged))
    under_thief = Question(thief.public, PAYLOAD_TYPE, forged.payload, forged.signature)
    assert holds(*under_thief.check)

    def ahead(entries: Iterator[ExportedEntry], _: int) -> Iterator[Known]:
        return (Known(entry, opened_or_not(entry), (under_thief,)) for entry in entries)

    report = verify(HeldExport(LEDGER, entries), LEDGER.root_public, ahead=ahead)
    assert report.first_bad == 8 and report.findings[0].kind == "forged"


@pytest.mark.parametrize("field", ["public", "payload_type", "payload", "signature"])
def test_an_answer_to_any_other_question_counts_for_nothing(field: str) -> None:
    """What was seen to hold must be the very bytes, under the very key, for the very purpose."""
    entry = LEDGER.entries[7]
    envelope = msgspec.structs.replace(decode_envelope(entry.body), signature=bytes(64))
    bent = msgspec.structs.replace(entry, body=encode_envelope(envelope))
    entries = [*LEDGER.entries[:7], bent, *LEDGER.entries[8:]]
    signer = next(s for s in LEDGER.signers.values() if s.key_id == envelope.key_id)
    right = Question(signer.public, PAYLOAD_TYPE, envelope.payload, envelope.signature)
    other = {
        "public": Signer.from_seed(b"x" * 32).public,
        "payload_type": RECEIPT_TYPE,
        "payload": NO_DIGEST,
        "signature": decode_envelope(entry.body).signature,
    }

    def report_with(question: Question):  # type: ignore[no-untyped-def]
        return verify(
            HeldExport(LEDGER, entries),
            LEDGER.root_public,
            ahead=lambda some, _: (Known(e, opened_or_not(e), (question,)) for e in some),
        )

    changed = msgspec.structs.replace(right, **{field: other[field]})
    assert report_with(changed).findings[0].kind == "forged"
    # The test can fail: the very question, were it ever answered so, would be believed.
    assert report_with(right).findings[0].kind != "forged"


def test_a_question_is_over_the_encoding_that_the_signature_covers() -> None:
    question = asked()[0]
    assert question.check[1] == pae(PAYLOAD_TYPE, question.payload)
