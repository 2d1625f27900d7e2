"""Receipts: each of the two authentications fails on its own for any change."""

import hashlib
import hmac

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.signing import Signer, verify_raw
from ledger.errors import BadReceipt
from ledger.receipt import authenticate, check_receipt
from schemas.actions import ActionOutcome, Receipt, ReceiptIssued
from schemas.envelope import PAYLOAD_TYPE, RECEIPT_TYPE

SIGNER = Signer.from_seed(b"s" * 32)
MAC_KEY = b"m" * 32
RECEIPT = Receipt(
    workspace="acme",
    run="r-1",
    rep="ann",
    agent="follow-up",
    intent="move deal 1 on",
    tool="crm.update",
    action=b"a" * 32,
    key="01980000-0000-7000-8000-000000000000",
    index=16,
    arguments=b"b" * 32,
    outcome=ActionOutcome.CONFIRMED,
    evidence=b"e" * 32,
    at=1,
)
ISSUED = authenticate(RECEIPT, SIGNER, MAC_KEY)


def test_an_authentic_receipt_is_read_back_whole() -> None:
    assert check_receipt(ISSUED, SIGNER.public, MAC_KEY) == RECEIPT
    assert check_receipt(ISSUED, SIGNER.public, None) == RECEIPT


def test_both_authentications_cover_the_encoding_that_the_auditor_is_told() -> None:
    covered = b"DSSEv1 %d %s %d %s" % (
        len(RECEIPT_TYPE),
        RECEIPT_TYPE.encode(),
        len(ISSUED.receipt),
        ISSUED.receipt,
    )
    assert ISSUED.mac == hmac.digest(MAC_KEY, covered, hashlib.sha256)
    verify_raw(SIGNER.public, covered, ISSUED.signature)


@given(st.sampled_from(["receipt", "mac", "signature"]), st.data())
def test_any_changed_bit_of_a_receipt_is_found(field: str, draw: st.DataObject) -> None:
    data = bytearray(getattr(ISSUED, field))
    data[draw.draw(st.integers(0, len(data) - 1))] ^= 1 << draw.draw(st.integers(0, 7))
    changed = msgspec.structs.replace(ISSUED, **{field: bytes(data)})
    with pytest.raises(BadReceipt):
        check_receipt(changed, SIGNER.public, MAC_KEY)


def test_who_holds_the_mac_key_cannot_forge_the_signature() -> None:
    forged = authenticate(RECEIPT, Signer.from_seed(b"o" * 32), MAC_KEY)
    with pytest.raises(BadReceipt, match="not signed"):
        check_receipt(forged, SIGNER.public, MAC_KEY)


def test_who_holds_the_signing_key_cannot_pass_the_auditor_without_the_mac_key() -> None:
    forged = authenticate(RECEIPT, SIGNER, b"x" * 32)
    with pytest.raises(BadReceipt, match="MAC"):
        check_receipt(forged, SIGNER.public, MAC_KEY)


def test_a_signature_for_an_event_does_not_serve_a_receipt() -> None:
    signature = SIGNER.sign(PAYLOAD_TYPE, ISSUED.receipt)
    with pytest.raises(BadReceipt):
        check_receipt(msgspec.structs.replace(ISSUED, signature=signature), SIGNER.public, MAC_KEY)


def test_authentic_bytes_that_are_no_receipt_are_refused() -> None:
    data = b"\x80"
    body = ReceiptIssued(receipt=data, mac=bytes(32), signature=SIGNER.sign(RECEIPT_TYPE, data))
    with pytest.raises(BadReceipt, match="out of form"):
        check_receipt(body, SIGNER.public, None)
