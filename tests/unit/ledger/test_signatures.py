"""Signatures checked ahead: an answer is for one key and one body, and never more than that."""

import msgspec
import pytest

from crypto.signing import Signer
from ledger.export import ExportedEntry
from ledger.signatures import (
    MAX_KEYS,
    UNKNOWN,
    Batch,
    Keys,
    claimed_keys,
    decode_answers,
    decode_batch,
    encode_answers,
    encode_batch,
)
from ledger.verify import verify
from schemas.envelope import decode_envelope, encode_envelope
from tests.ledgers import HeldExport, small_ledger

LEDGER = small_ledger()
BODIES = [entry.body for entry in LEDGER.entries]


def knowing(*publics: bytes) -> Keys:
    keys = Keys()
    keys.learn(publics)
    return keys


def test_every_entry_verifies_under_a_key_that_the_ledger_claims() -> None:
    keys = knowing(LEDGER.root_public)
    for entry in LEDGER.entries:
        keys.learn(claimed_keys(entry))
    answers = keys.check(BODIES)
    publics = {signer.key_id: signer.public for signer in LEDGER.signers.values()}
    assert answers == [publics[decode_envelope(body).key_id] for body in BODIES]


def test_an_unknown_key_a_bent_signature_and_garbage_have_no_answer() -> None:
    keys = knowing(LEDGER.root_public)
    envelope = decode_envelope(BODIES[0])
    bent = msgspec.structs.replace(envelope, signature=bytes(64))
    unknown = msgspec.structs.replace(envelope, key_id=bytes(16))
    bodies = [encode_envelope(bent), encode_envelope(unknown), b"garbage", BODIES[0]]
    assert keys.check(bodies) == [UNKNOWN, UNKNOWN, UNKNOWN, LEDGER.root_public]


def test_what_goes_to_a_helper_and_back_is_unchanged() -> None:
    batch = Batch((LEDGER.root_public,), tuple(BODIES))
    assert decode_batch(encode_batch(batch)) == batch
    answers = [UNKNOWN, b"k" * 32, b"j" * 32, b"k" * 32, UNKNOWN]
    assert decode_answers(encode_answers(answers)) == answers


def test_a_key_in_use_outlasts_any_number_of_claims() -> None:
    keys = knowing(LEDGER.root_public)
    for number in range(MAX_KEYS * 2):
        keys.learn([number.to_bytes(32, "big")])
        if number % 1_000 == 0:
            assert keys.check(BODIES[:1]) == [LEDGER.root_public]


def test_garbage_where_grants_lie_claims_nothing() -> None:
    assert claimed_keys(ExportedEntry(1, "ws.acme.admin.key", b"garbage")) == ()
    assert claimed_keys(ExportedEntry(1, "ws.acme.run.r-1.proposal", BODIES[0])) == ()


@pytest.mark.parametrize("forge", [True, False])
def test_an_answer_under_another_key_than_the_certified_one_counts_for_nothing(forge: bool) -> None:
    """An attacker's claim of a key leads to an answer; trust asks for the certified key's."""
    entries = list(LEDGER.entries)
    thief = Signer.from_seed(b"x" * 32)
    if forge:
        envelope = decode_envelope(entries[7].body)
        forged = msgspec.structs.replace(thief.envelope(envelope.payload), key_id=envelope.key_id)
        entries[7] = msgspec.structs.replace(entries[7], body=encode_envelope(forged))
    report = verify(
        HeldExport(LEDGER, entries),
        LEDGER.root_public,
        ahead=lambda entries, _: ((entry, thief.public) for entry in entries),
    )
    assert report.ok is not forge
    if forge:
        assert report.first_bad == 8 and report.findings[0].kind == "forged"
