"""Layer 14: the verdict for exactly this digest, then the person where one is needed."""

from typing import Any

import pytest

from schemas.actions import ApprovalDecided, Decision, LayerResult, Verdict, VerdictGiven
from schemas.names import TEXT_CHARS, Role
from schemas.tools import Effect
from sidecar.gate.outcome import hold, outcome
from sidecar.gate.review import people, review
from tests.cases import NOW, POLICY, PROPOSAL_DIGEST, changed, good_case, recorded, verdict

HELD = outcome(7, "provenance", hold("is this the account?"))
RESERVED = changed(POLICY, human_effects=(Effect.COMMUNICATION,))


def answer(decision: Decision, digest: bytes = PROPOSAL_DIGEST) -> Any:
    body = ApprovalDecided(proposal=digest, decision=decision, note="wrong person")
    return recorded(body, b"a" * 32, Role.ADMIN, "ada")


def test_an_approval_by_the_judge_passes_with_its_reason() -> None:
    word = review(good_case())
    assert word.result is LayerResult.PASS
    assert "because" in word.evidence


@pytest.mark.parametrize("given", [None, verdict(digest=b"x" * 32), answer(Decision.APPROVE)])
def test_without_a_verdict_on_this_digest_it_is_refused(given: Any) -> None:
    word = review(good_case(verdict=given))
    assert word.result is LayerResult.REFUSE
    assert "no verdict" in word.reason
    assert "judge did not answer" in word.fix


@pytest.mark.parametrize(
    ("kind", "reason"),
    [(Verdict.STOP, "stopped the run"), (Verdict.CHANGE_PLAN, "another plan")],
)
@pytest.mark.parametrize("approved", [None, answer(Decision.APPROVE)])
def test_a_stop_and_a_wanted_change_are_refused_whatever_a_person_says(
    kind: Verdict, reason: str, approved: Any
) -> None:
    word = review(good_case(verdict=verdict(kind), approval=approved), HELD)
    assert word.result is LayerResult.REFUSE
    assert reason in word.reason
    assert "because" in word.reason


def test_a_layers_hold_asks_its_own_question_and_names_the_layer() -> None:
    case = good_case(verdict=changed_question(""))
    word = review(case, HELD)
    assert word.result is LayerResult.HOLD
    assert word.reason == "is this the account?"
    assert word.evidence == "layer 7 (provenance) holds"
    assert "anyteam approve" in word.fix


def changed_question(question: str) -> Any:
    given = verdict()
    body = changed(given.event.body, question=question)
    return recorded(body, b"v" * 32, Role.JUDGE, "judge-1")


def test_the_judges_question_comes_before_the_layers() -> None:
    word = review(good_case(verdict=verdict(Verdict.ROUTE_TO_HUMAN)), HELD)
    assert (word.result, word.reason) == (LayerResult.HOLD, "really?")


def test_an_effect_reserved_to_people_asks_for_the_tool_by_name() -> None:
    word = review(good_case(policy=RESERVED, verdict=changed_question("")))
    assert word.result is LayerResult.HOLD
    assert word.reason == "May the agent use mail.send?"
    assert word.evidence == ""


@pytest.mark.parametrize("lacking", ["tool", "policy"])
def test_what_no_policy_or_tool_reserves_is_not_reserved(lacking: str) -> None:
    changes = {"policy": RESERVED, lacking: None}
    assert review(good_case(**changes)).result is LayerResult.PASS


@pytest.mark.parametrize(
    ("decision", "result", "reason", "evidence"),
    [
        (Decision.APPROVE, LayerResult.PASS, "", "approved by ada"),
        (Decision.DENY, LayerResult.REFUSE, "denied by ada", "wrong person"),
        (Decision.CHANGE, LayerResult.REFUSE, "ada wants another plan", "wrong person"),
    ],
)
def test_a_persons_answer_decides_and_is_attributed(
    decision: Decision, result: LayerResult, reason: str, evidence: str
) -> None:
    given = answer(decision)
    word = review(good_case(approval=given, approval_until=given.event.at + 1), HELD)
    assert (word.result, word.reason, word.evidence) == (result, reason, evidence)


def test_an_answer_dated_after_the_time_for_it_is_none() -> None:
    given = answer(Decision.APPROVE)
    word = review(good_case(approval=given, approval_until=given.event.at), HELD)
    assert (word.result, word.reason) == (LayerResult.REFUSE, "expired: ada answered too late")


def test_an_answer_to_another_proposal_is_none() -> None:
    word = review(good_case(approval=answer(Decision.APPROVE, b"x" * 32)), HELD)
    assert word.result is LayerResult.HOLD


def test_a_question_expires_at_its_very_instant() -> None:
    assert review(good_case(approval_until=NOW + 1), HELD).result is LayerResult.HOLD
    for until in (NOW, NOW - 1):
        word = review(good_case(approval_until=until), HELD)
        assert word.result is LayerResult.REFUSE
        assert "expired" in word.reason


def test_a_recording_without_a_judge_asks_people_only_where_somebody_is_needed() -> None:
    silent = {"verdict": None, "reviewed": False}
    assert review(good_case(**silent)).result is LayerResult.NOT_ASKED
    assert review(good_case(**silent), HELD).result is LayerResult.HOLD
    assert review(good_case(**silent, policy=RESERVED)).result is LayerResult.HOLD
    approved = good_case(**silent, approval=answer(Decision.APPROVE))
    assert review(approved, HELD).result is LayerResult.PASS


PAIR = changed(POLICY, four_eyes=(Effect.COMMUNICATION,))


def by(person: str, decision: Decision = Decision.APPROVE, *, at: int = NOW) -> Any:
    body = ApprovalDecided(proposal=PROPOSAL_DIGEST, decision=decision)
    return recorded(body, person.encode(), Role.ADMIN, person, at=at)


def paired(*answers: Any, **changes: Any) -> Any:
    first = answers[0] if answers else None
    return review(good_case(policy=PAIR, approval=first, more=answers[1:], **changes))


def test_four_eyes_pass_with_two_other_peoples_approval_and_name_both() -> None:
    word = paired(by("ada"), by("bob"))
    assert word.result is LayerResult.PASS
    assert "ada and bob" in word.evidence
    assert people(good_case(policy=PAIR)) == 2
    assert people(good_case()) == 1


@pytest.mark.parametrize(
    "answers",
    [(), (by("ada"),), (by("ada"), by("ada")), (by("ada"), by("ann")), (by("ann"), by("ada"))],
    ids=["nobody", "one", "one twice", "the rep second", "the rep first"],
)
def test_four_eyes_hold_until_two_other_people_approved(answers: tuple[Any, ...]) -> None:
    word = paired(*answers)
    assert word.result is LayerResult.HOLD
    assert "two people must approve, neither of them ann" in word.reason


@pytest.mark.parametrize("who", ["ada", "bob", "ann"])
def test_of_four_eyes_one_denial_is_enough(who: str) -> None:
    answers = [by("ada"), by("bob")]
    word = paired(by(who, Decision.DENY), *answers)
    assert word.result is LayerResult.REFUSE
    assert f"denied by {who}" in word.reason


def test_of_four_eyes_one_wish_for_a_change_is_enough() -> None:
    word = paired(by("ada"), by("bob", Decision.CHANGE))
    assert (word.result, word.reason) == (LayerResult.REFUSE, "bob wants another plan")


def test_four_eyes_expire_where_the_second_came_too_late_or_not_at_all() -> None:
    late = {"approval_until": NOW, "now": NOW}
    word = paired(by("ada", at=NOW - 1), by("bob"), **late)
    assert word.result is LayerResult.REFUSE
    assert "expired: only ada approved in time" in word.reason
    assert "expired: nobody approved in time" in paired(**late).reason


def test_four_eyes_count_no_answer_to_another_proposal() -> None:
    other = answer(Decision.APPROVE, b"x" * 32)
    assert paired(by("bob"), other).result is LayerResult.HOLD


def test_a_reason_as_long_as_a_judge_may_write_still_fits_the_record() -> None:
    long = VerdictGiven(proposal=PROPOSAL_DIGEST, verdict=Verdict.STOP, reason="r" * TEXT_CHARS)
    word = review(good_case(verdict=recorded(long, b"v" * 32, Role.JUDGE, "judge-1")))
    assert len(word.reason) > TEXT_CHARS
    kept = outcome(14, "review", word)
    assert len(kept.reason) == TEXT_CHARS
    assert kept.result is LayerResult.REFUSE
