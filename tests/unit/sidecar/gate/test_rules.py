"""The workspace's own rules, in Cedar: they only restrict, and doubt refuses."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.actions import LayerResult
from sidecar.gate import evaluate
from sidecar.gate.rules import Rules, authorised, prepare
from tests.cases import LEASE, NOW, POLICY, changed, good_case
from tests.unit.sidecar.gate.building import PAY, UPDATE, case

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
    ("given", "cents"),
    [
        ({"amount": 250}, 25_000),
        ({"amount": 0.125}, 12),
        ({"amount": -3}, 300),
        ({"amount": [3, 7.01, 5]}, 701),
        ({"amount": 0}, 0),
        ({"amount": "250"}, 0),
        ({"account": 250, "note": 9}, 0),
        ({}, 0),
        ({"amount": 10**15}, 2**53),
        ({"amount": 10**400}, 2**53),
    ],
)
def test_a_rule_sees_the_largest_amount_in_cents_up_to_a_bound(
    given: dict[str, Any], cents: int
) -> None:
    rule = f"forbid(principal, action, resource) unless {{ context.amount == {cents} }};"
    ruled = case(PAY, given, policy=changed(POLICY, rules=rule))
    assert authorised(ruled).result is LayerResult.PASS


@pytest.mark.parametrize(("past", "second"), [(0, 0), (1, 0), (999_999_999, 0), (10**9, 1)])
def test_a_rule_sees_the_time_in_whole_seconds(past: int, second: int) -> None:
    at = NOW // 10**9 + second
    rule = f"forbid(principal, action, resource) unless {{ context.at == {at} }};"
    assert authorised(case_with(rule, now=NOW + past)).result is LayerResult.PASS


@pytest.mark.parametrize("name", ["Zürich", 'a "quoted" one', "back\\slash", "日本"])
def test_a_rule_sees_names_and_records_as_they_are_written(name: str) -> None:
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    rule = (
        f'forbid(principal == Agent::"{escaped}", action, resource)'
        f' when {{ context.objects == ["{escaped}"] && context.destinations == [] }};'
    )
    ruled = case(UPDATE, {"record": name, "text": "x"}, policy=changed(POLICY, rules=rule))
    ruled = changed(ruled, lease=changed(LEASE, agent=name))
    assert authorised(ruled).result is LayerResult.REFUSE


HOLDS = "".join(
    f'@hold("rule {number}") forbid(principal, action, resource);\n' for number in range(1, 13)
)


def test_of_several_rules_the_first_speaks_and_all_are_evidence() -> None:
    assert authorised(case_with(HOLDS)).reason == "rule 1"
    word = authorised(case_with(HOLDS + FORBID_SENDING))
    assert word.evidence == ", ".join(f"policy{number}" for number in range(1, 14))


def test_a_hold_without_words_of_its_own_still_says_why() -> None:
    word = authorised(case_with("@hold forbid(principal, action, resource);"))
    assert (word.result, word.reason) == (LayerResult.HOLD, "a rule asks for a person")


@pytest.mark.parametrize("lacking", ["tool", "lease"])
def test_without_a_tool_or_lease_to_hold_rules_against_it_is_refused(lacking: str) -> None:
    word = authorised(case_with(HOLD_OUTSIDE, **{lacking: None}))
    assert word.result is LayerResult.REFUSE
    assert "nothing to hold" in word.reason


def test_without_a_policy_there_are_no_rules() -> None:
    assert authorised(good_case(policy=None)).result is LayerResult.PASS


def test_of_what_is_wrong_the_first_300_characters_are_shown() -> None:
    unread = prepare(f"forbid({'x' * 400}, action, resource);")
    assert isinstance(unread, str)
    assert len(unread) == 300
    missing = f"forbid(principal, action, resource) when {{ context.{'x' * 400} }};"
    other = "forbid(principal, action, resource) when { context.other };"
    found = authorised(case_with(missing + other)).evidence
    assert (len(found), "xxx" in found) == (300, True)
    many = "".join("forbid(principal, action, resource);" for _ in range(60))
    assert len(authorised(case_with(many)).evidence) == 300


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
