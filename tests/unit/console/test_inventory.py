"""What a workspace consists of follows from its ledger: reps, keys, tools, what the day used up."""

import pytest

from bus.decider import Recorded
from console.inventory import DAY, Rep, Reps, Spending, Spent, all_of, keys_of, policy_in
from crypto.trust import Trust
from schemas.actions import ModelCalled
from schemas.content import plain
from schemas.names import Role
from schemas.runs import KeyRevoked, RepRevoked
from schemas.tools import Effect
from tests.scenery import POLICY
from tests.stories import Story


@pytest.fixture
def story() -> Story:
    story = Story()
    story.found()
    return story


def read(story: Story) -> list[Recorded]:
    trust = Trust(story.workspace, story.signers["root"].public)
    found = []
    for entry in story.entries:
        seen = trust.accept(entry.subject, entry.body)
        found.append(Recorded(entry.index, seen.digest, seen.event, seen.event))
    return found


def reps_in(past: list[Recorded]) -> list[Rep]:
    reps = Reps()
    for entry in past:
        reps.take(entry)
    return reps.by_name()


def spent_in(past: list[Recorded], now: int) -> list[Spent]:
    spending = Spending(now)
    for entry in past:
        spending.take(entry)
    return spending.by_tool()


def test_a_rep_is_active_until_they_are_revoked_and_their_runs_are_counted(story: Story) -> None:
    story.begin("r-1")
    story.begin("r-2")
    (ann,) = reps_in(read(story))
    assert (ann.name, ann.active, ann.runs) == ("ann", True, 2)
    story.say("root", RepRevoked(rep="ann", reason="left"))
    (ann,) = reps_in(read(story))
    assert (ann.active, ann.reason, ann.runs) == (False, "left", 2)


def test_a_key_counts_until_it_is_revoked_and_names_its_holder(story: Story) -> None:
    keys = keys_of(read(story))
    assert ("sidecar", Role.SIDECAR) in [
        (one.certificate.instance, one.certificate.role) for one in keys
    ]
    assert {one.revoked for one in keys} == {""}
    story.say("root", KeyRevoked(key_id=keys[0].certificate.key_id, reason="lost"))
    assert [one.revoked for one in keys_of(read(story))] == ["lost"] + [""] * (len(keys) - 1)


def test_the_day_is_counted_by_tool_and_yesterday_is_over(story: Story) -> None:
    run = story.begin("r-1")
    proposal = run.propose()
    run.finish(run.start(proposal))
    run.say(
        "sidecar",
        ModelCalled(
            request=proposal.digest,
            model="m",
            answer=plain("yes"),
            input_tokens=7,
            output_tokens=3,
            cost=50,
        ),
        proposal,
    )
    past = read(story)
    used = {one.name: one for one in spent_in(past, story.now)}
    assert (used["crm.update"].calls, used["crm.update"].effects) == (1, 1)
    assert (used["models"].tokens, used["models"].money) == (10, 50)
    whole = all_of(used.values())
    assert (whole.calls, whole.tokens, whole.money) == (1, 10, 50)
    assert spent_in(past, story.now + DAY) == []


def test_the_policy_in_force_is_the_last_one(story: Story) -> None:
    assert policy_in([]) is None
    found = policy_in(read(story))
    assert found == POLICY
    assert found is not None and found.tools[0].effect is Effect.MUTATION
