"""Telemetry from the ledger: one trace an action, a span a hop, and nothing that was said."""

import msgspec
import pytest

from bus.decider import Recorded
from crypto.sealing import NoKeys
from crypto.trust import Trust
from ledger.replay import verified_entries
from ledger.telemetry.fold import Telemetry
from ledger.telemetry.observed import (
    ACTIONS,
    COUNTS,
    DECISIONS,
    DURATIONS,
    ROOT,
    RUNS,
    Measure,
    Span,
    Told,
    span_of,
    trace_of,
    traceparent,
)
from schemas.actions import (
    ActionOutcome,
    ActionRefused,
    Decision,
    LayerOutcome,
    LayerResult,
    Verdict,
)
from schemas.names import SECOND
from schemas.runs import RunOutcome
from tests.scenery import ARGUMENTS, REQUEST, STEP
from tests.stories import RunStory, Story


def begun() -> tuple[Story, RunStory]:
    story = Story()
    story.found()
    return story, story.begin("r-1")


def told(story: Story, fold: Telemetry | None = None) -> list[Told]:
    ledger, fold = story.ledger(), fold or Telemetry()
    trust = Trust(ledger.workspace, ledger.root_public)
    entries = [(entry.index, entry.subject, entry.body) for entry in ledger.entries]
    found = verified_entries(entries, trust, NoKeys())
    return [one for entry in found if isinstance(entry, Recorded) for one in fold.observe(entry)]


def spans(all_: list[Told]) -> dict[str, Span]:
    found = [one for one in all_ if isinstance(one, Span)]
    assert len({one.name for one in found}) == len(found), found
    return {one.name: one for one in found}


def counted(all_: list[Told], name: str) -> list[dict[str, object]]:
    return [dict(one.attributes) for one in all_ if isinstance(one, Measure) and one.name == name]


def test_an_action_is_one_trace_with_a_span_for_each_hop() -> None:
    story, run = begun()
    proposal = run.propose()
    run.give(proposal)
    action = run.start(proposal)
    receipt = run.receipt(action, run.finish(action))
    found = spans(told(story))
    assert list(found) == ["judge", "gate", "execute", "receipt", ROOT]
    root = found.pop(ROOT)
    assert root.parent == b"" and root.id == span_of(proposal.digest, ROOT)
    assert {one.trace for one in (root, *found.values())} == {trace_of(proposal.digest)}
    assert {one.parent for one in found.values()} == {root.id}
    assert (root.start, root.end) == (proposal.event.at, receipt.event.at)
    assert {name: one.end - one.start for name, one in found.items()} == dict.fromkeys(found, STEP)
    assert [one.component for one in found.values()] == ["judge", *["sidecar"] * 3]
    assert root.attributes["anyteam.outcome"] == "confirmed" and not root.failed
    assert found["gate"].attributes["messaging.message.id"] == action.event.id
    assert traceparent(proposal.digest) == f"00-{root.trace.hex()}-{root.id.hex()}-01"


def test_what_a_person_answers_is_a_span_and_the_gate_waits_for_it() -> None:
    story, run = begun()
    proposal = run.propose()
    run.give(proposal, Verdict.ROUTE_TO_HUMAN)
    asked = run.ask(proposal)
    story.now += 60 * SECOND
    answered = run.answer(proposal, Decision.APPROVE)
    run.start(proposal)
    all_ = told(story)
    found = spans(all_)
    assert found["approval"].start == asked.event.at and found["approval"].component == "console"
    assert found["gate"].start == found["approval"].end == answered.event.at
    assert [one["anyteam.decision"] for one in counted(all_, DECISIONS)] == ["hold", "execute"]


def test_a_refusal_ends_the_trace_and_names_the_layer_that_refused() -> None:
    story, run = begun()
    proposal = run.propose()
    layers = (
        LayerOutcome(layer=3, name="halt", result=LayerResult.HOLD, reason="a hold"),
        LayerOutcome(layer=4, name="intent", result=LayerResult.REFUSE, reason="pay dana"),
    )
    body = ActionRefused(
        proposal=proposal.digest, tool="pay", layers=layers, reason="pay dana", fix="do not"
    )
    run.say("sidecar", body, proposal)
    fold = Telemetry()
    all_ = told(story, fold)
    assert spans(all_)[ROOT].attributes["anyteam.outcome"] == "refused"
    (decision,) = counted(all_, DECISIONS)
    assert (decision["anyteam.decision"], decision["anyteam.layer"]) == ("refuse", 4)
    assert fold.under_way == 0


@pytest.mark.parametrize("outcome", [ActionOutcome.FAILED, ActionOutcome.UNKNOWN])
def test_what_failed_or_is_unknown_is_an_error_of_its_span_and_trace(
    outcome: ActionOutcome,
) -> None:
    story, run = begun()
    proposal = run.propose()
    action = run.start(proposal)
    run.receipt(action, run.finish(action, outcome))
    all_ = told(story)
    found = spans(all_)
    assert [name for name, one in found.items() if one.failed] == ["execute", ROOT]
    assert counted(all_, ACTIONS)[0]["anyteam.outcome"] == outcome.value


def test_a_run_that_ends_leaves_nothing_under_way() -> None:
    story, run = begun()
    run.propose()
    run.complete(outcome=RunOutcome.CRASHED)
    fold = Telemetry()
    all_ = told(story, fold)
    assert spans(all_)[ROOT].attributes["anyteam.outcome"] == "unfinished"
    assert counted(all_, RUNS) == [{"anyteam.outcome": "crashed"}]
    assert fold.under_way == 0


def test_nothing_that_was_said_and_no_person_is_in_it() -> None:
    story, run = begun()
    run.complete(run.act())
    text = msgspec.json.encode(told(story)).decode()
    secret = (*ARGUMENTS.values(), REQUEST.intent.summary, REQUEST.rep, "by rule", "read back")
    assert "crm.update" in text
    # As a value where it is short enough to stand in an identifier by chance.
    sought = [word if len(word) > 4 else f'"{word}"' for word in secret]
    assert [word for word in sought if word in text] == []


def test_a_reader_that_comes_late_gives_the_same_ids() -> None:
    story, run = begun()
    run.act()
    run.act()
    every = {one.id for one in told(story) if isinstance(one, Span)}
    assert {one.id for one in told(story) if isinstance(one, Span)} == every
    assert len(every) == 10


def test_every_measure_is_a_count_or_a_duration_that_is_declared() -> None:
    story, run = begun()
    run.complete(run.act())
    names = {one.name for one in told(story) if isinstance(one, Measure)}
    assert names <= {*COUNTS, *DURATIONS} and not set(COUNTS) & set(DURATIONS)
