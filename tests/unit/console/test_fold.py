"""What the console shows follows from the ledger: steps, questions, halts, access."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from console.view.fold import fold, skip
from console.view.plots import by_hour, by_layer, by_value, percentile
from console.view.state import BAND, HOUR, Hour, Workspace
from console.view.words import in_words
from console.web.content import SEALED, changes, opened_step
from crypto.errors import Rejected
from crypto.sealing import NoKeys
from crypto.trust import FOREVER, Trust, Verified
from schemas.access import (
    AccessGranted,
    AccessRevoked,
    AccessRole,
    TokenIssued,
    TokenRevoked,
    TokenScope,
)
from schemas.actions import (
    ActionOutcome,
    ActionRefused,
    ApprovalDecided,
    ApprovalRequested,
    Decision,
    LayerOutcome,
    LayerResult,
)
from schemas.content import Sealed, plain
from schemas.events import AnyBody, Event
from schemas.leases import Certificate
from schemas.names import SECOND, Role
from schemas.runs import (
    HaltEngaged,
    HaltReleased,
    HaltScope,
    KeyCertified,
    RunHalted,
    RunParked,
    RunStarted,
)
from tests.stories import Said, Story
from tests.unit.schemas.arbitrary import any_event

ACCOUNT = "u-0123456789abcdef"
TOKEN = "t-0123456789abcdef"
ISSUED = TokenIssued(
    account=ACCOUNT,
    token=TOKEN,
    label="nightly",
    digest=b"d" * 32,
    scopes=(TokenScope.READ,),
    expires=2**62,
)


def seen(story: Story) -> Workspace:
    view = Workspace(story.workspace)
    trust = Trust(story.workspace, story.signers["root"].public)
    for entry in story.entries:
        try:
            verified = trust.accept(entry.subject, entry.body)
        except Rejected:
            skip(view, entry.index)
        else:
            fold(view, entry.index, verified)
    return view


@pytest.fixture
def story() -> Story:
    told = Story()
    told.found()
    return told


def halt(story: Story, scope: HaltScope, target: str) -> Said:
    return story.say("ada", HaltEngaged(scope=scope, target=target, reason="a fire"))


@pytest.mark.parametrize("decision", [Decision.DENY, Decision.CHANGE])
def test_a_question_waits_until_it_is_answered(story: Story, decision: Decision) -> None:
    run = story.begin("r-1")
    proposal = run.propose()
    run.give(proposal)
    run.ask(proposal)
    view = seen(story)
    assert [step.digest for step in view.questions()] == [proposal.digest]
    assert view.runs["r-1"].state == "waiting"
    run.answer(proposal, decision)
    view = seen(story)
    assert view.questions() == []
    answer = view.runs["r-1"].steps[proposal.digest].answer
    assert answer is not None
    assert (answer.decision, answer.by) == (decision, "ada")


def test_what_a_person_wants_instead_is_shown_to_who_may_read_it_and_to_nobody_else(
    story: Story,
) -> None:
    run = story.begin("r-1")
    proposal = run.propose()
    run.ask(proposal)
    body = ApprovalDecided(
        proposal=proposal.digest, decision=Decision.CHANGE, change=plain("shorter")
    )
    said = run.say("ada", body).event.body
    assert isinstance(said, ApprovalDecided) and isinstance(said.change, Sealed)
    shown = seen(story).runs["r-1"]
    step = shown.steps[proposal.digest]
    opened = opened_step(shown, step, story.keys, None, may_read=True)
    assert opened.wanted == "shorter"
    assert opened_step(shown, step, NoKeys(), None, may_read=True).wanted == SEALED
    assert opened_step(shown, step, story.keys, None, may_read=False).wanted == ""


def test_what_an_end_leaves_standing_waits_to_be_looked_at_until_it_is_known_not_to_be_done(
    story: Story,
) -> None:
    run = story.begin("r-1")
    one, other = (run.start(run.propose()) for _ in range(2))
    run.finish(one)
    run.say(
        "orchestrator", RunHalted(halt=b"h" * 32, reason="", standing=(one.digest, other.digest))
    )
    view = seen(story)
    assert [step.action for step in view.standing.values()] == [one.digest, other.digest]
    run.finish(other, ActionOutcome.FAILED)
    assert list(seen(story).standing) == [one.digest]


def test_what_would_change_is_shown_beside_what_the_run_had_read(story: Story) -> None:
    run = story.begin("r-1")
    read = run.propose()
    run.finish(run.start(read), result=plain({"id": "x", "deals": [{"record": "deal-1"}]}))
    proposal = run.propose()
    run.ask(proposal)
    view = seen(story)
    shown, step = view.runs["r-1"], view.runs["r-1"].steps[proposal.digest]
    found = changes(shown, step, story.keys, view.policy)
    assert found is not None
    assert [(one.field, one.before, one.after) for one in found.changes] == [
        ("text", None, "stage 2")
    ]
    assert changes(shown, step, NoKeys(), view.policy) is None
    first = shown.steps[read.digest]
    assert changes(shown, first, story.keys, view.policy) is None


def test_a_parked_run_says_so_until_its_processes_are_back(story: Story) -> None:
    run = story.begin("r-1")
    proposal = run.propose()
    run.ask(proposal)
    run.say("orchestrator", RunParked(attempt=1, awaits=(proposal.digest,)), proposal)
    assert seen(story).runs["r-1"].state == "parked"
    run.say("orchestrator", RunStarted(attempt=2))
    assert seen(story).runs["r-1"].state == "waiting"


def test_what_nobody_answered_is_expired_and_what_a_person_denied_is_not(story: Story) -> None:
    run = story.begin("r-1")
    for answered in (False, True):
        proposal = run.propose()
        run.ask(proposal, within_s=1)
        if answered:
            run.answer(proposal, Decision.DENY)
        story.now += SECOND
        refused = ActionRefused(
            proposal=proposal.digest, tool="crm.update", layers=(), reason="layer 14", fix=""
        )
        run.say("sidecar", refused, proposal)
        state = seen(story).runs["r-1"].steps[proposal.digest].state
        assert state == ("refused" if answered else "expired")


def test_where_two_must_approve_it_waits_for_the_second_who_is_not_its_rep(story: Story) -> None:
    run = story.begin("r-1")
    proposal = run.propose()
    question = run.ask(proposal).event.body
    assert isinstance(question, ApprovalRequested)
    story.author("bob", Role.ADMIN)
    story.say("root", KeyCertified(certificate=story.certificate("bob")))
    proposal = run.propose("pay")
    run.say("sidecar", replace(question, proposal=proposal.digest, people=2), proposal)
    answer = ApprovalDecided(proposal=proposal.digest, decision=Decision.APPROVE)
    for person in ("ada", "ada", "ann"):
        run.say(person, answer)
        assert seen(story).runs["r-1"].steps[proposal.digest].open
    run.say("bob", answer)
    step = seen(story).runs["r-1"].steps[proposal.digest]
    assert not step.open
    assert [one.by for one in step.answers] == ["ada", "bob"]


def test_the_first_answer_is_the_one_that_is_shown(story: Story) -> None:
    run = story.begin("r-1")
    proposal = run.propose()
    run.ask(proposal)
    run.answer(proposal, Decision.DENY)
    run.answer(proposal, Decision.APPROVE)
    answer = seen(story).runs["r-1"].steps[proposal.digest].answer
    assert answer is not None and answer.decision is Decision.DENY


def test_an_answer_before_its_question_answers_nothing(story: Story) -> None:
    run = story.begin("r-1")
    proposal = run.propose()
    run.answer(proposal)
    run.ask(proposal)
    assert len(seen(story).questions()) == 1


def test_what_waits_in_a_run_that_is_over_waits_no_more(story: Story) -> None:
    run = story.begin("r-1")
    proposal = run.propose()
    run.ask(proposal)
    stopped = halt(story, HaltScope.RUN, "r-1")
    run.say("orchestrator", RunHalted(halt=stopped.digest, reason="a fire"), stopped)
    view = seen(story)
    assert view.questions() == []
    assert view.runs["r-1"].state == "halted"


def test_an_action_is_followed_to_its_outcome_and_counted_in_its_hour(story: Story) -> None:
    run = story.begin("r-1")
    proposal = run.propose()
    action = run.start(proposal)
    run.finish(action)
    view = seen(story)
    step = view.runs["r-1"].steps[proposal.digest]
    assert step.state == "confirmed"
    assert view.latencies == [step.finished_at - proposal.event.at]
    assert view.hours[action.event.at // HOUR].actions == 1


def test_a_halt_shows_whom_it_stopped_and_whether_anything_began_after_it(story: Story) -> None:
    one, other = story.begin("r-1"), story.begin("r-2")
    one.finish(one.start(one.propose()))
    stopped = halt(story, HaltScope.RUN, "r-1")
    one.say("orchestrator", RunHalted(halt=stopped.digest, reason="a fire"), stopped)
    other.start(other.propose())
    view = seen(story)
    (engaged,) = view.engaged()
    assert (engaged.runs, engaged.after) == (["r-1"], 0)
    story.say("ada", HaltReleased(scope=HaltScope.RUN, target="r-1", reason="over"))
    assert seen(story).engaged() == []


def test_an_effect_after_a_halt_that_covers_it_is_counted_and_not_hidden(story: Story) -> None:
    run = story.begin("r-1")
    halt(story, HaltScope.REP, "ann")
    run.start(run.propose())
    assert seen(story).halts[0].after == 1


def test_access_is_the_last_grant_until_it_is_revoked(story: Story) -> None:
    account = "u-0123456789abcdef"
    for role in (AccessRole.ADMIN, AccessRole.AUDITOR):
        story.say("ada", AccessGranted(account=account, role=role, person="ada"))
    grant = seen(story).grants[account]
    assert (grant.role, grant.revoked) == (AccessRole.AUDITOR, "")
    story.say("ada", AccessRevoked(account=account, reason="left"))
    assert seen(story).grants[account].revoked == "left"


def test_a_grant_that_no_admin_signed_is_none(story: Story) -> None:
    grant = AccessGranted(account="u-0123456789abcdef", role=AccessRole.ADMIN, person="ada")
    story.say("ann", grant)
    view = seen(story)
    assert view.grants == {}
    assert view.rejected == 1


@pytest.mark.parametrize(
    ("end", "why"),
    [
        (TokenRevoked(token=TOKEN, reason="lost"), "lost"),
        (AccessRevoked(account=ACCOUNT, reason="left"), "its account has no access any more"),
        (
            AccessGranted(account=ACCOUNT, role=AccessRole.ADMIN, person="eve"),
            "its account's role or person changed",
        ),
    ],
)
def test_a_token_ends_with_its_revocation_and_with_its_accounts_role(
    story: Story, end: AnyBody, why: str
) -> None:
    story.say("ada", AccessGranted(account=ACCOUNT, role=AccessRole.ADMIN, person="ada"))
    story.say("ada", ISSUED)
    story.say("ada", AccessGranted(account=ACCOUNT, role=AccessRole.ADMIN, person="ada"))
    assert seen(story).tokens[ISSUED.digest].revoked == ""
    story.say("ada", end)
    assert seen(story).tokens[ISSUED.digest].revoked == why


def test_a_token_for_an_account_without_access_opens_nothing_later_either(story: Story) -> None:
    story.say("ada", ISSUED)
    story.say("ada", AccessGranted(account=ACCOUNT, role=AccessRole.ADMIN, person="ada"))
    assert seen(story).tokens == {}


def test_a_token_that_no_admin_signed_is_none(story: Story) -> None:
    story.say("ada", AccessGranted(account=ACCOUNT, role=AccessRole.ADMIN, person="ada"))
    story.say("ann", ISSUED)
    assert seen(story).tokens == {}


def test_refusals_are_counted_by_layer_and_every_bar_of_a_plot_is_inside_it(story: Story) -> None:
    run = story.begin("r-1")
    layers = (LayerOutcome(layer=5, name="capability", result=LayerResult.REFUSE, reason="none"),)
    for _ in range(3):
        proposal = run.propose()
        body = ActionRefused(
            proposal=proposal.digest, tool="crm.update", layers=layers, reason="none", fix=""
        )
        run.say("sidecar", body, proposal)
    view = seen(story)
    assert [(row.name, row.held, row.refused) for row in by_layer(view)] == [("5 capability", 0, 3)]
    plot = by_hour(view, story.now)
    assert [bar.words.partition(",")[0] for bar in plot.bars] == ["3 refused"]
    assert all(bar.y >= 0 and bar.y + bar.height <= plot.height for bar in plot.bars)
    assert "3 refused" in plot.words


def test_cost_and_latency_of_an_hour_stand_in_plots_of_their_own_without_what_waited(
    story: Story,
) -> None:
    run = story.begin("r-1")
    run.finish(run.start(run.propose()))
    waited = run.propose()
    run.ask(waited)
    run.answer(waited)
    run.finish(run.start(waited))
    view = seen(story)
    (hour,) = [each for each in view.hours.values() if each.took]
    (step, _) = view.runs["r-1"].steps.values()
    took = (step.finished_at - step.made.at) / 1e6
    assert sum(hour.took.values()) == 1
    assert took <= hour.median_ms <= took * BAND * (1 + 1e-9)
    plot = by_value(view, story.now, lambda one: one.median_ms, "ms")
    assert [bar.words.partition(" ")[2].partition(",")[0] for bar in plot.bars] == ["ms"]
    assert all(bar.y >= 0 and bar.y + bar.height <= plot.height for bar in plot.bars)
    assert Hour().median_ms == 0.0
    assert by_value(view, 0, lambda one: one.cost / 1e6, "spent").bars == ()


@given(st.floats(min_value=1e-9, max_value=1e12))
def test_the_top_of_an_axis_is_round_and_above_every_bar(value: float) -> None:
    story = Story()
    story.found()
    view = seen(story)
    view.hours[100] = Hour(cost=1)
    plot = by_value(view, 100 * HOUR, lambda one: value * one.cost, "spent")
    (bar,) = plot.bars
    assert bar.y >= 0
    assert bar.y + bar.height <= plot.height
    assert bar.height >= (plot.height - 30) / 5 - 1, "and no more than five times as high"


def test_percentiles_are_values_that_were_measured() -> None:
    assert percentile([], 0.5) == 0
    assert percentile([5, 1, 9, 7], 0.5) == 7
    assert percentile([5, 1, 9, 7], 1.0) == 9


@settings(deadline=None, max_examples=200)
@given(any_event())
def test_no_event_that_could_be_signed_breaks_what_is_shown(event: Event) -> None:
    view = Workspace(event.workspace)
    nobody = Certificate(
        key_id=bytes(16),
        public_key=bytes(32),
        role=Role.ROOT,
        instance="root",
        not_before=0,
        not_after=FOREVER,
    )
    for index in (1, 2):
        fold(view, index, Verified(event, bytes([index]) * 32, nobody))
    assert view.size == 2
    assert isinstance(in_words(event.body), str)
