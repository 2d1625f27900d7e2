"""A passkey's approval: what makes it one, and every field of it that can be forged."""

from collections.abc import Callable
from typing import Any

import cbor2
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.errors import BadAssertion
from crypto.passkeys import approval_challenge, check_assertion
from schemas.actions import Decision
from schemas.passkeys import Assertion
from tests.authenticators import PRESENT, VERIFIED, Authenticator

PROPOSAL = b"p" * 32
CHALLENGE = approval_challenge(PROPOSAL, Decision.APPROVE)
KEY = Authenticator(1)


@pytest.mark.parametrize("key", [KEY, Authenticator(1, eddsa=True)])
@pytest.mark.parametrize("counter", [0, 7])
def test_an_assertion_over_this_decision_is_good_whatever_its_counter(
    key: Authenticator, counter: int
) -> None:
    check_assertion(key.sign(CHALLENGE, counter=counter), key.enrolled(), CHALLENGE)


def test_the_challenge_is_of_one_proposal_and_one_answer() -> None:
    challenges = {
        approval_challenge(proposal, decision)
        for proposal in (PROPOSAL, b"q" * 32)
        for decision in Decision
    }
    assert len(challenges) == 2 * len(Decision)
    assert {len(challenge) for challenge in challenges} == {32}


def changed(**changes: Any) -> Assertion:
    return msgspec.structs.replace(KEY.sign(CHALLENGE), **changes)


@pytest.mark.parametrize(
    ("forged", "why"),
    [
        (lambda: KEY.sign(approval_challenge(b"q" * 32, Decision.APPROVE)), "challenge"),
        (lambda: KEY.sign(approval_challenge(PROPOSAL, Decision.DENY)), "challenge"),
        (lambda: KEY.sign(PROPOSAL), "challenge"),
        (lambda: KEY.sign(CHALLENGE, client={"origin": "https://evil.example"}), "origin"),
        (lambda: KEY.sign(CHALLENGE, client={"origin": f"{KEY.origin}:8443"}), "origin"),
        (lambda: KEY.sign(CHALLENGE, client={"type": "webauthn.create"}), "type"),
        (lambda: KEY.sign(CHALLENGE, client={"crossOrigin": True}), "frame"),
        (lambda: KEY.sign(CHALLENGE, relying_party="acme.example"), "RP ID"),
        (lambda: KEY.sign(CHALLENGE, flags=PRESENT), "verification"),
        (lambda: KEY.sign(CHALLENGE, flags=VERIFIED), "present"),
        (lambda: Authenticator(2).sign(CHALLENGE), "another passkey"),
        (lambda: changed(credential=b"x" * 16), "another passkey"),
        (lambda: changed(signature=b"x"), "signature"),
        (lambda: changed(signature=KEY.sign(PROPOSAL).signature), "signature"),
        (lambda: changed(client_data=KEY.sign(CHALLENGE).client_data + b" "), "signature"),
        (lambda: changed(client_data=b"{}"), "clientDataJSON"),
        (lambda: changed(client_data=b"\xff"), "clientDataJSON"),
        (lambda: changed(authenticator_data=KEY.sign(CHALLENGE, counter=9).authenticator_data), ""),
        (lambda: changed(authenticator_data=KEY.sign(CHALLENGE).authenticator_data + b"x"), ""),
    ],
)
def test_what_is_forged_in_any_field_is_refused_by_name(
    forged: Callable[[], Assertion], why: str
) -> None:
    with pytest.raises(BadAssertion) as refused:
        check_assertion(forged(), KEY.enrolled(), CHALLENGE)
    assert why in refused.value.what


@pytest.mark.parametrize(
    "changes",
    [
        {"public_key": Authenticator(2).public_key},
        {"relying_party": "acme.example"},
        {"origin": "https://evil.example"},
    ],
)
def test_a_passkey_that_is_on_record_otherwise_approves_nothing(changes: dict[str, Any]) -> None:
    with pytest.raises(BadAssertion):
        check_assertion(KEY.sign(CHALLENGE), KEY.enrolled(**changes), CHALLENGE)


@pytest.mark.parametrize(
    "public_key",
    [
        b"\x04",
        b"\xff",
        cbor2.dumps(7),
        cbor2.dumps([]),
        cbor2.dumps({}),
        cbor2.dumps({1: 2, 3: -7}),
        cbor2.dumps({1: 2, 3: -7, -1: 1, -2: b"", -3: b"y"}),
        cbor2.dumps({1: 2, 3: -7, -1: 1, -2: b"x" * 32, -3: b"y" * 32}),
        cbor2.dumps({1: 2, 3: -7, -1: 99, -2: b"x", -3: b"y"}),
        cbor2.dumps({1: 2, 3: -7, -1: 1, -2: 3, -3: [4]}),
        cbor2.dumps({1: 3, 3: -257, -1: b"n", -2: b"e"}),
        cbor2.dumps({1: 1, 3: -8, -1: 6, -2: b"short"}),
        b"\x81" * 2_000,
    ],
)
def test_a_public_key_out_of_form_is_refused_and_breaks_nothing(public_key: bytes) -> None:
    with pytest.raises(BadAssertion):
        check_assertion(KEY.sign(CHALLENGE), KEY.enrolled(public_key=public_key), CHALLENGE)


@settings(max_examples=60, deadline=None)
@given(
    field=st.sampled_from(("credential", "authenticator_data", "client_data", "signature")),
    place=st.integers(0, 500),
    bit=st.integers(0, 7),
)
def test_one_flipped_bit_anywhere_is_refused(field: str, place: int, bit: int) -> None:
    signed = KEY.sign(CHALLENGE)
    spoiled = bytearray(getattr(signed, field))
    spoiled[place % len(spoiled)] ^= 1 << bit
    with pytest.raises(BadAssertion):
        check_assertion(
            msgspec.structs.replace(signed, **{field: bytes(spoiled)}), KEY.enrolled(), CHALLENGE
        )


@settings(max_examples=60, deadline=None)
@given(public_key=st.binary(min_size=1, max_size=120), data=st.binary(min_size=37, max_size=120))
def test_arbitrary_bytes_raise_nothing_else(public_key: bytes, data: bytes) -> None:
    with pytest.raises(BadAssertion):
        check_assertion(
            changed(authenticator_data=data), KEY.enrolled(public_key=public_key), CHALLENGE
        )
