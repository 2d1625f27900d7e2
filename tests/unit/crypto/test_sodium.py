"""libsodium's yes is one of OpenSSL's, and its no decides nothing."""

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.ed25519 import holds
from crypto.errors import BadSignature
from crypto.signing import Signer, verify_raw
from crypto.sodium import says_yes

SIGNER: Final = Signer.from_seed(b"s" * 32)
MESSAGE: Final = b"a message of some length"
GOOD: Final = SIGNER.sign_raw(MESSAGE)

ORDER: Final = 2**252 + 27742317777372353535851937790883648493
"""L of RFC 8032 section 5.1."""
IDENTITY: Final = (1).to_bytes(32, "little")
"""The point of order one, as a key and as R."""
SMALL_ORDER: Final = (
    IDENTITY,
    bytes(32),
    bytes.fromhex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
    bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
)


def verifies(public: bytes, message: bytes, signature: bytes) -> bool:
    try:
        verify_raw(public, message, signature)
    except BadSignature:
        return False
    return True


def test_a_good_signature_needs_one_of_them_alone() -> None:
    assert says_yes(SIGNER.public, MESSAGE, GOOD)
    assert holds(SIGNER.public, MESSAGE, GOOD)


@given(st.integers(0, 8 * 64 - 1))
def test_a_signature_with_one_bit_changed_is_refused(bit: int) -> None:
    bent = bytearray(GOOD)
    bent[bit // 8] ^= 1 << bit % 8
    assert not says_yes(SIGNER.public, MESSAGE, bytes(bent))
    assert not verifies(SIGNER.public, MESSAGE, bytes(bent))


@given(st.binary(max_size=40), st.binary(max_size=40), st.binary(max_size=80))
def test_keys_and_signatures_of_any_length_are_refused(
    public: bytes, message: bytes, signature: bytes
) -> None:
    assert not says_yes(public, message, signature)
    assert not verifies(public, message, signature)


def test_a_signature_with_a_multiple_of_the_order_added_is_refused_by_both() -> None:
    scalar = int.from_bytes(GOOD[32:], "little") + ORDER
    bent = GOOD[:32] + scalar.to_bytes(32, "little")
    assert not says_yes(SIGNER.public, MESSAGE, bent)
    assert not holds(SIGNER.public, MESSAGE, bent)


@pytest.mark.parametrize("point", SMALL_ORDER, ids=lambda point: point.hex()[:8])
@pytest.mark.parametrize("key", SMALL_ORDER, ids=lambda key: key.hex()[:8])
def test_keys_of_small_order_are_decided_on_as_the_auditors_library_does(
    key: bytes, point: bytes
) -> None:
    for number in range(16):
        message, signature = bytes([number]), point + bytes(32)
        assert not says_yes(key, message, signature)
        assert verifies(key, message, signature) == holds(key, message, signature)


def test_what_libsodium_alone_refuses_still_counts() -> None:
    signature = IDENTITY + bytes(32)
    assert holds(IDENTITY, MESSAGE, signature)
    assert not says_yes(IDENTITY, MESSAGE, signature)
    assert verifies(IDENTITY, MESSAGE, signature)
