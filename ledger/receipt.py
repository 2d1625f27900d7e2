"""Receipts: authenticated twice, so that an auditor can check one and nobody can forge one.

HMAC-SHA256 under the workspace's receipt key, which auditors get, and Ed25519 under the
receipt key certified in the ledger, both over the DSSE encoding of the receipt's bytes.
"""

import hashlib
import hmac

import msgspec

from crypto.errors import BadSignature
from crypto.signing import Signer, pae, verify
from ledger.errors import BadReceipt
from schemas.actions import Receipt, ReceiptIssued
from schemas.envelope import RECEIPT_TYPE


def authenticate(receipt: Receipt, signer: Signer, mac_key: bytes) -> ReceiptIssued:
    """The receipt with its code and signature. Deterministic."""
    data = msgspec.msgpack.encode(receipt)
    return ReceiptIssued(
        receipt=data,
        mac=hmac.digest(mac_key, pae(RECEIPT_TYPE, data), hashlib.sha256),
        signature=signer.sign(RECEIPT_TYPE, data),
    )


def check_receipt(body: ReceiptIssued, public_key: bytes, mac_key: bytes | None) -> Receipt:
    """The receipt that `body` authenticates. Raises `BadReceipt`.

    `mac_key` None leaves the code unchecked; the signature is always checked.
    """
    try:
        verify(public_key, RECEIPT_TYPE, body.receipt, body.signature)
    except BadSignature as error:
        raise BadReceipt("the receipt's signature does not verify") from error
    if mac_key is not None:
        expected = hmac.digest(mac_key, pae(RECEIPT_TYPE, body.receipt), hashlib.sha256)
        if not hmac.compare_digest(expected, body.mac):
            raise BadReceipt("the receipt's HMAC does not match under this receipt key")
    try:
        return msgspec.msgpack.decode(body.receipt, type=Receipt)
    except msgspec.DecodeError as error:
        raise BadReceipt(f"not a receipt: {error}") from error
