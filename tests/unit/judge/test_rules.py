"""The judge's rules: all four verdicts, and the tricks with destinations."""

from typing import Any

import pytest

from judge.rules import judge
from schemas.actions import Verdict
from schemas.leases import Intent
from schemas.tools import Effect, Tool
from tests.cases import INTENT, POLICY, SEND, changed

PAY = Tool(name="pay", summary="pay", arguments={}, effect=Effect.PAYMENT)
READ = changed(SEND, effect=Effect.READ)
UPDATE = Tool(
    name="crm.update", summary="u", arguments={}, effect=Effect.MUTATION, objects=("record",)
)
MUTATING = Intent(summary="s", effects=(Effect.MUTATION,), objects=("deal-1",))

CASES: list[tuple[str, Tool | None, dict[str, Any] | None, Intent, Verdict]] = [
    ("a read", READ, {"to": ["x@evil.example"]}, INTENT, Verdict.APPROVE),
    ("named address", SEND, {"to": ["jane@boeing.example"]}, INTENT, Verdict.APPROVE),
    ("the same in capitals", SEND, {"to": ["JANE@Boeing.example "]}, INTENT, Verdict.APPROVE),
    ("a stranger outside", SEND, {"to": ["x@evil.example"]}, INTENT, Verdict.STOP),
    ("a subdomain", SEND, {"to": ["jane@mail.boeing.example"]}, INTENT, Verdict.STOP),
    ("a suffix", SEND, {"to": ["jane@boeing.example.evil.example"]}, INTENT, Verdict.STOP),
    (
        "a display name",
        SEND,
        {"to": ["jane@boeing.example <x@evil.example>"]},
        INTENT,
        Verdict.STOP,
    ),
    ("a plus-tag", SEND, {"to": ["jane+x@boeing.example"]}, INTENT, Verdict.STOP),
    (
        "one stranger added",
        SEND,
        {"to": ["jane@boeing.example", "x@evil.example"]},
        INTENT,
        Verdict.CHANGE_PLAN,
    ),
    ("a colleague", SEND, {"to": ["bob@acme.example"]}, INTENT, Verdict.ROUTE_TO_HUMAN),
    ("an effect outside the intent", UPDATE, {"record": "deal-1"}, INTENT, Verdict.ROUTE_TO_HUMAN),
    ("a payment nobody meant", PAY, {}, INTENT, Verdict.STOP),
    ("the named record", UPDATE, {"record": "deal-1"}, MUTATING, Verdict.APPROVE),
    ("another record", UPDATE, {"record": "deal-2"}, MUTATING, Verdict.ROUTE_TO_HUMAN),
    ("an unleased tool", None, {}, INTENT, Verdict.CHANGE_PLAN),
    ("sealed arguments", SEND, None, INTENT, Verdict.STOP),
]


@pytest.mark.parametrize(("name", "tool", "arguments", "intent", "expected"), CASES)
def test_a_proposal_gets_the_verdict_its_intent_gives_it(
    name: str, tool: Tool | None, arguments: Any, intent: Intent, expected: Verdict
) -> None:
    assert judge(tool, arguments, intent, POLICY).verdict is expected, name


def test_all_four_verdicts_are_reachable() -> None:
    assert {expected for *_, expected in CASES} == set(Verdict)


def test_a_change_of_plan_says_which_arguments_would_be_approved() -> None:
    asked = {"to": ["jane@boeing.example", "x@evil.example"], "text": "hi"}
    judgement = judge(SEND, asked, INTENT, POLICY)
    assert judgement.change == {"to": ["jane@boeing.example"], "text": "hi"}
    assert judge(SEND, judgement.change, INTENT, POLICY).verdict is Verdict.APPROVE


def test_a_domain_in_the_intent_names_everyone_there() -> None:
    wide = changed(INTENT, destinations=("@boeing.example",))
    assert judge(SEND, {"to": ["sam@boeing.example"]}, wide, POLICY).verdict is Verdict.APPROVE
    assert judge(SEND, {"to": ["sam@boeing.evil.example"]}, wide, POLICY).verdict is Verdict.STOP


def test_reasons_quote_no_argument() -> None:
    for _, tool, arguments, intent, _ in CASES:
        judgement = judge(tool, arguments, intent, POLICY)
        assert "example" not in judgement.reason + judgement.question
