"""Conduct: what is counted of a run, what counts as the same call, and what is taken back."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.names import SECOND
from schemas.tools import Tool
from sidecar.gate.conduct import (
    Conduct,
    Spend,
    _name_first,
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
from tests.unit.sidecar.gate.building import LOOK, MAIL, PAY, UPDATE

SPENDS = st.builds(Spend, **dict.fromkeys(Spend.__struct_fields__, st.integers(0, 1000)))


def digest(tool: Tool, **arguments: Any) -> bytes:
    return call_digest(tool, tuple(parts(tool, arguments)))


@given(SPENDS, SPENDS)
def test_spending_adds_up_and_is_taken_back_in_every_unit(one: Spend, other: Spend) -> None:
    both = plus(one, other)
    for unit in Spend.__struct_fields__:
        assert getattr(both, unit) == getattr(one, unit) + getattr(other, unit)
        left = getattr(plus(one, other, -1), unit)
        assert left == max(0, getattr(one, unit) - getattr(other, unit))
    assert plus(both, other, -1) == one


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.lists(st.text())))
def test_arguments_of_different_names_are_in_order_by_their_names_alone(
    said: dict[str, Any],
) -> None:
    assert sorted(said.items(), key=_name_first) == sorted(said.items(), key=repr)


def test_a_read_costs_its_price_and_one_call() -> None:
    said = tuple(parts(LOOK, {"record": "a"}))
    assert cost_of(changed(LOOK, cost=7), said) == Spend(money=7, calls=1)


@pytest.mark.parametrize(
    ("arguments", "records"), [({}, 1), ({"record": "a"}, 1), ({"record": ["a", "b", "a"]}, 2)]
)
def test_an_effect_counts_the_records_it_names_and_one_at_least(
    arguments: dict[str, Any], records: int
) -> None:
    said = tuple(parts(UPDATE, arguments))
    assert cost_of(UPDATE, said) == Spend(calls=1, effects=1, records=records)


def test_arguments_that_name_one_thing_together_are_one_record() -> None:
    tool = changed(UPDATE, objects=("bucket", "key"))
    assert objects_of(parts(tool, {"bucket": "b", "key": "k"})) == {"b k"}
    assert objects_of(parts(tool, {"bucket": "b", "key": ["k", "l"]})) == {"b", "k", "l"}
    assert objects_of(parts(tool, {"bucket": "b", "text": "t"})) == {"b"}


@pytest.mark.parametrize(
    ("tool", "one", "other"),
    [
        (MAIL, {"to": "Ann@a.example", "text": "hi"}, {"to": "ann@A.example", "text": "hi"}),
        (MAIL, {"to": "ann@a.example"}, {"to": "<ann+x@a.example>"}),
        (MAIL, {"text": "Hello  you"}, {"text": "hello\n you "}),
        (MAIL, {"text": "he\u200bllo"}, {"text": "hello"}),
        (MAIL, {"to": "a@b.example", "text": "t"}, {"text": "t", "to": "a@b.example"}),
        (PAY, {"account": "x1", "amount": 5, "note": "a"}, {"account": "X1", "amount": 5}),
    ],
)
def test_the_same_call_in_other_spelling_is_the_same(
    tool: Tool, one: dict[str, Any], other: dict[str, Any]
) -> None:
    assert digest(tool, **one) == digest(tool, **other)


@pytest.mark.parametrize(
    ("tool", "one", "other"),
    [
        (MAIL, {"to": "ann@a.example"}, {"to": "bob@a.example"}),
        (MAIL, {"text": "a"}, {"text": "b"}),
        (MAIL, {"text": "1"}, {"text": 1}),
        (MAIL, {"text": "a"}, {"subject": "a"}),
        (PAY, {"account": "x1", "amount": 5}, {"account": "x1", "amount": 6}),
        (PAY, {"account": "x1", "amount": 5}, {"account": "x2", "amount": 5}),
    ],
)
def test_another_call_is_another(tool: Tool, one: dict[str, Any], other: dict[str, Any]) -> None:
    assert digest(tool, **one) != digest(tool, **other)


def test_a_payment_is_the_same_by_whatever_tool_and_an_update_is_not() -> None:
    assert digest(PAY, account="x", amount=1) == digest(
        changed(PAY, name="bank.transfer"), account="x", amount=1
    )
    assert digest(UPDATE, record="x") != digest(changed(UPDATE, name="crm.set"), record="x")


def test_a_call_done_is_counted_for_the_run_and_its_tool() -> None:
    once = done(Conduct(), UPDATE, {"record": "a"}, 5)
    twice = done(once, changed(LOOK, cost=3), {"record": "b"}, 6)
    assert twice.spend == Spend(money=3, calls=2, effects=1, records=1)
    assert dict(twice.by_tool) == {
        UPDATE.name: Spend(calls=1, effects=1, records=1),
        LOOK.name: Spend(money=3, calls=1),
    }
    assert dict(twice.objects) == {UPDATE.name: {"a"}}
    assert (twice.effects_at, twice.reads_at) == ((5,), (6,))


def test_repetitions_and_objects_of_a_tool_add_up() -> None:
    after = Conduct()
    for record in ("a", "b", "a"):
        after = done(after, UPDATE, {"record": record}, 1)
    assert after.objects[UPDATE.name] == {"a", "b"}
    assert after.repeats[digest(UPDATE, record="a")] == 2
    assert after.repeats[digest(UPDATE, record="b")] == 1
    assert after.by_tool[UPDATE.name].calls == 3


def test_what_was_not_done_may_be_done_again() -> None:
    once = done(Conduct(), UPDATE, {"record": "a"}, 1)
    twice = done(once, UPDATE, {"record": "a"}, 2)
    assert undone(twice, UPDATE, {"record": "a"}).repeats == once.repeats
    assert dict(undone(once, UPDATE, {"record": "a"}).repeats) == {}
    assert undone(once, UPDATE, {"record": "b"}) == once


def test_times_are_kept_for_a_minute() -> None:
    after = done(done(Conduct(), LOOK, {}, 0), LOOK, {}, 59 * SECOND)
    assert after.reads_at == (0, 59 * SECOND)
    assert done(after, LOOK, {}, 60 * SECOND).reads_at == (59 * SECOND, 60 * SECOND)
    assert done(Conduct(), UPDATE, {}, 3).effects_at == (3,)


@pytest.mark.parametrize(("at", "count"), [(60, 1), (61, 0), (59, 2), (0, 1), (-1, 0)])
def test_a_minute_is_open_behind_and_closed_before(at: int, count: int) -> None:
    assert within((0, 1 * SECOND), at * SECOND) == count


def test_the_last_1024_times_are_enough() -> None:
    many = changed(Conduct(), reads_at=tuple(range(2000)))
    assert done(many, LOOK, {}, 2000).reads_at == (*range(976, 2000), 2000)
