"""What a run has done: what a call costs, when two calls are the same, what a minute holds."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.names import SECOND
from schemas.tools import Effect, Tool
from sidecar.gate.conduct import (
    Conduct,
    Spend,
    call_digest,
    cost_of,
    done,
    objects_of,
    plus,
    undone,
    within,
)
from sidecar.gate.parts import parts
from tests.cases import changed
from tests.unit.sidecar.gate.building import FETCH, LOOK, MAIL, PAY, UPDATE

MINUTE = 60 * SECOND
AT = 1_000 * SECOND
STORE = changed(UPDATE, name="files.put", objects=("bucket",), paths=("key",))


def digest(tool: Tool, **arguments: Any) -> bytes:
    return call_digest(tool, tuple(parts(tool, arguments)))


def cost(tool: Tool, **arguments: Any) -> Spend:
    return cost_of(tool, tuple(parts(tool, arguments)))


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({}, set()),
        ({"text": "a"}, set()),
        ({"bucket": "a"}, {"a"}),
        ({"bucket": 7}, {"7"}),
        ({"bucket": "a", "key": "b"}, {"a b"}),
        ({"key": "b", "bucket": "a"}, {"b a"}),
        ({"bucket": ["a", "b"]}, {"a", "b"}),
        ({"bucket": ["a", "a"]}, {"a"}),
        ({"bucket": ["a", "b"], "key": "c"}, {"a", "b", "c"}),
    ],
)
def test_arguments_that_name_one_thing_together_are_one_object(
    arguments: dict[str, Any], named: set[str]
) -> None:
    assert objects_of(parts(STORE, arguments)) == named


def test_a_call_costs_its_price_and_an_effect_counts_its_records() -> None:
    priced = changed(UPDATE, cost=30)
    assert cost(priced, record="a") == Spend(money=30, calls=1, effects=1, records=1)
    assert cost(priced, record=["a", "b", "c"]) == Spend(money=30, calls=1, effects=1, records=3)
    assert cost(priced) == Spend(money=30, calls=1, effects=1, records=1)
    assert cost(changed(LOOK, cost=2), record=["a", "b"]) == Spend(money=2, calls=1)


def test_sums_and_differences_are_of_each_unit_and_never_below_zero() -> None:
    one = Spend(money=1, calls=20, effects=300, records=4_000, tokens=50_000)
    two = Spend(money=5, calls=40, effects=300, records=2_000, tokens=10_000)
    assert plus(one, two) == Spend(money=6, calls=60, effects=600, records=6_000, tokens=60_000)
    assert plus(one, two, -1) == Spend(records=2_000, tokens=40_000)
    assert plus(two, one, -1) == Spend(money=4, calls=20)
    assert plus(Spend(), Spend()) == Spend()


AMOUNTS = st.integers(0, 10**12)
SPENDS = st.builds(
    Spend, money=AMOUNTS, calls=AMOUNTS, effects=AMOUNTS, records=AMOUNTS, tokens=AMOUNTS
)


@given(SPENDS, SPENDS)
def test_what_was_added_can_be_taken_back(one: Spend, two: Spend) -> None:
    assert plus(plus(one, two), two, -1) == one
    assert plus(one, two) == plus(two, one)


SAME: tuple[tuple[Tool, dict[str, Any], dict[str, Any]], ...] = (
    (MAIL, {"text": "Hello  there"}, {"text": " hello\nTHERE\u200b"}),
    (MAIL, {"to": "Jane+x@Boeing.example"}, {"to": "jane@boeing.example"}),
    (MAIL, {"to": "a@b.example", "text": "x"}, {"text": "x", "to": "a@b.example"}),
    (MAIL, {"to": ["a@b.example", "c@d.example"]}, {"to": ["c@d.example", "a@b.example"]}),
    (MAIL, {"to": "Jane Doe"}, {"to": "jane  doe"}),
    (PAY, {"account": "GB29 NWBK 6016 1331 9268 19"}, {"account": "gb29nwbk60161331926819"}),
    (PAY, {"account": "1", "note": "a"}, {"account": "1", "note": "b"}),
    (UPDATE, {"record": "a", "count": 3}, {"count": 3, "record": "A"}),
)


@pytest.mark.parametrize(("tool", "one", "other"), SAME)
def test_calls_that_differ_in_form_alone_are_the_same(
    tool: Tool, one: dict[str, Any], other: dict[str, Any]
) -> None:
    assert digest(tool, **one) == digest(tool, **other)


DIFFERENT: tuple[tuple[Tool, dict[str, Any], dict[str, Any]], ...] = (
    (MAIL, {"text": "hello there"}, {"text": "hellothere"}),
    (MAIL, {"to": "a@b.example"}, {"to": "c@b.example"}),
    (MAIL, {"to": "see b.example"}, {"to": "or b.example"}),
    (MAIL, {"to": "a@b.example", "text": "a@b.example"}, {"to": "a@b.example", "text": "a"}),
    (MAIL, {"text": "1"}, {"text": 1}),
    (MAIL, {"text": "Jane+x@boeing.example"}, {"text": "jane@boeing.example"}),
    (PAY, {"account": "1", "amount": 5}, {"account": "1", "amount": 6}),
    (PAY, {"account": "1", "amount": 5}, {"account": "2", "amount": 5}),
    (UPDATE, {"record": "a", "count": 3}, {"record": "a", "count": 4}),
    (UPDATE, {"record": "a"}, {"name": "a"}),
)


@pytest.mark.parametrize(("tool", "one", "other"), DIFFERENT)
def test_calls_that_differ_in_what_they_say_are_two(
    tool: Tool, one: dict[str, Any], other: dict[str, Any]
) -> None:
    assert digest(tool, **one) != digest(tool, **other)


def test_a_payment_is_the_same_by_whatever_tool_and_nothing_else_is() -> None:
    wire = changed(PAY, name="bank.wire")
    assert digest(PAY, account="1", amount=5) == digest(wire, account="1", amount=5)
    other = changed(UPDATE, name="crm.change_deal")
    assert digest(UPDATE, record="a") != digest(other, record="a")
    assert len(digest(UPDATE)) == 32


def test_an_effect_is_counted_in_every_place() -> None:
    priced = changed(UPDATE, cost=30)
    first = done(Conduct(), priced, {"record": "a"}, AT)
    both = done(first, priced, {"record": ["b", "a"]}, AT + 5)
    same = done(both, priced, {"record": "A "}, AT + 7)
    spent = Spend(money=90, calls=3, effects=3, records=4)
    assert same.spend == spent
    assert dict(same.by_tool) == {UPDATE.name: spent}
    assert same.repeats[digest(UPDATE, record="a")] == 2
    assert same.repeats[digest(UPDATE, record=["a", "b"])] == 1
    assert dict(same.objects) == {UPDATE.name: frozenset(("a", "b", "A "))}
    assert (same.effects_at, same.reads_at) == ((AT, AT + 5, AT + 7), ())
    assert (first.effects_at, dict(first.repeats)) == ((AT,), {digest(UPDATE, record="a"): 1})


def test_a_read_is_counted_apart_and_changes_no_object() -> None:
    first = done(Conduct(), LOOK, {"record": "a"}, AT)
    both = done(first, FETCH, {"url": "https://c.example"}, AT + 1)
    assert both.spend == Spend(calls=2)
    assert dict(both.by_tool) == {LOOK.name: Spend(calls=1), FETCH.name: Spend(calls=1)}
    assert (dict(both.objects), both.effects_at, both.reads_at) == ({}, (), (AT, AT + 1))
    mixed = done(both, MAIL, {"to": "a@b.example"}, AT + 2)
    assert (dict(mixed.objects), mixed.effects_at, mixed.reads_at) == ({}, (AT + 2,), (AT, AT + 1))
    assert mixed.by_tool[MAIL.name] == Spend(calls=1, effects=1, records=1)


def test_what_another_tool_changed_is_its_own() -> None:
    other = changed(UPDATE, name="crm.update_lead")
    both = done(done(Conduct(), UPDATE, {"record": "a"}, AT), other, {"record": "b"}, AT)
    assert dict(both.objects) == {UPDATE.name: frozenset("a"), other.name: frozenset("b")}


def test_what_was_not_done_may_be_done_again_and_stays_paid() -> None:
    once = done(Conduct(), UPDATE, {"record": "a"}, AT)
    twice = done(once, UPDATE, {"record": "a"}, AT)
    assert undone(twice, UPDATE, {"record": "A"}).repeats == once.repeats
    assert undone(twice, UPDATE, {"record": "a"}).spend == twice.spend
    none = undone(once, UPDATE, {"record": "a"})
    assert dict(none.repeats) == {}
    assert undone(none, UPDATE, {"record": "a"}) is none
    assert undone(once, UPDATE, {"record": "b"}) is once


def test_a_minute_holds_its_end_and_not_its_beginning() -> None:
    times = (AT - MINUTE, AT - MINUTE + 1, AT - 1, AT, AT + 1)
    assert within(times, AT) == 3
    assert within(times[:1], AT) == 0
    assert within(times[1:2], AT) == 1
    assert within(times[3:4], AT) == 1
    assert within(times[4:], AT) == 0
    assert within((), AT) == 0
    assert MINUTE == 60_000_000_000


@pytest.mark.parametrize(("tool", "times"), [(UPDATE, "effects_at"), (LOOK, "reads_at")])
def test_times_of_a_minute_ago_are_forgotten(tool: Tool, times: str) -> None:
    before = changed(Conduct(), **{times: (AT - MINUTE - 1, AT - MINUTE, AT - MINUTE + 1, AT - 1)})
    after = done(before, tool, {"record": "a"}, AT)
    assert getattr(after, times) == (AT - MINUTE + 1, AT - 1, AT)


def test_a_thousand_and_twenty_four_times_are_kept_and_the_new_one() -> None:
    full = changed(Conduct(), effects_at=tuple(range(AT, AT + 1030)))
    after = done(full, UPDATE, {"record": "a"}, AT + 2000)
    assert after.effects_at == (*range(AT + 6, AT + 1030), AT + 2000)


def test_a_conduct_begins_with_nothing() -> None:
    assert Conduct().spend == Spend(money=0, calls=0, effects=0, records=0, tokens=0)
    assert PAY.effect is Effect.PAYMENT
