"""Layer 11: ceilings per run, per tool and per day, reached exactly and exceeded by one."""

import pytest

from schemas.actions import LayerResult
from schemas.tools import Budget
from sidecar.gate.conduct import Conduct, Spend
from sidecar.gate.cost import cost, over_budget
from sidecar.gate.outcome import Case
from tests.cases import changed
from tests.unit.sidecar.gate.building import LOOK, UPDATE, WORKSPACE, case

UNITS = ("money", "calls", "effects", "records", "tokens")
PRICED = changed(UPDATE, cost=30)


def spent(tool: str = "", **spend: int) -> Conduct:
    gone = Spend(**spend)
    return (
        changed(Conduct(), by_tool=Conduct().by_tool.set(tool, gone))
        if tool
        else Conduct(spend=gone)
    )


def with_budget(**policy: object) -> Case:
    conduct = policy.pop("conduct", Conduct())
    day = policy.pop("day", Spend())
    arguments = {"record": ["a", "b"]}
    ruled = changed(WORKSPACE, **policy)
    return case(PRICED, arguments, policy=ruled, conduct=conduct, day=day)


@pytest.mark.parametrize("unit", UNITS)
def test_a_ceiling_may_be_reached_and_not_passed(unit: str) -> None:
    budget = Budget(**{unit: 7})
    assert over_budget(budget, Spend(**{unit: 6})) == ""
    assert over_budget(budget, Spend(**{unit: 7})) == ""
    assert over_budget(budget, Spend(**{unit: 8})) == f"8 of 7 {unit}"


@pytest.mark.parametrize("unit", UNITS)
def test_a_ceiling_of_zero_is_none_and_of_one_is_one(unit: str) -> None:
    assert over_budget(Budget(), Spend(**{unit: 10**12})) == ""
    assert over_budget(Budget(**{unit: 1}), Spend(**{unit: 2})) == f"2 of 1 {unit}"


def test_the_first_ceiling_that_is_over_is_named() -> None:
    assert over_budget(Budget(calls=1, records=1), Spend(calls=2, records=3)) == "2 of 1 calls"


def test_this_very_call_counts_with_its_price_and_records() -> None:
    for unit, ceiling in (("money", 30), ("calls", 1), ("effects", 1), ("records", 2)):
        fits = with_budget(per_run=Budget(**{unit: ceiling}))
        assert cost(fits).result is LayerResult.PASS
    for unit, ceiling in (("money", 29), ("records", 1)):
        word = cost(with_budget(per_run=Budget(**{unit: ceiling})))
        assert word.result is LayerResult.REFUSE
        assert word.reason == f"over the ceiling per run: {ceiling + 1} of {ceiling} {unit}"
        assert "raise the ceiling" in word.fix


def test_each_of_run_tool_and_day_has_its_own_count() -> None:
    two = Budget(calls=2)
    run = with_budget(per_run=two, conduct=spent(calls=2))
    tool = with_budget(per_tool={UPDATE.name: two}, conduct=spent(UPDATE.name, calls=2))
    day = with_budget(per_day=two, day=Spend(calls=2))
    for found, whose in ((run, "run"), (tool, "tool crm.update_deal"), (day, "day")):
        word = cost(found)
        assert word.result is LayerResult.REFUSE
        assert word.reason == f"over the ceiling per {whose}: 3 of 2 calls"


def test_what_another_tool_spent_or_may_spend_is_not_this_ones() -> None:
    two = Budget(calls=2)
    other = with_budget(per_tool={UPDATE.name: two}, conduct=spent("mail.send", calls=9))
    assert cost(other).result is LayerResult.PASS
    elsewhere = with_budget(per_tool={"mail.send": two}, conduct=spent(UPDATE.name, calls=9))
    assert cost(elsewhere).result is LayerResult.PASS


def test_a_read_costs_a_call_and_no_effect() -> None:
    ruled = changed(WORKSPACE, per_run=Budget(effects=1, records=1))
    before = Conduct(spend=Spend(effects=1, records=1))
    assert cost(case(LOOK, {}, policy=ruled, conduct=before)).result is LayerResult.PASS


def test_what_passes_says_what_will_have_been_spent() -> None:
    word = cost(with_budget(conduct=spent(calls=4, money=100)))
    assert word.evidence == "5 calls, 130 millionths"


@pytest.mark.parametrize("lacking", ["tool", "arguments", "policy"])
def test_what_cannot_be_counted_is_refused(lacking: str) -> None:
    word = cost(changed(with_budget(), **{lacking: None}))
    assert (word.result, "nothing to count" in word.reason) == (LayerResult.REFUSE, True)
