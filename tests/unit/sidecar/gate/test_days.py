"""Days and times of day in a text: each in one spelling, and out of the way of other numbers."""

import calendar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.gate.days import (
    _without_days_in_turn,
    day_tokens,
    days_in,
    digit_runs,
    without_days,
)
from sidecar.gate.normal import fold, words_of
from sidecar.gate.values import tokens


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("June 3", "d:06-03"),
        ("jun. 3rd", "d:06-03"),
        ("September. 12", "d:09-12"),
        ("see September. 12", "d:09-12"),
        ("12th of September", "d:09-12"),
        ("3 to 5 of June", "d:06-03 d:06-05"),
        ("3rd until the 5th of May", "d:05-03 d:05-05"),
        ("2024-05-03", "d:05-03"),
        ("2024-5-3", "d:05-03"),
        ("May 3 and 4 files", "d:05-03 n:4.00"),
        ("in May, by two", ""),
        ("on 5 of us", "n:5.00"),
        ("10:30", "c:10:30"),
        ("at 9h15 or 23:59", "c:09:15 c:23:59"),
        ("10:11:12", "c:10:11 n:12.00"),
        ("10:11, 12:13", "c:10:11 c:12:13"),
        ("24:00", "n:0.00 n:24.00"),
        ("2024-05-03T10:30", "c:10:30 d:05-03"),
        ("10:30 x11:45", "c:10:30 n:45.00"),
        ("10:30 _11:45", "c:10:30 n:45.00"),
        ("10:301", "n:10.00 n:301.00"),
        ("June 3 at 10:30 for 12 EUR", "c:10:30 d:06-03 n:12.00"),
    ],
)
def test_days_and_times(text: str, found: str) -> None:
    assert tokens(text) == set(found.split())


@pytest.mark.parametrize(("number", "month"), tuple(enumerate(calendar.month_name))[1:])
def test_each_month_is_known_by_its_name_and_its_first_three_letters(
    number: int, month: str
) -> None:
    for text in (f"{month} 9", f"{month[:3]} 9", f"9th {month}", f"9 of {month[:3]}"):
        assert day_tokens(text) == {f"d:{number:02}-09"}


def test_day_tokens_are_the_days_and_times_alone() -> None:
    assert day_tokens("3-5 June at 10:30, file 13, 1,234 EUR") == {"d:06-03", "d:06-05", "c:10:30"}
    assert day_tokens("no day in this text of 13") == frozenset()


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("january", "01"), ("jan", "01"), ("february", "02"), ("march", "03"), ("april", "04"),
        ("may", "05"), ("june", "06"), ("july", "07"), ("august", "08"), ("september", "09"),
        ("sept", "09"), ("october", "10"), ("november", "11"), ("december", "12"),
    ],
)  # fmt: skip
def test_every_month_is_known_in_both_orders(name: str, day: str) -> None:
    assert day_tokens(f"{name} 7") == day_tokens(f"7 {name}") == {f"d:{day}-07"}
    assert day_tokens(f"a{name} 7") == set()


_TIMES = st.sampled_from(
    ["may 5", "5 may", "3-5 june", "the 3rd until 5 july", "2026-05-17", "10:30", "9h45", "123:45",
     "12:30:45", "99:23:10", "sept. 3rd", "mar", "of", "t", "a", "7", " ", " ", ":", "-", ".", "_",
     ", ", "\u0663", "\u2013"]
)  # fmt: skip


@given(st.lists(_TIMES, max_size=9).map("".join))
def test_days_and_times_are_taken_out_as_if_one_kind_after_another(text: str) -> None:
    folded = fold(text)
    spans = days_in(folded, words_of(folded), digit_runs(folded), set())
    assert not spans or without_days(folded, spans) == _without_days_in_turn(folded)


def test_days_and_times_that_stand_apart_are_taken_out_at_once() -> None:
    folded = "on may 5 at 10:30, not 6 june; 20 seats"
    spans = days_in(folded, words_of(folded), digit_runs(folded), set())
    assert without_days(folded, spans) == "on  ;  at  ; , not  ; ; 20 seats"
