"""Signing, against RFC 8032's and DSSE's own vectors, and for one purpose only."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.errors import BadSignature
from crypto.signing import Signer, key_id_of, pae, verify, verify_raw

SIGNER = Signer.from_seed(b"s" * 32)


@pytest.mark.parametrize(
    ("seed", "public", "message", "signature"),
    [  # RFC 8032 section 7.1, tests 1 to 3
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
            "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
        (
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
            "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        ),
    ],
)
def test_signatures_are_rfc_8032s(seed: str, public: str, message: str, signature: str) -> None:
    signer = Signer.from_seed(bytes.fromhex(seed))
    assert signer.public.hex() == public
    assert signer.sign_raw(bytes.fromhex(message)).hex() == signature
    verify_raw(signer.public, bytes.fromhex(message), bytes.fromhex(signature))


def test_the_encoding_is_dsses() -> None:
    # The example of DSSE's protocol.md.
    encoded = pae("http://example.com/HelloWorld", b"hello world")
    assert encoded == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"


@given(st.text(), st.binary(), st.text(), st.binary())
def test_no_two_pairs_of_type_and_payload_have_one_encoding(
    one: str, first: bytes, other: str, second: bytes
) -> None:
    assert (pae(one, first) == pae(other, second)) == ((one, first) == (other, second))


@given(st.binary(max_size=100), st.text(max_size=20))
def test_what_is_signed_verifies(payload: bytes, kind: str) -> None:
    verify(SIGNER.public, kind, payload, SIGNER.sign(kind, payload))


@given(st.integers(0, 63), st.integers(0, 7))
def test_a_signature_with_any_bit_changed_does_not_verify(at: int, bit: int) -> None:
    signature = bytearray(SIGNER.sign("t", b"payload"))
    signature[at] ^= 1 << bit
    with pytest.raises(BadSignature):
        verify(SIGNER.public, "t", b"payload", bytes(signature))


def test_a_signature_serves_no_other_purpose_payload_or_key() -> None:
    signature = SIGNER.sign("one", b"payload")
    other = Signer.generate().public
    for public, kind, payload in (
        (SIGNER.public, "two", b"payload"),
        (SIGNER.public, "one", b"payloae"),
        (other, "one", b"payload"),
        (b"short", "one", b"payload"),
    ):
        with pytest.raises(BadSignature):
            verify(public, kind, payload, signature)


def test_a_signer_names_itself_by_its_key_id_and_shows_no_more() -> None:
    assert SIGNER.key_id == key_id_of(SIGNER.public) and len(SIGNER.key_id) == 16
    assert repr(SIGNER) == f"Signer(key_id={SIGNER.key_id.hex()})"


def test_generated_signers_are_distinct() -> None:
    assert len({Signer.generate().public for _ in range(8)}) == 8
