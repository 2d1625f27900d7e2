"""What undoes an effect follows from its declaration, its arguments and its result."""

from typing import Any

import pytest

from schemas.compensation import Compensation, Undoing, problem_of, undoing_of

CANCEL = Compensation(
    tool="calendar.cancel",
    arguments={"event": "/result/event", "attendees": "/arguments/attendees", "why": "undone"},
)
GIVEN = {"title": "call", "attendees": ["jane@boeing.example"]}


def test_arguments_come_from_what_was_asked_and_from_what_came_of_it() -> None:
    assert undoing_of(CANCEL, GIVEN, {"event": "e-1"}) == Undoing(
        "calendar.cancel",
        {"event": "e-1", "attendees": ["jane@boeing.example"], "why": "undone"},
    )


def test_an_argument_that_the_effect_was_not_given_is_left_out() -> None:
    undoing = undoing_of(CANCEL, {"title": "call"}, {"event": "e-1"})
    assert undoing is not None
    assert undoing.arguments == {"event": "e-1", "why": "undone"}


@pytest.mark.parametrize("result", [None, {}, {"event": None}, [], "e-1", {"event ": "e-1"}])
def test_a_result_that_does_not_hold_what_it_takes_undoes_nothing(result: Any) -> None:
    assert undoing_of(CANCEL, GIVEN, result) is None


def test_nothing_declared_undoes_nothing() -> None:
    assert undoing_of(None, GIVEN, {"event": "e-1"}) is None


@pytest.mark.parametrize("pointer", ["/~2", "/other/event", "/"])
def test_a_pointer_that_leads_to_neither_is_told_and_undoes_nothing(pointer: str) -> None:
    wrong = Compensation(tool="calendar.cancel", arguments={"event": pointer})
    assert problem_of(wrong).startswith("event ")
    assert undoing_of(wrong, GIVEN, {"event": "e-1"}) is None
    assert problem_of(CANCEL) == ""


def test_the_place_after_a_lists_end_is_no_value() -> None:
    declared = Compensation(tool="t.undo", arguments={"who": "/result/list/-"})
    assert undoing_of(declared, {}, {"list": [1]}) is None
