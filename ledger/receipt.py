"""Receipts: made by the sidecar, checked by anyone who holds the public key.

Ed25519 and HMAC-SHA256 both cover the DSSE pre-authentication encoding of (RECEIPT_TYPE,
receipt). The MAC is for the workspace's auditor, who gets its key; the signature is why
whoever can check a receipt still cannot forge one. Sources: DSSE v1.0, RFC 2104, RFC 8032.
"""

import hashlib
import hmac
from typing import Final

import msgspec

from crypto.errors import BadSignature
from crypto.signing import Signer, pae, verify
from crypto.trust import SignatureCheck
from ledger.errors import BadReceipt
from schemas.actions import Receipt, ReceiptIssued
from schemas.envelope import RECEIPT_TYPE
from schemas.errors import UNREADABLE

_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(Receipt)


def authenticate(receipt: Receipt, signer: Signer, mac_key: bytes) -> ReceiptIssued:
    """The receipt, encoded once, signed, and under the workspace's 32-byte receipt key."""
    data = _ENCODER.encode(receipt)
    return ReceiptIssued(
        receipt=data, mac=_mac(mac_key, data), signature=signer.sign(RECEIPT_TYPE, data)
    )


def check_receipt(
    body: ReceiptIssued,
    public: bytes,
    mac_key: bytes | None,
    check: SignatureCheck = verify,
) -> Receipt:
    """The receipt in `body`, if `public` signed it and, where the key is given, the MAC fits.

    `check` is as `crypto.trust.Trust`'s. The MACs are compared in constant time. Raises
    `BadReceipt`.
    """
    try:
        check(public, RECEIPT_TYPE, body.receipt, body.signature)
    except BadSignature as error:
        raise BadReceipt("the receipt is not signed by the receipt key") from error
    if mac_key is not None and not hmac.compare_digest(_mac(mac_key, body.receipt), body.mac):
        raise BadReceipt("the receipt's MAC is not under the workspace's receipt key")
    try:
        return _DECODER.decode(body.receipt)
    except UNREADABLE as error:
        raise BadReceipt(f"the receipt is out of form: {error}") from error


def _mac(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, pae(RECEIPT_TYPE, data), hashlib.sha256)
