"""Layer 14 where policy asks for a passkey: what approves, and what refuses with which words."""

from typing import Any

import pytest

from bus.decider import Recorded
from bus.snapshot import decode, encode
from schemas.actions import ApprovalDecided, Decision, LayerResult
from schemas.names import Role
from schemas.passkeys import PasskeyAdmitted, PasskeyRevoked
from schemas.tools import Effect
from sidecar.gate.review import review
from sidecar.gate.stepping_up import wanted
from sidecar.passkeys import Passkeys, evolve
from tests.authenticators import Authenticator
from tests.cases import NOW, POLICY, PROPOSAL_DIGEST, changed, good_case, recorded

BY_TOOL = changed(POLICY, passkey=("mail.send",))
BY_EFFECT = changed(POLICY, passkey=("communication",))
ADA, BOB = Authenticator(1), Authenticator(2)
ENROLLED = {"ada": (b"1" * 32, ADA), "bob": (b"2" * 32, BOB)}


def known(*people: str, revoked: str = "") -> Passkeys:
    """Passkeys as folded: everybody's enrolled, those of `people` admitted."""
    passkeys = Passkeys()
    for person, (digest, key) in ENROLLED.items():
        passkeys = evolve(passkeys, recorded(key.enrolled(), digest, Role.ADMIN, person))
    for number, person in enumerate(people):
        body = PasskeyAdmitted(enrolment=ENROLLED[person][0])
        passkeys = evolve(passkeys, recorded(body, bytes([number]) * 32, Role.ADMIN, "ada"))
    if revoked:
        gone = PasskeyRevoked(enrolment=ENROLLED[revoked][0], reason="lost")
        passkeys = evolve(passkeys, recorded(gone, b"r" * 32, Role.ADMIN, "ada"))
    return passkeys


def by(person: str, body: ApprovalDecided) -> Recorded:
    return recorded(body, person.encode(), Role.ADMIN, person)


def said(decision: Decision) -> ApprovalDecided:
    return ApprovalDecided(proposal=PROPOSAL_DIGEST, decision=decision)


def case(approval: Recorded | None, *more: Recorded, **changes: Any) -> Any:
    given = {"policy": BY_TOOL, "passkeys": known("ada", "bob"), **changes}
    return good_case(approval=approval, more=more, **given)


@pytest.mark.parametrize("policy", [BY_TOOL, BY_EFFECT])
def test_what_policy_names_by_tool_or_effect_waits_for_a_person_though_the_judge_approved(
    policy: Any,
) -> None:
    word = review(case(None, policy=policy))
    assert word.result is LayerResult.HOLD
    assert "in the console, with a passkey" in word.fix
    assert wanted(case(None, policy=policy))


def test_what_policy_does_not_name_needs_no_passkey() -> None:
    other = changed(POLICY, passkey=("mail.read", "payment"), human_effects=(Effect.COMMUNICATION,))
    word = review(case(by("ada", said(Decision.APPROVE)), policy=other, passkeys=Passkeys()))
    assert word.result is LayerResult.PASS


def test_an_approval_with_an_admitted_passkey_passes() -> None:
    word = review(case(by("ada", ADA.approve(PROPOSAL_DIGEST))))
    assert (word.result, word.evidence) == (LayerResult.PASS, "approved by ada")


@pytest.mark.parametrize(
    ("approval", "passkeys", "why"),
    [
        (by("ada", said(Decision.APPROVE)), known("ada"), "ada approved without a passkey"),
        (by("ada", ADA.approve(PROPOSAL_DIGEST)), known(), "not admitted as theirs"),
        (by("ada", ADA.approve(PROPOSAL_DIGEST)), Passkeys(), "not admitted as theirs"),
        (by("ada", ADA.approve(PROPOSAL_DIGEST)), known("ada", revoked="ada"), "not admitted"),
        (by("ada", BOB.approve(PROPOSAL_DIGEST)), known("ada", "bob"), "not admitted as theirs"),
        (by("bob", ADA.approve(PROPOSAL_DIGEST)), known("ada", "bob"), "not admitted as theirs"),
        (
            by("ada", changed(ADA.approve(b"x" * 32), proposal=PROPOSAL_DIGEST)),
            known("ada"),
            "ada's passkey does not approve this",
        ),
        (
            by("ada", changed(ADA.approve(PROPOSAL_DIGEST, Decision.DENY), decision=said(
                Decision.APPROVE).decision)),
            known("ada"),
            "ada's passkey does not approve this",
        ),
    ],
    ids=[
        *("none", "never admitted", "never enrolled", "revoked", "another person's"),
        *("by another person", "over another proposal", "over a denial"),
    ],
)  # fmt: skip
def test_an_approval_that_lacks_the_passkey_refuses_and_says_why(
    approval: Recorded, passkeys: Passkeys, why: str
) -> None:
    word = review(case(approval, passkeys=passkeys))
    assert word.result is LayerResult.REFUSE
    assert why in word.reason
    assert "in the console" in word.fix


def test_a_denial_needs_no_passkey() -> None:
    word = review(case(by("ada", said(Decision.DENY)), passkeys=Passkeys()))
    assert (word.result, word.reason) == (LayerResult.REFUSE, "denied by ada")


def test_of_two_people_each_needs_their_own_passkey() -> None:
    both = changed(BY_TOOL, four_eyes=(Effect.COMMUNICATION,))
    ada, bob = by("ada", ADA.approve(PROPOSAL_DIGEST)), by("bob", BOB.approve(PROPOSAL_DIGEST))
    assert review(case(ada, bob, policy=both)).result is LayerResult.PASS
    assert review(case(ada, policy=both)).result is LayerResult.HOLD
    # The rep's own does not count, so what it lacks does no harm.
    ann = by("ann", said(Decision.APPROVE))
    assert review(case(ann, ada, bob, policy=both)).result is LayerResult.PASS
    word = review(case(ada, by("bob", said(Decision.APPROVE)), policy=both))
    assert word.result is LayerResult.REFUSE
    assert "bob approved without a passkey" in word.reason


def test_a_passkey_once_revoked_can_be_admitted_again_and_survives_a_snapshot() -> None:
    again = evolve(
        known("ada", revoked="ada"),
        recorded(PasskeyAdmitted(enrolment=ENROLLED["ada"][0]), b"z" * 32, Role.ADMIN, "ada"),
    )
    assert again == known("ada")
    back = decode(encode(again), Passkeys)
    assert back == again
    assert back.of("ada", ADA.credential) == ADA.enrolled()
    stray = recorded(PasskeyAdmitted(enrolment=b"s" * 32), b"z" * 32, Role.ADMIN, "ada", at=NOW)
    assert evolve(again, stray) == again
