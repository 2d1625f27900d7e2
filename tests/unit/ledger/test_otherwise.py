"""Another policy over the past, by the real deciders: what differs, where, by which layer."""

import msgspec
import pytest

from console.cast import cast
from crypto.trust import Trust
from ledger.otherwise import Counterfactual, otherwise
from schemas.tools import Effect, Policy
from tests.scenery import POLICY
from tests.stories import Story


def told() -> Story:
    story = Story()
    story.found()
    for name in ("r-1", "r-2"):
        run = story.begin(name)
        proposal = run.propose()
        run.give(proposal)
        run.receipt(action := run.start(proposal), run.finish(action))
    return story


STORY = told()
RUN_KEYS = STORY.keys


def under(policy: Policy, run: str | None = None) -> Counterfactual:
    trust = Trust(STORY.workspace, STORY.signers["root"].public)
    entries = [(e.index, e.subject, e.body) for e in STORY.entries]
    return otherwise(entries, trust, RUN_KEYS, cast, policy, run=run)


def gated(found: Counterfactual) -> list[tuple[str, str, str, str]]:
    return [
        (one.run, one.was, one.would, one.name)
        for one in found.differences
        if one.was == "action.started"
    ]


def test_the_policy_that_was_in_force_changes_nothing_at_the_gate() -> None:
    assert gated(under(POLICY)) == []


def test_a_policy_that_reserves_the_effect_would_have_asked_a_person() -> None:
    stricter = msgspec.structs.replace(POLICY, human_effects=(Effect.MUTATION,))
    found = gated(under(stricter))
    assert [(run, was, would) for run, was, would, _ in found] == [
        ("r-1", "action.started", "approval.requested"),
        ("r-2", "action.started", "approval.requested"),
    ]


def test_a_policy_without_the_tool_would_have_refused() -> None:
    without = msgspec.structs.replace(POLICY, tools=POLICY.tools[1:])
    assert {one[1:3] for one in gated(under(without))} == {("action.started", "action.refused")}


def test_a_policy_that_bars_the_agent_would_have_refused_the_run() -> None:
    barred = msgspec.structs.replace(POLICY, agents=("another",))
    would = {one.would for one in under(barred).differences if one.was == "lease.granted"}
    assert would == {"run.refused"}


@pytest.mark.parametrize("run", ["r-1", "r-2"])
def test_one_run_is_asked_alone(run: str) -> None:
    stricter = msgspec.structs.replace(POLICY, human_effects=(Effect.MUTATION,))
    assert {one.run for one in under(stricter, run).differences} == {run}
