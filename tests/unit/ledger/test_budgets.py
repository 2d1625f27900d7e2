"""Ceilings audited: what goes over one is found, and what stays within it is not."""

from collections.abc import Callable

import msgspec
import pytest

from ledger.verify import verify
from schemas.actions import ModelCalled, ModelRequested
from schemas.content import plain
from schemas.names import SECOND
from schemas.runs import PolicySet
from schemas.tools import Budget, Policy
from tests.ledgers import HeldExport
from tests.scenery import POLICY
from tests.stories import RunStory, Story

Tell = Callable[[RunStory], object]
DEAR = msgspec.structs.replace(
    POLICY, version=2, tools=tuple(msgspec.structs.replace(t, cost=40) for t in POLICY.tools)
)


def found(tell: Tell, **ceilings: object) -> list[str]:
    """What of budgets is found in a run under a policy with these ceilings."""
    story = Story()
    story.found()
    policy = msgspec.structs.replace(DEAR, **ceilings)
    story.say("root", PolicySet(policy=policy))
    tell(story.begin("r-1"))
    return findings(story)


def findings(story: Story) -> list[str]:
    ledger = story.ledger()
    report = verify(HeldExport(ledger), ledger.root_public)
    assert {finding.kind for finding in report.findings} <= {"budget"}, report.findings
    return [finding.what for finding in report.findings]


def twice(run: RunStory) -> None:
    run.act()
    run.act()


def model(run: RunStory, tokens: int = 50, cost: int = 10) -> None:
    """The runtime asks its model, which answers."""
    asked = run.say(run.runtime, ModelRequested(number=1, prompt=plain("what now?")))
    body = ModelCalled(
        request=asked.digest,
        model="m",
        answer=plain("this"),
        input_tokens=tokens - 1,
        output_tokens=1,
        cost=cost,
    )
    run.say("sidecar", body, asked)


def model_twice(run: RunStory) -> None:
    model(run)
    model(run)


def model_then_act(run: RunStory) -> None:
    model(run)
    run.act()


@pytest.mark.parametrize("whose", ["per_run", "per_day", "per_tool"])
@pytest.mark.parametrize(
    ("unit", "within"), [("money", 80), ("calls", 2), ("effects", 2), ("records", 2)]
)
def test_an_action_beyond_a_ceiling_is_found_and_one_within_it_is_not(
    whose: str, unit: str, within: int
) -> None:
    def ceiling(most: int) -> dict[str, object]:
        budget = Budget(**{unit: most})
        return {whose: {"crm.update": budget} if whose == "per_tool" else budget}

    assert found(twice, **ceiling(within)) == []
    (problem,) = found(twice, **ceiling(within - 1))
    assert problem.endswith(f"{within} of {within - 1} {unit}")
    assert whose.removeprefix("per_") in problem


@pytest.mark.parametrize("whose", ["per_run", "per_day"])
@pytest.mark.parametrize(("unit", "most"), [("tokens", 50), ("money", 10)])
def test_a_model_asked_with_nothing_left_is_found(whose: str, unit: str, most: int) -> None:
    """A call may end at its ceiling, or beyond it by what the answer took; then none may begin."""
    assert found(model_twice, **{whose: Budget(**{unit: most + 1})}) == []
    (problem,) = found(model_twice, **{whose: Budget(**{unit: most})})
    assert problem.startswith("a model was asked") and problem.endswith(f"{most} of {most} {unit}")


def test_what_a_model_cost_counts_against_the_next_action() -> None:
    assert found(model_then_act, per_run=Budget(money=50)) == []
    (problem,) = found(model_then_act, per_run=Budget(money=49))
    assert problem.endswith("50 of 49 money")


def test_another_days_actions_do_not_count() -> None:
    def over_midnight(run: RunStory) -> None:
        run.act()
        day = 86_400 * SECOND
        run.story.now = (run.story.now // day + 1) * day
        other = run.story.begin("r-2")
        other.act()

    assert found(over_midnight, per_day=Budget(calls=1)) == []
    assert len(found(twice, per_day=Budget(calls=1))) == 1


def test_what_the_gate_had_not_seen_yet_does_not_count() -> None:
    """Two runs' actions decided at one moment: neither could know of the other."""

    def at_once(run: RunStory) -> None:
        other = run.story.begin("r-2")
        proposals = [(one, one.propose()) for one in (run, other)]
        for one, proposal in proposals:
            one.give(proposal)
        seen = len(run.story.entries)
        for one, proposal in proposals:
            one.start(proposal, seen=seen)

    assert found(at_once, per_day=Budget(calls=1)) == []


def test_the_policy_that_was_seen_is_the_one_that_counts() -> None:
    def tightened(run: RunStory) -> None:
        run.act()
        proposal = run.propose()
        run.give(proposal)
        seen = len(run.story.entries)
        strict: Policy = msgspec.structs.replace(DEAR, version=3, per_run=Budget(calls=1))
        run.story.say("root", PolicySet(policy=strict))
        run.start(proposal, seen=seen)
        again = run.propose()
        run.give(again)
        run.start(again)

    (problem,) = found(tightened)
    assert problem.endswith("3 of 1 calls")
