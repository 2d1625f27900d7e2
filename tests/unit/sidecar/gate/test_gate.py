"""The gate: a good case passes, and each single breach is caught by the layer it belongs to."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.actions import ApprovalDecided, Decision, LayerResult, Verdict
from schemas.names import SECOND, Role
from schemas.tools import Effect
from sidecar.gate import LAYERS, evaluate
from tests.cases import (
    INTENT,
    LEASE,
    NOW,
    POLICY,
    PROPOSAL_DIGEST,
    REQUEST,
    REQUEST_DIGEST,
    RUNTIME_KEY,
    SEND,
    changed,
    good_case,
    proposal,
    recorded,
    verdict,
)


def approval(decision: Decision, digest: bytes = PROPOSAL_DIGEST) -> Any:
    body = ApprovalDecided(proposal=digest, decision=decision)
    return recorded(body, b"a" * 32, Role.ADMIN, "ada")


def asking(arguments: object) -> dict[str, Any]:
    made = proposal(arguments)
    return {"proposal": made, "arguments": arguments}


BREACHES: dict[str, tuple[int, dict[str, Any]]] = {
    "no certified runtime": (1, {"lease_key": None}),
    "another runtime": (1, {"lease_key": changed(RUNTIME_KEY, instance="runtime-2")}),
    "a clock ten minutes behind": (
        1,
        {"now": NOW + 600 * SECOND, "lease": changed(LEASE, not_after=NOW + 900 * SECOND)},
    ),
    "a number used before": (1, {"repeated": True}),
    "sealed arguments": (1, {"arguments": None}),
    "a lease that ended": (2, {"lease_ended": "run.completed"}),
    "a lease not begun": (2, {"lease": changed(LEASE, not_before=NOW + 1)}),
    "a lease whose time is over": (2, {"lease": changed(LEASE, not_after=NOW)}),
    "an inactive rep": (2, {"rep_active": False}),
    "no request": (2, {"request": None}),
    "another request": (2, {"lease": changed(LEASE, request=b"z" * 32)}),
    "a request not signed by a rep": (
        2,
        {"request": recorded(REQUEST, REQUEST_DIGEST, Role.ADMIN, "ada")},
    ),
    "another rep": (2, {"lease": changed(LEASE, rep="bob")}),
    "an agent outside policy": (2, {"policy": changed(POLICY, agents=("other",))}),
    "another intent": (2, {"lease": changed(LEASE, intent=changed(INTENT, summary="more"))}),
    "a tool nobody asked for": (
        2,
        {"request": recorded(changed(REQUEST, tools=()), REQUEST_DIGEST, Role.REP, "ann")},
    ),
    "a tool outside policy": (2, {"lease": changed(LEASE, tools=("mail.send", "crm.export"))}),
    "a longer time than asked": (2, {"lease": changed(LEASE, not_after=NOW + 400 * SECOND)}),
    "a longer time than policy": (2, {"policy": changed(POLICY, max_ttl_s=10)}),
    "more actions than asked": (2, {"lease": changed(LEASE, max_actions=6)}),
    "more actions than policy": (2, {"policy": changed(POLICY, max_actions=4)}),
    "all actions used": (2, {"actions": 5}),
    "a halt": (3, {"halts": ("run r-1",)}),
    "an unleased tool": (5, {"proposal": proposal(tool="crm.export")}),
    "an undeclared tool": (5, {"tool": None}),
    "a missing argument": (6, asking({"text": "x"})),
    "an argument too many": (6, asking({"to": ["a@b.example"], "sql": "select"})),
    "a wrong type": (6, asking({"to": "jane@boeing.example"})),
    "too many items": (6, asking({"to": ["a@b.example"] * 6})),
    "too large": (6, asking({"to": ["a@b.example"], "text": "x" * 200_000})),
    "an absolute path": (6, asking({"to": ["a@b.example"], "path": "/etc/passwd"})),
    "a climbing path": (6, asking({"to": ["a@b.example"], "path": "a/../../b"})),
    "a home path": (6, asking({"to": ["a@b.example"], "path": "~/x"})),
    "a drive path": (6, asking({"to": ["a@b.example"], "path": "c:x"})),
    "a path with a NUL": (6, asking({"to": ["a@b.example"], "path": "a\0b"})),
    "no verdict": (14, {"verdict": None}),
    "a verdict on something else": (14, {"verdict": verdict(digest=b"x" * 32)}),
    "a stop": (14, {"verdict": verdict(Verdict.STOP)}),
    "a wanted change": (14, {"verdict": verdict(Verdict.CHANGE_PLAN)}),
    "a denial": (
        14,
        {"verdict": verdict(Verdict.ROUTE_TO_HUMAN), "approval": approval(Decision.DENY)},
    ),
    "a question nobody answered": (
        14,
        {"verdict": verdict(Verdict.ROUTE_TO_HUMAN), "approval_until": NOW},
    ),
}


def test_a_good_case_passes_every_layer() -> None:
    found = evaluate(good_case())
    assert found.result is LayerResult.PASS
    assert {o.result for o in found.layers} == {LayerResult.PASS}


def test_the_record_shows_all_14_layers_whatever_they_say() -> None:
    for case in (good_case(), good_case(halts=("workspace",)), good_case(lease=None)):
        layers = evaluate(case).layers
        assert [o.layer for o in layers] == list(range(1, 15))
        assert [o.name for o in layers] == [*(name for name, _ in LAYERS), "review"]


def test_a_recording_without_a_judge_says_so_and_is_not_passed_by_layer_14() -> None:
    layers = evaluate(good_case(verdict=None, reviewed=False)).layers
    assert layers[-1].result is LayerResult.NOT_ASKED


@pytest.mark.parametrize("name", BREACHES)
def test_a_breach_is_refused_by_its_own_layer_with_a_reason(name: str) -> None:
    layer, changes = BREACHES[name]
    found = evaluate(good_case(**changes))
    assert found.result is LayerResult.REFUSE
    refusing = {o.layer for o in found.layers if o.result is LayerResult.REFUSE}
    assert layer in refusing
    assert next(o for o in found.layers if o.layer == layer).reason


def test_a_question_holds_until_a_person_answers_exactly_it() -> None:
    asked = verdict(Verdict.ROUTE_TO_HUMAN)
    assert evaluate(good_case(verdict=asked)).result is LayerResult.HOLD
    other = approval(Decision.APPROVE, b"x" * 32)
    assert evaluate(good_case(verdict=asked, approval=other)).result is LayerResult.HOLD
    answered = good_case(verdict=asked, approval=approval(Decision.APPROVE))
    assert evaluate(answered).result is LayerResult.PASS


def test_an_effect_that_policy_reserves_to_people_is_held_though_the_judge_approves() -> None:
    reserved = changed(POLICY, human_effects=(Effect.COMMUNICATION,))
    assert evaluate(good_case(policy=reserved)).result is LayerResult.HOLD
    person = good_case(policy=reserved, approval=approval(Decision.APPROVE))
    assert evaluate(person).result is LayerResult.PASS


def test_a_persons_approval_does_not_lift_another_layers_refusal() -> None:
    case = good_case(
        verdict=verdict(Verdict.ROUTE_TO_HUMAN),
        approval=approval(Decision.APPROVE),
        halts=("workspace",),
    )
    assert evaluate(case).result is LayerResult.REFUSE


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["to", "path", "text", "x"]), JSON, max_size=4))
def test_no_arguments_whatsoever_make_the_gate_raise(arguments: dict[str, Any]) -> None:
    found = evaluate(good_case(**asking(arguments)))
    assert found.result is not LayerResult.NOT_ASKED


@pytest.mark.parametrize("name", BREACHES)
def test_a_halt_never_allows_more(name: str) -> None:
    _, changes = BREACHES[name]
    halted = good_case(**{**changes, "halts": ("workspace",)})
    assert evaluate(halted).result is LayerResult.REFUSE


def test_the_tool_of_the_cases_is_declared_in_their_policy() -> None:
    assert SEND in POLICY.tools
