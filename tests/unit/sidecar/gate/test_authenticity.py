"""Layer 1: the certified runtime, a clock within the skew, a number used once, open arguments."""

from typing import Any

import pytest

from schemas.actions import LayerResult
from schemas.names import SECOND, Role
from sidecar.gate.authenticity import authenticity
from tests.cases import NOW, POLICY, PROPOSAL_DIGEST, RUNTIME_KEY, changed, good_case, recorded
from tests.cases import proposal as made


def dated(at: int, role: Role = Role.RUNTIME, instance: str = "runtime-1") -> Any:
    return recorded(made(), PROPOSAL_DIGEST, role, instance, at=at)


@pytest.mark.parametrize("missing", ["lease_key", "lease", "policy"])
def test_without_a_key_a_lease_or_a_policy_nobody_is_certified(missing: str) -> None:
    word = authenticity(good_case(**{missing: None}))
    assert word.result is LayerResult.REFUSE
    assert "no lease certifies" in word.reason


@pytest.mark.parametrize(
    ("role", "instance"), [(Role.RUNTIME, "runtime-2"), (Role.REP, "runtime-1")]
)
def test_another_signer_is_refused_and_both_are_named(role: Role, instance: str) -> None:
    word = authenticity(good_case(recorded=dated(NOW, role, instance)))
    assert word.result is LayerResult.REFUSE
    assert "not from the runtime" in word.reason
    assert word.evidence == f"{role.value}/{instance}, not runtime-1"


def test_a_new_certificate_of_another_instance_counts() -> None:
    case = good_case(
        recorded=dated(NOW, instance="b"), lease_key=changed(RUNTIME_KEY, instance="b")
    )
    assert authenticity(case).result is LayerResult.PASS


@pytest.mark.parametrize("side", [-1, 1])
def test_a_clock_may_be_off_by_exactly_the_skew_and_not_a_nanosecond_more(side: int) -> None:
    skew = POLICY.skew_s * SECOND
    assert authenticity(good_case(recorded=dated(NOW + side * skew))).result is LayerResult.PASS
    word = authenticity(good_case(recorded=dated(NOW + side * (skew + 1))))
    assert word.result is LayerResult.REFUSE
    assert "120 s away" in word.reason
    assert "at most 120 s" in word.evidence
    assert "NTP" in word.fix


def test_a_repeated_number_and_sealed_arguments_have_reasons_of_their_own() -> None:
    assert "used before" in authenticity(good_case(repeated=True)).reason
    sealed = authenticity(good_case(arguments=None))
    assert sealed.result is LayerResult.REFUSE
    assert "do not open" in sealed.reason


def test_what_passes_names_the_key_and_the_number() -> None:
    word = authenticity(good_case())
    assert word.result is LayerResult.PASS
    assert word.evidence == f"key {RUNTIME_KEY.key_id.hex()}, number 1"
