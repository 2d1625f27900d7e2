"""Passkeys at the console: what a browser gives is read and checked, and how each stands."""

import json
from typing import Any

import pytest

from console.view.passkeys import Passkey, Passkeys
from console.web.errors import BadForm, NeedsPasskey
from console.web.passkeys import (
    assertion,
    check_passkey,
    enrolled,
    party_of,
    to_approve,
    to_enrol,
    url64,
)
from crypto.passkeys import approval_challenge, enrolment_challenge
from schemas.actions import Decision
from schemas.names import Role
from schemas.passkeys import PasskeyAdmitted, PasskeyRevoked
from tests.authenticators import ORIGIN, Authenticator, as_json
from tests.cases import recorded

SECRET = "the session's own"
PROPOSAL = b"p" * 32
KEY = Authenticator(1)
MINE = [Passkey(b"d" * 32, "ada", KEY.enrolled(), 1, admitted_at=2)]


@pytest.mark.parametrize("key", [KEY, Authenticator(2, eddsa=True)])
def test_what_a_browser_makes_is_enrolled_with_its_key_and_place(key: Authenticator) -> None:
    made = enrolled(key.register(enrolment_challenge(SECRET)), ORIGIN, SECRET, "laptop")
    assert made == key.enrolled(label="laptop")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "7",
        KEY.register(enrolment_challenge("another session's")),
        Authenticator(1, origin="https://evil.example").register(enrolment_challenge(SECRET)),
        json.dumps({**json.loads(KEY.register(enrolment_challenge(SECRET))), "id": "x"}),
        json.dumps({**json.loads(KEY.register(enrolment_challenge(SECRET))), "response": {}}),
    ],
)
def test_what_was_not_made_for_this_session_and_origin_is_refused(text: str) -> None:
    with pytest.raises(BadForm):
        enrolled(text, ORIGIN, SECRET, "laptop")


def test_an_assertion_comes_back_from_json_as_it_was_made() -> None:
    signed = KEY.sign(approval_challenge(PROPOSAL, Decision.APPROVE))
    assert assertion(as_json(signed)) == signed


@pytest.mark.parametrize(
    "changes",
    [
        {"rawId": 7},
        {"rawId": "%%%"},
        {"rawId": ""},
        {"response": {}},
        {"response": {"clientDataJSON": "", "authenticatorData": "", "signature": ""}},
    ],
)
def test_an_assertion_out_of_form_is_named_as_such(changes: dict[str, Any]) -> None:
    good = json.loads(as_json(KEY.sign(bytes(32))))
    with pytest.raises(BadForm):
        assertion(json.dumps({**good, **changes}))


def test_the_console_takes_what_the_gate_will_and_says_what_is_lacking() -> None:
    good = KEY.approve(PROPOSAL).assertion
    check_passkey(PROPOSAL, Decision.APPROVE, good, MINE)
    for given, mine, why in (
        (None, MINE, "policy has this approved with a passkey"),
        (good, [], "no admin has admitted"),
        (Authenticator(2).approve(PROPOSAL).assertion, MINE, "no admin has admitted"),
        (KEY.approve(b"x" * 32).assertion, MINE, "did not sign this"),
    ):
        with pytest.raises(NeedsPasskey, match=why):
            check_passkey(PROPOSAL, Decision.APPROVE, given, mine)


def test_the_browser_is_asked_to_sign_the_decision_and_to_know_its_user() -> None:
    asked = json.loads(to_approve(PROPOSAL, MINE))
    assert asked["challenge"] == url64(approval_challenge(PROPOSAL, Decision.APPROVE))
    assert (asked["rpId"], asked["userVerification"]) == ("trust.acme.example", "required")
    assert [one["id"] for one in asked["allowCredentials"]] == [url64(KEY.credential)]
    made = json.loads(to_enrol(ORIGIN, SECRET, "ada", MINE))
    assert made["rp"]["id"] == party_of(ORIGIN) == party_of(f"{ORIGIN}:8443")
    assert made["authenticatorSelection"]["userVerification"] == "required"
    assert [one["id"] for one in made["excludeCredentials"]] == [url64(KEY.credential)]


def test_a_passkey_waits_is_admitted_and_is_revoked_and_nobody_elses_is_touched() -> None:
    known = Passkeys()

    def take(body: Any, digest: bytes, by: str = "ada") -> None:
        known.fold(digest, recorded(body, digest, Role.ADMIN, by).event)

    take(KEY.enrolled(), b"1" * 32)
    take(Authenticator(2).enrolled(), b"2" * 32, "bob")
    assert [one.state for one in known.of("ada")] == ["waiting"]
    assert known.approving("ada") == []
    take(PasskeyAdmitted(enrolment=b"1" * 32), b"3" * 32)
    (mine,) = known.approving("ada")
    assert (mine.state, mine.admitted_by, mine.name) == ("admitted", "ada", "31" * 8)
    assert known.approving("bob") == []
    take(PasskeyRevoked(enrolment=b"1" * 32, reason="lost"), b"4" * 32)
    take(PasskeyRevoked(enrolment=b"9" * 32, reason="of nothing"), b"5" * 32)
    assert known.approving("ada") == []
    assert (mine.state, mine.revoked) == ("revoked", "lost")
