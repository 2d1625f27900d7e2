"""What the API tells of a question and of what was left: the same as the pages, and typed."""

import pytest

from console.api.differing import ChangeShape, difference_shape
from console.api.shaping import standing_shape
from console.web.content import changes
from schemas.actions import ActionOutcome
from schemas.content import plain
from schemas.runs import RunHalted
from tests.stories import Story
from tests.unit.console.test_fold import seen


@pytest.fixture
def story() -> Story:
    story = Story()
    story.found()
    return story


def test_what_would_change_is_told_field_by_field_with_when_it_was_read(story: Story) -> None:
    run = story.begin("r-1")
    run.finish(run.start(run.propose()), result=plain([{"record": "deal-1", "text": "stage 1"}]))
    proposal = run.propose()
    run.ask(proposal)
    view = seen(story)
    shown = view.runs["r-1"]
    found = changes(shown, shown.steps[proposal.digest], story.keys, view.policy)
    assert found is not None
    said = difference_shape(found)
    assert said.changes == [ChangeShape("text", "stage 1", "stage 2", [])]
    assert said.tool == "crm.update"
    assert said.at.endswith("Z")


def test_an_action_that_was_left_names_its_run_its_entry_and_what_is_known_of_it(
    story: Story,
) -> None:
    run = story.begin("r-1")
    proposal = run.propose()
    action = run.start(proposal)
    run.finish(action, ActionOutcome.UNKNOWN)
    run.say("orchestrator", RunHalted(halt=b"h" * 32, reason="", standing=(action.digest,)))
    (left,) = seen(story).standing.values()
    said = standing_shape(left)
    assert (said.run, said.proposal, said.tool) == ("r-1", proposal.digest.hex(), "crm.update")
    assert (said.state, said.started_index) == ("unknown", left.started_index)
