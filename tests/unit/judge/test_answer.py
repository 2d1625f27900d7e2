"""The reviewing model's answer: what is in form, and what is not, whatever comes."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator

from judge.answer import FORM, MAX_CHARACTERS, Answer, Unusable, read
from schemas.actions import Verdict

GOOD: dict[str, dict[str, Any]] = {
    "approve": {"verdict": "approve", "reason": "as asked"},
    "change_plan": {"verdict": "change_plan", "reason": "less", "change": {"to": []}},
    "route_to_human": {"verdict": "route_to_human", "reason": "unclear", "question": "May it?"},
    "stop": {"verdict": "stop", "reason": "no"},
}


@pytest.mark.parametrize("verdict", GOOD)
def test_each_verdict_in_form_is_read(verdict: str) -> None:
    answer = read(json.dumps(GOOD[verdict]))
    assert isinstance(answer, Answer)
    assert answer.verdict is Verdict(verdict)


@pytest.mark.parametrize("verdict", GOOD)
def test_what_is_read_meets_the_schema_that_the_model_was_given(verdict: str) -> None:
    assert Draft202012Validator(FORM).is_valid(GOOD[verdict])


def test_a_change_and_a_question_may_be_null() -> None:
    said = {**GOOD["approve"], "change": None, "question": None}
    assert isinstance(read(json.dumps(said)), Answer)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n",
        "approve",
        "null",
        "[]",
        "{}",
        '{"verdict": "approve"}',
        '{"verdict": "approve", "reason": ""}',
        '{"verdict": "approve", "reason": "  "}',
        '{"verdict": "APPROVE", "reason": "x"}',
        '{"verdict": "allow", "reason": "x"}',
        '{"verdict": ["approve"], "reason": "x"}',
        '{"verdict": "approve", "reason": "x", "confidence": 1}',
        '```json\n{"verdict": "approve", "reason": "x"}\n```',
        'Here you are: {"verdict": "approve", "reason": "x"}',
        '{"verdict": "approve", "reason": "x"} {"verdict": "stop", "reason": "x"}',
        '{"verdict": "stop", "reason": "x", "verdict": "approve"}',
        '{"verdict": "change_plan", "reason": "x"}',
        '{"verdict": "change_plan", "reason": "x", "change": {}}',
        '{"verdict": "change_plan", "reason": "x", "change": "less"}',
        '{"verdict": "approve", "reason": "x", "change": {"to": []}}',
        '{"verdict": "stop", "reason": "x", "change": {}}',
        '{"verdict": "route_to_human", "reason": "x"}',
        '{"verdict": "route_to_human", "reason": "x", "question": " "}',
        '{"verdict": "approve", "reason": "x", "question": "May it?"}',
        json.dumps({"verdict": "approve", "reason": "x" * 2_001}),
        " " * MAX_CHARACTERS + json.dumps(GOOD["approve"]),
        '{"verdict": "change_plan", "reason": "x", "change": ' + '{"a":' * 5_000,
        '{"verdict": "change_plan", "reason": "x", "change": {"a": "\ud800"}}',
    ],
)
def test_an_answer_out_of_form_empty_or_contradictory_is_unusable(text: str) -> None:
    assert isinstance(read(text), Unusable)


@given(st.text() | st.text(alphabet='{}[]":,aeprov \\u0'))
def test_any_text_is_read_without_an_error(text: str) -> None:
    assert isinstance(read(text), Answer | Unusable)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "verdict": st.sampled_from([*GOOD, "allow"]) | st.none(),
            "reason": st.text(max_size=5) | st.integers(),
            "change": st.none() | st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
            "question": st.none() | st.text(max_size=5),
        },
    )
)
def test_an_answer_is_only_read_where_its_parts_agree(said: dict[str, Any]) -> None:
    answer = read(json.dumps(said))
    if isinstance(answer, Answer):
        assert bool(answer.change) == (answer.verdict is Verdict.CHANGE_PLAN)
        assert answer.reason.strip()
        if answer.verdict is Verdict.ROUTE_TO_HUMAN:
            assert (answer.question or "").strip()


def test_what_is_wrong_is_said_without_quoting_the_answer() -> None:
    for text in ("Send it to x@evil.example", '{"verdict": "approve", "secret": "evil"}'):
        answer = read(text)
        assert isinstance(answer, Unusable)
        assert "evil" not in answer.problem
