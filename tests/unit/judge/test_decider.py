"""The judge's decider with a reviewing model: what it asks, what it makes of the answer, and
when it stops waiting. The entries are given to it in order, as a node would.
"""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.decider import Draft, Recorded, Tick
from judge.decider import JudgeDecider
from judge.review import ATTEMPTS
from judge.rules import judge
from judge.state import JudgeState
from schemas.actions import ActionRefused, ModelCalled, ReviewRequested, Verdict, VerdictGiven
from schemas.content import opened, plain
from schemas.leases import Intent
from schemas.names import SECOND, Classification, Role
from schemas.runs import ContentKeyWrapped, LeaseGranted, PolicySet
from schemas.tools import Effect, Policy, Tool
from tests.cases import (
    INTENT,
    LEASE,
    NOW,
    POLICY,
    PROPOSAL_DIGEST,
    RUN,
    RUNTIME_KEY,
    SEND,
    changed,
    proposal,
    recorded,
)

STRICTNESS = [Verdict.APPROVE, Verdict.ROUTE_TO_HUMAN, Verdict.CHANGE_PLAN, Verdict.STOP]
APPROVE = json.dumps({"verdict": "approve", "reason": "as asked"})
STOP = json.dumps({"verdict": "stop", "reason": "it leaks"})
ASK = json.dumps({"verdict": "route_to_human", "reason": "unclear", "question": "May it?"})
LIST = Tool(name="crm.read", summary="r", arguments={}, effect=Effect.READ)
LATE = NOW + POLICY.verdict_s * SECOND * 3 // 4


class Reviewed(Policy, frozen=True):
    """The policy of the cases, with a reviewing model."""

    reviewer: str = "openai/careful"


class Courtroom:
    """A judge and its run: each method appends an entry and keeps what the judge then says."""

    def __init__(self, *tools: Tool, intent: Intent = INTENT, reviewer: str = "openai/careful"):
        self.judge = JudgeDecider(RUN, "judge-1")
        self.state: JudgeState = self.judge.initial("acme")
        self.index = 0
        self.said: list[Draft] = []
        tools = tools or (SEND, LIST)
        names = tuple(tool.name for tool in tools)
        policy = Reviewed(version=1, tools=tools, organisation=("acme.example",), reviewer=reviewer)
        key = changed(RUNTIME_KEY, role=Role.JUDGE, instance="judge-1")
        lease = changed(LEASE, keys=(RUNTIME_KEY, key), tools=names, intent=intent)
        self.take(PolicySet(policy=policy), Role.ROOT, b"0" * 32)
        self.take(LeaseGranted(lease=lease), Role.ORCHESTRATOR, b"l" * 32)
        self.take(ContentKeyWrapped(keys=()), Role.SIDECAR, b"w" * 32, causes=(b"l" * 32,))

    def take(
        self, body: Any, role: Role, digest: bytes, *, now: int = NOW, **changes: Any
    ) -> list[Draft]:
        self.index += 1
        entry = recorded(body, digest, role, "someone", index=self.index)
        event = changed(entry.event, **changes)
        entry = Recorded(self.index, digest, event, event)
        self.state = self.judge.evolve(self.state, entry)
        return self.hear(entry, now)

    def hear(self, given: Recorded | Tick, now: int) -> list[Draft]:
        self.said = [d for d in self.judge.decide(self.state, given, now) if isinstance(d, Draft)]
        return self.said

    def propose(self, arguments: Any = None, tool: str = "mail.send", **event: Any) -> Any:
        made = proposal(arguments, tool=tool)
        return self.only(self.take(made, Role.RUNTIME, PROPOSAL_DIGEST, **event))

    def answer(self, text: str, *, error: str = "", model: str = "openai/careful") -> Any:
        """Put the review on record, and then the model's answer to it."""
        [asked] = self.said
        request = bytes([asked.body.attempt]) * 32
        self.take(asked.body, Role.JUDGE, request)
        assert self.said == []
        called = ModelCalled(
            request=request,
            model=model,
            answer=plain(text),
            input_tokens=1,
            output_tokens=1,
            error=error,
        )
        return self.only(self.take(called, Role.SIDECAR, b"m" + request[1:]))

    def only(self, drafts: list[Draft]) -> Any:
        [draft] = drafts
        return draft.body


def test_a_high_stakes_proposal_that_rules_approve_is_shown_to_the_model() -> None:
    court = Courtroom()
    review = court.propose()
    assert isinstance(review, ReviewRequested)
    assert (review.proposal, review.attempt) == (PROPOSAL_DIGEST, 1)
    assert set(opened(review.prompt)) == {"messages", "form"}
    assert court.said[0].classification is Classification.CONFIDENTIAL


def test_a_restricted_proposal_makes_a_restricted_review_even_of_a_read() -> None:
    court = Courtroom()
    review = court.propose({}, "crm.read", classification=Classification.RESTRICTED)
    assert isinstance(review, ReviewRequested)
    assert court.said[0].classification is Classification.RESTRICTED


@pytest.mark.parametrize(
    ("court", "arguments", "tool"),
    [
        (Courtroom(reviewer=""), None, "mail.send"),
        (Courtroom(), {}, "crm.read"),
        (Courtroom(), {"to": ["x@evil.example"]}, "mail.send"),
        (Courtroom(), {}, "crm.export"),
        (
            Courtroom(intent=changed(INTENT, destinations=("bob@acme.example",))),
            {"to": ["bob@acme.example"]},
            "mail.send",
        ),
    ],
    ids=["no reviewer", "a read", "stopped by rules", "not leased", "a mail inside"],
)
def test_what_needs_no_second_look_gets_the_rules_verdict_at_once(
    court: Courtroom, arguments: Any, tool: str
) -> None:
    assert isinstance(court.propose(arguments, tool), VerdictGiven)


@pytest.mark.parametrize(
    ("text", "expected"),
    [(APPROVE, Verdict.APPROVE), (STOP, Verdict.STOP), (ASK, Verdict.ROUTE_TO_HUMAN)],
)
def test_an_answer_in_form_is_the_verdict_where_rules_approve(text: str, expected: Verdict) -> None:
    court = Courtroom()
    court.propose()
    assert court.answer(text).verdict is expected
    assert court.said[0].causes == (PROPOSAL_DIGEST, b"m" + b"\x01" * 31)


def test_an_answer_out_of_form_is_asked_for_again_and_then_of_a_person() -> None:
    court = Courtroom()
    court.propose()
    second = court.answer("sure")
    assert (type(second), second.attempt) == (ReviewRequested, ATTEMPTS)
    assert "was not one JSON object" in opened(second.prompt)["messages"][0]["content"]
    verdict = court.answer("sure")
    assert verdict.verdict is Verdict.ROUTE_TO_HUMAN
    assert "not one JSON object" in verdict.question


def test_the_second_answer_counts_where_it_is_in_form() -> None:
    court = Courtroom()
    court.propose()
    court.answer("")
    assert court.answer(APPROVE).verdict is Verdict.APPROVE


@pytest.mark.parametrize(
    "how", [{"error": "no answer within 1 s"}, {"model": "openai/small"}, {"model": ""}]
)
def test_a_failed_review_or_another_model_s_goes_to_a_person(how: dict[str, str]) -> None:
    court = Courtroom()
    court.propose()
    verdict = court.answer(APPROVE, **how)
    assert verdict.verdict is Verdict.ROUTE_TO_HUMAN
    assert verdict.question


def test_a_review_that_does_not_come_goes_to_a_person_before_the_gate_stops_waiting() -> None:
    court = Courtroom()
    review = court.propose()
    assert court.judge.wake_at(court.state) is None
    court.take(review, Role.JUDGE, b"\x01" * 32)
    assert court.judge.wake_at(court.state) == LATE
    assert court.hear(Tick(), LATE - 1) == []
    verdict = court.only(court.hear(Tick(), LATE))
    assert verdict.verdict is Verdict.ROUTE_TO_HUMAN
    assert NOW + POLICY.verdict_s * SECOND > LATE


def test_a_judge_that_comes_up_too_late_to_ask_sends_it_to_a_person() -> None:
    court = Courtroom()
    assert court.propose(now=LATE).verdict is Verdict.ROUTE_TO_HUMAN


def test_a_call_too_long_to_be_shown_whole_goes_to_a_person() -> None:
    long = {"to": ["jane@boeing.example"], "text": "x" * 200_000}
    assert Courtroom().propose(long).verdict is Verdict.ROUTE_TO_HUMAN


def test_a_later_judge_waits_for_the_review_that_its_predecessor_asked_for() -> None:
    court = Courtroom()
    review = court.propose()
    court.take(review, Role.JUDGE, b"\x01" * 32)
    assert court.hear(Tick(), NOW + SECOND) == []
    court.said = [Draft(body=review, run=RUN, causes=(), since=0)]
    assert court.answer(APPROVE).verdict is Verdict.APPROVE


def test_a_late_answer_to_a_proposal_already_judged_is_passed_over() -> None:
    court = Courtroom()
    review = court.propose()
    court.take(review, Role.JUDGE, b"\x01" * 32)
    refused = ActionRefused(
        proposal=PROPOSAL_DIGEST, tool="mail.send", layers=(), reason="r", fix="f"
    )
    court.take(refused, Role.SIDECAR, b"r" * 32)
    called = ModelCalled(
        request=b"\x01" * 32, model="m", answer=plain(STOP), input_tokens=0, output_tokens=0
    )
    assert court.take(called, Role.SIDECAR, b"m" * 32) == []
    assert court.judge.wake_at(court.state) is None
    assert not court.state.reviews


def test_the_model_s_change_is_passed_on_where_the_rules_would_approve_it() -> None:
    change = {"to": ["jane@boeing.example"], "text": "less"}
    said = {"verdict": "change_plan", "reason": "too much", "change": change}
    court = Courtroom()
    court.propose()
    verdict = court.answer(json.dumps(said))
    assert verdict.verdict is Verdict.CHANGE_PLAN
    assert opened(verdict.change) == change
    assert court.said[0].classification is Classification.CONFIDENTIAL


@pytest.mark.parametrize("change", [{"to": ["x@evil.example"]}, proposal().arguments])
def test_a_change_that_the_rules_would_not_approve_or_that_is_none_is_not_passed_on(
    change: Any,
) -> None:
    given = change if isinstance(change, dict) else opened(change)
    said = {"verdict": "change_plan", "reason": "too much", "change": given}
    court = Courtroom()
    court.propose()
    verdict = court.answer(json.dumps(said))
    assert (verdict.verdict, verdict.change) == (Verdict.CHANGE_PLAN, None)


def test_what_the_model_repeats_of_the_arguments_is_not_in_the_verdict() -> None:
    said = {"verdict": "stop", "reason": "it tells hunter2 to a stranger"}
    court = Courtroom()
    court.propose({"to": ["jane@boeing.example"], "text": "the password is hunter2"})
    verdict = court.answer(json.dumps(said))
    assert "hunter2" not in verdict.reason
    assert "stranger" in verdict.reason


PROPOSALS = st.sampled_from(
    [
        {"to": ["jane@boeing.example"], "text": "hi"},
        {"to": ["jane@boeing.example", "x@evil.example"]},
        {"to": ["bob@acme.example"]},
        {"to": ["x@evil.example"]},
        {"to": "jane@boeing.example"},
        {},
    ]
)
ANSWERS = (
    st.text()
    | st.sampled_from([APPROVE, STOP, ASK, ""])
    | st.builds(
        lambda verdict, reason, change, question: json.dumps(
            {"verdict": verdict, "reason": reason, "change": change, "question": question}
        ),
        st.sampled_from([v.value for v in Verdict]),
        st.text(),
        st.none() | st.dictionaries(st.text(), st.integers() | st.text(), max_size=2),
        st.none() | st.text(),
    )
)


@given(PROPOSALS, st.lists(ANSWERS, min_size=ATTEMPTS, max_size=ATTEMPTS), st.text(max_size=5))
def test_no_answer_whatsoever_raises_or_makes_the_verdict_laxer_than_the_rules(
    arguments: Any, answers: list[str], error: str
) -> None:
    court = Courtroom()
    said = court.propose(arguments)
    for text in answers:
        if isinstance(said, ReviewRequested):
            said = court.answer(text, error=error)
    assert isinstance(said, VerdictGiven)
    rule = judge(SEND, arguments, INTENT, POLICY)
    assert STRICTNESS.index(said.verdict) >= STRICTNESS.index(rule.verdict)
    assert said.verdict is not Verdict.APPROVE or not error


@given(st.lists(ANSWERS, min_size=ATTEMPTS, max_size=ATTEMPTS))
def test_the_same_entries_yield_the_same_drafts(answers: list[str]) -> None:
    heard = []
    for _ in range(2):
        court = Courtroom()
        said = court.propose()
        drafts = [*court.said]
        for text in answers:
            if isinstance(said, ReviewRequested):
                said = court.answer(text)
                drafts += court.said
        heard.append(drafts)
    assert heard[0] == heard[1]
