"""Meaning: events that are all rightly signed, in a story that is wrong in one named way."""

from collections.abc import Callable

import msgspec
import pytest

from ledger.verify import verify
from schemas.actions import (
    ActionOutcome,
    ApprovalDecided,
    ApprovalRequested,
    Decision,
    Verdict,
)
from schemas.envelope import decode_envelope
from schemas.events import event_digest
from schemas.leases import Intent
from schemas.names import SECOND, Role
from schemas.passkeys import PasskeyAdmitted, PasskeyRevoked
from schemas.runs import (
    HaltEngaged,
    HaltReleased,
    HaltScope,
    KeyCertified,
    LeaseRevoked,
    PolicySet,
    RepRevoked,
    RunHalted,
    RunOutcome,
    RunRequested,
)
from schemas.tools import Effect
from tests.authenticators import Authenticator
from tests.ledgers import HeldExport
from tests.scenery import POLICY, REQUEST, START
from tests.stories import RunStory, Said, Story

Tell = Callable[[RunStory], object]


def found(tell: Tell, **lease: object) -> list[tuple[str, str]]:
    """What verification finds in a run that `tell` tells; `lease` are fields changed in it."""
    story = Story()
    story.found()
    tell(story.begin("r-1", **lease))
    story.seal()
    ledger = story.ledger()
    report = verify(HeldExport(ledger), ledger.root_public, receipt_key=ledger.receipt_key)
    return [(finding.kind, finding.what) for finding in report.findings]


def judged(run: RunStory, verdict: Verdict = Verdict.APPROVE, tool: str = "crm.update") -> Said:
    """A proposal with its verdict."""
    proposal = run.propose(tool)
    run.give(proposal, verdict)
    return proposal


def whole(run: RunStory, proposal: Said, seen: int | None = None) -> None:
    """The rest of a good story, from write-ahead to success."""
    action = run.start(proposal, seen=seen)
    receipt = run.receipt(action, run.finish(action))
    run.claim(proposal)
    run.complete(receipt)


def by_a_person(run: RunStory) -> None:
    proposal = judged(run, Verdict.ROUTE_TO_HUMAN)
    run.ask(proposal)
    run.answer(proposal)
    whole(run, proposal)


def reserved_but_approved(run: RunStory) -> None:
    proposal = judged(run, tool="pay")
    run.ask(proposal)
    run.answer(proposal)
    whole(run, proposal)


def failed(run: RunStory) -> None:
    action = run.start(judged(run))
    receipt = run.receipt(action, run.finish(action, ActionOutcome.FAILED))
    run.claim(success=False)
    run.complete(receipt, outcome=RunOutcome.FAILURE)


def begun_too_late_and_not_done(run: RunStory) -> None:
    proposal = judged(run)
    run.say("orchestrator", LeaseRevoked(reason="rep revoked"))
    action = run.start(proposal)
    run.receipt(action, run.finish(action, ActionOutcome.FAILED))


def halted_and_released(run: RunStory) -> None:
    proposal = judged(run)
    halt = (HaltScope.AGENT, "follow-up")
    run.story.say("ada", HaltEngaged(scope=halt[0], target=halt[1], reason="enough"))
    action = run.start(proposal)
    run.story.say("ada", HaltReleased(scope=halt[0], target=halt[1], reason="go on"))
    run.receipt(action, run.finish(action))


def reserved_only_after_the_gate_had_decided(run: RunStory) -> None:
    proposal = judged(run)
    seen = len(run.story.entries)
    policy = msgspec.structs.replace(POLICY, version=2, human_effects=(Effect.MUTATION,))
    run.story.say("root", PolicySet(policy=policy))
    whole(run, proposal, seen=seen)


def ended_before_the_last_receipt_was_seen(run: RunStory) -> None:
    proposal = judged(run)
    action = run.start(proposal)
    receipt = run.receipt(action, run.finish(action))
    run.claim(proposal)
    seen = len(run.story.entries)
    run.finish(run.start(judged(run)))
    run.complete(receipt, seen=seen)


def approved_at_the_last_moment(run: RunStory) -> None:
    proposal = judged(run, Verdict.ROUTE_TO_HUMAN)
    asked = run.ask(proposal).event.body
    assert isinstance(asked, ApprovalRequested)
    body = ApprovalDecided(proposal=proposal.digest, decision=Decision.APPROVE)
    run.say("ada", body, at=asked.expires - 1)
    whole(run, proposal)


def of_two(run: RunStory, *people: str, decision: Decision = Decision.APPROVE) -> Said:
    """A proposal that two people must approve, answered by these; `decision` is the last one's."""
    story = run.story
    policy = msgspec.structs.replace(POLICY, version=2, four_eyes=(Effect.MUTATION,))
    story.say("root", PolicySet(policy=policy))
    story.author("bob", Role.ADMIN)
    story.say("root", KeyCertified(certificate=story.certificate("bob")))
    proposal = judged(run)
    run.ask(proposal)
    for person in people:
        last = person == people[-1]
        said = decision if last else Decision.APPROVE
        run.say(person, ApprovalDecided(proposal=proposal.digest, decision=said))
    return proposal


def approved_by_two(run: RunStory) -> None:
    whole(run, of_two(run, "ada", "bob"))


def approved_by_one_of_two(run: RunStory) -> None:
    run.start(of_two(run, "ada"))


def approved_by_one_and_the_rep(run: RunStory) -> None:
    run.start(of_two(run, "ada", "ann"))


def denied_by_the_second(run: RunStory) -> None:
    run.start(of_two(run, "ada", "bob", decision=Decision.DENY))


def by_passkey(run: RunStory, *people: str, admitted: bool = True, of_two: bool = False) -> Said:
    """A proposal that policy reserves to passkeys. Each of `people` has one, and has approved."""
    story = run.story
    effects = (Effect.MUTATION,) if of_two else ()
    policy = msgspec.structs.replace(POLICY, version=2, passkey=("mutation",), four_eyes=effects)
    story.say("root", PolicySet(policy=policy))
    story.author("bob", Role.ADMIN)
    story.say("root", KeyCertified(certificate=story.certificate("bob")))
    for number, person in enumerate(people):
        enrolled = story.say(person, Authenticator(number).enrolled())
        if admitted:
            story.say("ada", PasskeyAdmitted(enrolment=enrolled.digest))
    proposal = judged(run)
    run.ask(proposal)
    for number, person in enumerate(people):
        run.say(person, Authenticator(number).approve(proposal.digest))
    return proposal


def approved_by_passkey(run: RunStory) -> None:
    whole(run, by_passkey(run, "ada"))


def approved_by_two_passkeys(run: RunStory) -> None:
    whole(run, by_passkey(run, "ada", "bob", of_two=True))


def approved_by_passkey_and_by_another_without_afterwards(run: RunStory) -> None:
    proposal = by_passkey(run, "ada")
    seen = len(run.story.entries)
    run.say("bob", ApprovalDecided(proposal=proposal.digest, decision=Decision.APPROVE))
    whole(run, proposal, seen=seen)


def approved_by_passkey_that_was_revoked_later(run: RunStory) -> None:
    proposal = by_passkey(run, "ada")
    enrolled = next(e for e in run.story.entries if e.subject.endswith("admin.passkey"))
    digest = event_digest(decode_envelope(enrolled.body).payload)
    seen = len(run.story.entries)
    run.story.say("ada", PasskeyRevoked(enrolment=digest, reason="lost"))
    whole(run, proposal, seen=seen)


def approved_by_passkey_that_was_revoked_before(run: RunStory) -> None:
    proposal = by_passkey(run, "ada")
    enrolled = next(e for e in run.story.entries if e.subject.endswith("admin.passkey"))
    digest = event_digest(decode_envelope(enrolled.body).payload)
    run.story.say("ada", PasskeyRevoked(enrolment=digest, reason="lost"))
    run.start(proposal)


def approved_by_passkey_that_nobody_admitted(run: RunStory) -> None:
    run.start(by_passkey(run, "ada", admitted=False))


def approved_without_the_passkey(run: RunStory) -> None:
    proposal = by_passkey(run)
    run.answer(proposal)
    run.start(proposal)


def approved_by_nobody_where_a_passkey_is_asked_for(run: RunStory) -> None:
    by_passkey(run)
    run.start(judged(run))


def approved_by_somebody_elses_passkey(run: RunStory) -> None:
    by_passkey(run, "ada", "bob")
    proposal = judged(run)
    run.ask(proposal)
    run.say("ada", Authenticator(1).approve(proposal.digest))
    run.start(proposal)


def approved_by_an_assertion_over_another_proposal(run: RunStory) -> None:
    first = by_passkey(run, "ada")
    used = Authenticator(0).approve(first.digest)
    proposal = judged(run)
    run.ask(proposal)
    run.say("ada", msgspec.structs.replace(used, proposal=proposal.digest))
    run.start(proposal)


def approved_by_one_passkey_of_two(run: RunStory) -> None:
    proposal = by_passkey(run, "ada", of_two=True)
    run.say("bob", ApprovalDecided(proposal=proposal.digest, decision=Decision.APPROVE))
    run.start(proposal)


def still_under_way(run: RunStory) -> None:
    run.start(judged(run))
    run.finish(run.start(judged(run)))


@pytest.mark.parametrize(
    "tell",
    [
        RunStory.act,
        lambda run: whole(run, judged(run)),
        by_a_person,
        reserved_but_approved,
        approved_at_the_last_moment,
        approved_by_two,
        approved_by_passkey,
        approved_by_two_passkeys,
        approved_by_passkey_and_by_another_without_afterwards,
        approved_by_passkey_that_was_revoked_later,
        failed,
        begun_too_late_and_not_done,
        halted_and_released,
        reserved_only_after_the_gate_had_decided,
        ended_before_the_last_receipt_was_seen,
        still_under_way,
    ],
)
def test_a_true_story_has_no_findings(tell: Tell) -> None:
    assert found(tell) == []


def no_proposal(run: RunStory) -> None:
    run.start(judged(run), proposal=b"x" * 32)


def proposal_of_another_run(run: RunStory) -> None:
    other = run.story.begin("r-2")
    run.start(judged(other))


def twice(run: RunStory) -> None:
    proposal = judged(run)
    run.start(proposal)
    run.start(proposal)


def no_verdict(run: RunStory) -> None:
    run.start(run.propose())


def verdict_on_another(run: RunStory) -> None:
    judged(run)
    run.start(run.propose())


def stopped(run: RunStory) -> None:
    run.start(judged(run, Verdict.STOP))


def changed(run: RunStory) -> None:
    run.start(judged(run, Verdict.CHANGE_PLAN))


def second_verdict(run: RunStory) -> None:
    proposal = judged(run, Verdict.STOP)
    run.give(proposal, Verdict.APPROVE)
    run.start(proposal)


def nobody_answered(run: RunStory) -> None:
    proposal = judged(run, Verdict.ROUTE_TO_HUMAN)
    run.ask(proposal)
    run.start(proposal)


def denied(run: RunStory) -> None:
    proposal = judged(run, Verdict.ROUTE_TO_HUMAN)
    run.ask(proposal)
    run.answer(proposal, Decision.DENY)
    run.answer(proposal, Decision.APPROVE)
    run.start(proposal)


def wanted_otherwise(run: RunStory) -> None:
    proposal = judged(run, Verdict.ROUTE_TO_HUMAN)
    run.ask(proposal)
    run.answer(proposal, Decision.CHANGE)
    run.answer(proposal, Decision.APPROVE)
    run.start(proposal)


def answered_before_asked(run: RunStory) -> None:
    proposal = judged(run, Verdict.ROUTE_TO_HUMAN)
    run.answer(proposal)
    run.ask(proposal)
    run.start(proposal)


def approved_but_held(run: RunStory) -> None:
    proposal = judged(run)
    run.ask(proposal)
    run.start(proposal)


def approved_too_late(run: RunStory) -> None:
    proposal = judged(run, Verdict.ROUTE_TO_HUMAN)
    asked = run.ask(proposal).event.body
    assert isinstance(asked, ApprovalRequested)
    body = ApprovalDecided(proposal=proposal.digest, decision=Decision.APPROVE)
    run.say("ada", body, at=asked.expires)
    run.start(proposal)


def asked_for_longer_than_policy_allows(run: RunStory) -> None:
    proposal = judged(run, Verdict.ROUTE_TO_HUMAN)
    asked = run.ask(proposal, POLICY.approval_s + 1)
    assert isinstance(asked.event.body, ApprovalRequested)
    run.answer(proposal)
    run.start(proposal)


def reserved(run: RunStory) -> None:
    run.start(judged(run, tool="pay"))


def after_the_lease(run: RunStory) -> None:
    run.start(judged(run), at=run.lease.not_after)


def before_the_lease(run: RunStory) -> None:
    run.start(judged(run), at=run.lease.not_before - 1)


def for_a_revoked_rep(run: RunStory) -> None:
    proposal = judged(run)
    run.story.say("root", RepRevoked(rep="ann", reason="left"))
    run.start(proposal)


def too_many(run: RunStory) -> None:
    for _ in range(6):
        run.act()


def begun_and_done_after_the_end(run: RunStory) -> None:
    proposal = judged(run)
    run.say("orchestrator", LeaseRevoked(reason="rep revoked"))
    run.finish(run.start(proposal))


def done_under_a_halt(run: RunStory) -> None:
    proposal = judged(run)
    run.story.say("ada", HaltEngaged(scope=HaltScope.WORKSPACE, target="", reason="enough"))
    run.finish(run.start(proposal))


def finished_twice(run: RunStory) -> None:
    action = run.start(judged(run))
    run.finish(action)
    run.finish(action, ActionOutcome.FAILED)


def outcome_of_nothing(run: RunStory) -> None:
    run.finish(run.start(judged(run)), action=b"x" * 32)


def outcome_of_another_proposal(run: RunStory) -> None:
    run.finish(run.start(judged(run)), proposal=run.propose().digest)


def receipt_that_answers_nothing(run: RunStory) -> None:
    action = run.start(judged(run))
    body = run.receipt_body(action, run.finish(action))
    run.say("sidecar", body, action)


def receipt_before_the_outcome(run: RunStory) -> None:
    action = run.start(judged(run))
    other = run.start(judged(run))
    run.receipt(action, run.finish(other))


def receipt_twice(run: RunStory) -> None:
    action = run.start(judged(run))
    finished = run.finish(action)
    run.receipt(action, finished)
    run.receipt(action, finished)


def success_without_receipts(run: RunStory) -> None:
    proposal = judged(run)
    action = run.start(proposal)
    run.receipt(action, run.finish(action))
    run.claim(proposal)
    run.complete()


def success_on_a_failure(run: RunStory) -> None:
    proposal = judged(run)
    action = run.start(proposal)
    receipt = run.receipt(action, run.finish(action, ActionOutcome.FAILED))
    run.claim(proposal)
    run.complete(receipt)


def success_of_what_was_never_claimed(run: RunStory) -> None:
    run.complete(run.act())


def success_of_what_was_claimed_as_failed(run: RunStory) -> None:
    receipt = run.act()
    run.claim(success=False)
    run.complete(receipt)


def success_claims_more(run: RunStory) -> None:
    receipt = run.act()
    run.claim(run.propose())
    run.complete(receipt)


def success_leaves_an_action_open(run: RunStory) -> None:
    proposal = judged(run)
    action = run.start(proposal)
    receipt = run.receipt(action, run.finish(action))
    run.finish(run.start(judged(run)))
    run.claim(proposal)
    run.complete(receipt)


@pytest.mark.parametrize(
    ("tell", "kind"),
    [
        (no_proposal, "proposal"),
        (proposal_of_another_run, "proposal"),
        (twice, "proposal"),
        (lambda run: run.start(judged(run, tool="pay"), tool="crm.update"), "proposal"),
        (lambda run: run.start(judged(run), arguments=b"x" * 32), "proposal"),
        (no_verdict, "verdict"),
        (verdict_on_another, "verdict"),
        (stopped, "verdict"),
        (changed, "verdict"),
        (second_verdict, "verdict"),
        (nobody_answered, "approval"),
        (approved_by_one_of_two, "approval"),
        (approved_by_one_and_the_rep, "approval"),
        (denied_by_the_second, "approval"),
        (approved_by_passkey_that_was_revoked_before, "approval"),
        (approved_by_passkey_that_nobody_admitted, "approval"),
        (approved_without_the_passkey, "approval"),
        (approved_by_nobody_where_a_passkey_is_asked_for, "approval"),
        (approved_by_somebody_elses_passkey, "approval"),
        (approved_by_an_assertion_over_another_proposal, "approval"),
        (approved_by_one_passkey_of_two, "approval"),
        (denied, "approval"),
        (wanted_otherwise, "approval"),
        (answered_before_asked, "approval"),
        (approved_but_held, "approval"),
        (approved_too_late, "approval"),
        (asked_for_longer_than_policy_allows, "approval"),
        (reserved, "approval"),
        (after_the_lease, "lease"),
        (before_the_lease, "lease"),
        (lambda run: run.start(judged(run, tool="crm.export")), "lease"),
        (for_a_revoked_rep, "lease"),
        (too_many, "lease"),
        (begun_and_done_after_the_end, "action"),
        (done_under_a_halt, "action"),
        (finished_twice, "action"),
        (outcome_of_nothing, "action"),
        (outcome_of_another_proposal, "action"),
        (receipt_that_answers_nothing, "receipt"),
        (receipt_before_the_outcome, "receipt"),
        (receipt_twice, "receipt"),
        (success_without_receipts, "run"),
        (success_on_a_failure, "run"),
        (success_of_what_was_never_claimed, "run"),
        (success_of_what_was_claimed_as_failed, "run"),
        (success_claims_more, "run"),
        (success_leaves_an_action_open, "run"),
    ],
)
def test_a_story_wrong_in_one_way_is_found(tell: Tell, kind: str) -> None:
    problems = found(tell)
    assert problems and {k for k, _ in problems} == {kind}, problems


@pytest.mark.parametrize(
    "changes",
    [
        {"workspace": "other"},
        {"run": "r-2"},
        {"rep": "bob"},
        {"agent": "other"},
        {"intent": "something else"},
        {"tool": "pay"},
        {"action": b"x" * 32},
        {"key": "01980000-0000-7000-8000-000000000000"},
        {"index": 1},
        {"arguments": b"x" * 32},
        {"outcome": ActionOutcome.UNKNOWN},
        {"evidence": b"x" * 32},
        {"at": 1},
    ],
)
def test_a_receipt_that_says_other_than_the_ledger_is_found(changes: dict[str, object]) -> None:
    def tell(run: RunStory) -> None:
        action = run.start(judged(run))
        run.receipt(action, run.finish(action), **changes)

    (problem,) = found(tell)
    assert problem[0] == "receipt"


@pytest.mark.parametrize(
    "wider",
    [
        {"tools": ("crm.update", "pay", "crm.export")},
        {"not_after": START + 10**6 * SECOND},
        {"max_actions": 6},
        {"rep": "bob"},
        {"intent": Intent(summary="anything at all")},
        {"request": b"x" * 32},
    ],
)
def test_an_action_under_a_lease_wider_than_its_request_is_found(wider: dict[str, object]) -> None:
    problems = found(lambda run: run.start(judged(run)), **wider)
    assert [kind for kind, _ in problems] == ["lease"]


LOOK = msgspec.structs.replace(POLICY.tools[0], name="crm.read", effect=Effect.READ)
TOGETHER = msgspec.structs.replace(
    REQUEST,
    intent=msgspec.structs.replace(REQUEST.intent, together=True),
    tools=(*REQUEST.tools, LOOK.name),
)


def together(tell: Tell, request: RunRequested = TOGETHER) -> list[str]:
    """What verification finds in a run that was to do all or nothing."""
    story = Story()
    story.found()
    policy = msgspec.structs.replace(POLICY, version=2, tools=(*POLICY.tools, LOOK))
    story.say("root", PolicySet(policy=policy))
    tell(story.begin("r-1", request))
    story.seal()
    ledger = story.ledger()
    report = verify(HeldExport(ledger), ledger.root_public, receipt_key=ledger.receipt_key)
    assert {finding.kind for finding in report.findings} <= {"run"}
    return [finding.what for finding in report.findings]


def acted(run: RunStory, proposal: Said, outcome: ActionOutcome = ActionOutcome.CONFIRMED) -> Said:
    """The rest of one action; where it was written ahead."""
    run.give(proposal)
    action = run.start(proposal)
    run.receipt(action, run.finish(action, outcome))
    return action


def stands(run: RunStory) -> None:
    done = acted(run, run.propose())
    doubtful = acted(run, run.propose(), ActionOutcome.UNKNOWN)
    acted(run, run.propose(), ActionOutcome.FAILED)
    acted(run, run.propose(LOOK.name))
    begun = run.start(judged(run))
    run.complete(outcome=RunOutcome.FAILURE, standing=(done, doubtful, begun))


def undone(run: RunStory) -> None:
    proposal = run.propose()
    acted(run, proposal)
    acted(run, run.propose(compensates=proposal))
    run.complete(outcome=RunOutcome.FAILURE)


def undoing_failed(run: RunStory) -> None:
    proposal = run.propose()
    done = acted(run, proposal)
    acted(run, run.propose(compensates=proposal), ActionOutcome.FAILED)
    run.complete(outcome=RunOutcome.FAILURE, standing=(done,))


def begun_after_the_end_was_decided(run: RunStory) -> None:
    proposal = judged(run)
    seen = len(run.story.entries)
    run.start(proposal)
    run.complete(outcome=RunOutcome.FAILURE, seen=seen)


def halted_under_way(run: RunStory) -> None:
    action = run.start(judged(run))
    halt = HaltEngaged(scope=HaltScope.RUN, target="r-1", reason="enough")
    said = run.story.say("ada", halt)
    body = RunHalted(halt=said.digest, reason="enough", standing=(action.digest,))
    run.say("orchestrator", body, said)
    run.receipt(action, run.finish(action, ActionOutcome.UNKNOWN))


@pytest.mark.parametrize(
    "tell",
    [
        stands,
        undone,
        undoing_failed,
        begun_after_the_end_was_decided,
        halted_under_way,
        lambda run: whole(run, judged(run)),
    ],
)
def test_an_end_that_names_exactly_what_stands_has_no_findings(tell: Tell) -> None:
    assert together(tell) == []


def keeps_silent(run: RunStory) -> None:
    acted(run, run.propose())
    run.complete(outcome=RunOutcome.FAILURE)


def silent_on_what_is_not_undone(run: RunStory) -> None:
    proposal = run.propose()
    acted(run, proposal)
    acted(run, run.propose(compensates=proposal), ActionOutcome.UNKNOWN)
    run.complete(outcome=RunOutcome.FAILURE)


def silent_on_what_a_halt_left(run: RunStory) -> None:
    run.start(judged(run))
    halt = HaltEngaged(scope=HaltScope.RUN, target="r-1", reason="enough")
    said = run.story.say("ada", halt)
    run.say("orchestrator", RunHalted(halt=said.digest, reason="enough"), said)


@pytest.mark.parametrize(
    "tell", [keeps_silent, silent_on_what_is_not_undone, silent_on_what_a_halt_left]
)
def test_an_end_that_keeps_silent_on_what_stands_is_found(tell: Tell) -> None:
    (what,) = together(tell)
    assert "keeps silent on the action at entry" in what


def names_what_was_undone(run: RunStory) -> None:
    proposal = run.propose()
    action = acted(run, proposal)
    acted(run, run.propose(compensates=proposal))
    run.complete(outcome=RunOutcome.FAILURE, standing=(action,))


def names_a_failure(run: RunStory) -> None:
    action = acted(run, run.propose(), ActionOutcome.FAILED)
    run.complete(outcome=RunOutcome.FAILURE, standing=(action,))


def names_what_nobody_asked_to_be_whole(run: RunStory) -> None:
    run.complete(outcome=RunOutcome.FAILURE, standing=(acted(run, run.propose()),))


@pytest.mark.parametrize(
    ("tell", "request_"),
    [
        (names_what_was_undone, TOGETHER),
        (names_a_failure, TOGETHER),
        (names_what_nobody_asked_to_be_whole, REQUEST),
    ],
)
def test_an_end_that_names_what_does_not_stand_is_found(tell: Tell, request_: RunRequested) -> None:
    assert together(tell, request_) == ["the run's end says that actions stand which do not"]
