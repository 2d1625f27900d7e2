"""What waits for a person follows from the ledger: who approved, who counts, what settles it."""

from bus.decider import Recorded
from console.questions import Questions
from schemas.actions import ActionStarted, ApprovalDecided, ApprovalRequested, Decision
from schemas.names import NO_DIGEST, Role
from tests.cases import NOW, PROPOSAL_DIGEST, proposal, recorded
from tests.scenery import REQUEST


def entry(body: object, *, role: Role = Role.SIDECAR, who: str = "sidecar") -> Recorded:
    return recorded(body, PROPOSAL_DIGEST, role, who, index=5, at=NOW)  # type: ignore[arg-type]


def asked(people: int = 1) -> Recorded:
    return entry(
        ApprovalRequested(
            proposal=PROPOSAL_DIGEST,
            tool="mail.send",
            question="May it?",
            layers=(),
            expires=NOW,
            people=people,
        )
    )


def decided(who: str, decision: Decision = Decision.APPROVE) -> Recorded:
    return entry(ApprovalDecided(proposal=PROPOSAL_DIGEST, decision=decision), who=who)


MADE, REQUESTED = entry(proposal()), entry(REQUEST, role=Role.REP, who="ann")


def waiting(*past: Recorded) -> list[set[str]]:
    """Who approved each question that is open."""
    return [set(one.approvers) for one in Questions(past).open()]


def test_a_question_waits_until_one_person_has_answered() -> None:
    assert waiting(MADE, asked()) == [set()]
    assert waiting(MADE, asked(), decided("ada")) == []
    assert waiting(MADE, asked(), decided("ada", Decision.DENY)) == []
    [question] = Questions((MADE, asked())).open()
    assert question.proposal is MADE


def test_where_two_must_the_rep_whose_run_it_is_is_neither() -> None:
    assert REQUEST.rep == "ann"
    assert waiting(REQUESTED, MADE, asked(2), decided("ann"), decided("ada")) == [{"ada"}]
    assert waiting(REQUESTED, MADE, asked(2), decided("ada"), decided("ada")) == [{"ada"}]
    assert waiting(REQUESTED, MADE, asked(2), decided("bea"), decided("ada")) == []
    # Who reads no requests cannot know, and must ask the run itself.
    past = (MADE, asked(2), decided("ann"), decided("ada"))
    assert len(Questions(past).unsettled()) == 1


def test_an_answer_counts_for_what_was_asked_before_it() -> None:
    assert waiting(MADE, decided("ada"), asked()) == [set()]
    assert waiting(MADE, asked(2), decided("ada"), asked(2)) == [set()]


def test_what_the_gate_acted_on_waits_no_more() -> None:
    started = ActionStarted(
        proposal=PROPOSAL_DIGEST, tool="mail.send", arguments=NO_DIGEST, layers=()
    )
    assert waiting(MADE, asked(), entry(started)) == []
    assert Questions((MADE, asked(), entry(started))).unsettled() == []
