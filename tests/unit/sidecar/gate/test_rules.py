"""The workspace's own rules, in Cedar: they only restrict, and doubt refuses."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.actions import LayerResult
from sidecar.gate import evaluate
from sidecar.gate.rules import Rules, authorised, prepare
from tests.cases import POLICY, changed, good_case

FORBID_SENDING = 'forbid(principal, action == Action::"communication", resource);'
HOLD_OUTSIDE = """
@hold("somebody should look at what leaves the organisation")
forbid(principal, action, resource) when { context.outside };
"""


def case_with(rules: str, **changes: Any) -> Any:
    return good_case(policy=changed(POLICY, rules=rules), **changes)


def test_without_rules_nothing_objects() -> None:
    assert authorised(good_case()).result is LayerResult.PASS


def test_a_forbid_refuses_in_layer_5() -> None:
    found = evaluate(case_with(FORBID_SENDING))
    assert found.decisive is not None
    assert (found.decisive.layer, found.decisive.result) == (5, LayerResult.REFUSE)


def test_a_forbid_annotated_hold_asks_a_person_in_the_rule_s_own_words() -> None:
    word = authorised(case_with(HOLD_OUTSIDE))
    assert word.result is LayerResult.HOLD
    assert word.reason == "somebody should look at what leaves the organisation"


def test_a_forbid_that_also_applies_outweighs_a_hold() -> None:
    assert authorised(case_with(HOLD_OUTSIDE + FORBID_SENDING)).result is LayerResult.REFUSE


@pytest.mark.parametrize(
    ("rule", "result"),
    [
        ('forbid(principal == Agent::"follow-up", action, resource);', LayerResult.REFUSE),
        ('forbid(principal == Agent::"another", action, resource);', LayerResult.PASS),
        (
            'forbid(principal, action, resource) when { principal.rep == "ann" };',
            LayerResult.REFUSE,
        ),
        ('forbid(principal, action, resource == Tool::"mail.send");', LayerResult.REFUSE),
        (
            "forbid(principal, action, resource) when"
            ' { context.destinations.contains("jane@boeing.example") };',
            LayerResult.REFUSE,
        ),
        (
            "forbid(principal, action, resource) when { context.amount > 100 };",
            LayerResult.PASS,
        ),
    ],
)
def test_a_rule_sees_who_what_and_where(rule: str, result: LayerResult) -> None:
    assert authorised(case_with(rule)).result is result


@pytest.mark.parametrize(
    "rule",
    [
        "forbid(princ",
        "allow everything",
        "permit(principal, action, resource);",
        "forbid(principal, action, resource) when { context.nothing };",
        'forbid(principal, action, resource) when { context.amount > "a" };',
    ],
)
def test_what_cannot_be_read_or_evaluated_refuses(rule: str) -> None:
    word = authorised(case_with(rule))
    assert word.result is LayerResult.REFUSE
    assert word.evidence


def test_rules_that_parse_say_which_of_them_hold() -> None:
    prepared = prepare(HOLD_OUTSIDE)
    assert isinstance(prepared, Rules)
    assert list(prepared.holds.values()) == ["somebody should look at what leaves the organisation"]


@given(st.lists(st.sampled_from([FORBID_SENDING, HOLD_OUTSIDE]), max_size=3), st.booleans())
def test_one_more_rule_never_allows_more(rules: list[str], halted: bool) -> None:
    order = [LayerResult.PASS, LayerResult.HOLD, LayerResult.REFUSE]
    changes = {"halts": ("workspace",)} if halted else {}
    before = evaluate(case_with("".join(rules), **changes)).result
    after = evaluate(case_with("".join([*rules, FORBID_SENDING]), **changes)).result
    assert order.index(after) >= order.index(before)
