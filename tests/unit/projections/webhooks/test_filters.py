"""Filters: types, areas and runs, and what could never match is refused."""

import pytest

from projections.webhooks.errors import BadEndpoint
from projections.webhooks.filters import Filter, filter_of
from schemas.events import Event
from schemas.names import Classification
from tests.ledgers import event_of, small_ledger

EVENTS = [event_of(entry) for entry in small_ledger(runs=2).entries]


def types_of(chosen: Filter) -> set[str]:
    return {event.type for event in EVENTS if chosen.admits(event)}


def admitted(chosen: Filter) -> list[Event]:
    return [event for event in EVENTS if chosen.admits(event)]


def test_an_empty_filter_admits_all() -> None:
    assert admitted(Filter()) == EVENTS


def test_a_type_admits_that_type_and_an_area_all_of_its_types() -> None:
    assert types_of(filter_of(("run.started",), (), Classification.INTERNAL)) == {"run.started"}
    assert types_of(filter_of(("action.*",), (), Classification.INTERNAL)) == {
        *("action.started", "action.finished")
    }


def test_a_run_admits_its_events_alone() -> None:
    assert {event.run for event in admitted(Filter(runs=("r-2",)))} == {"r-2"}


def test_type_and_run_must_both_match() -> None:
    chosen = Filter(types=("run.*",), runs=("r-1",))
    assert {(event.run, event.type.partition(".")[0]) for event in admitted(chosen)} == {
        ("r-1", "run")
    }


@pytest.mark.parametrize("types", [("run.stared",), ("nothing.*",), ("*",), ("run",)])
def test_a_type_that_does_not_exist_is_refused_by_name(types: tuple[str, ...]) -> None:
    with pytest.raises(BadEndpoint) as caught:
        filter_of(types, (), Classification.INTERNAL)
    assert types[0] in caught.value.what
    assert "run.started" in caught.value.fix


def test_what_is_no_run_name_is_refused() -> None:
    with pytest.raises(BadEndpoint):
        filter_of((), ("No Run",), Classification.INTERNAL)
