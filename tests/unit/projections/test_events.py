"""The row of any event at all: its body as JSON, and not one byte of its content."""

import msgspec
import pytest
from hypothesis import given

from bus.decider import Recorded
from crypto.sealing import content_fields
from projections.folds import rows_of
from projections.folds.actions import action_rows
from projections.folds.events import event_rows
from projections.folds.runs import run_rows
from projections.folds.standing import standing_rows
from schemas.events import Event
from tests.unit.schemas.arbitrary import any_event


@given(any_event())
def test_an_events_row_says_its_body_but_for_type_and_content(event: Event) -> None:
    first, *contents = event_rows(Recorded(7, b"d" * 32, event, event))
    body = msgspec.json.decode(msgspec.json.encode(event.body))
    hidden = {"type", *content_fields(type(event.body))}
    said = {name: value for name, value in body.items() if name not in hidden}
    assert msgspec.json.decode(msgspec.json.encode(first.values["public"])) == said
    assert {row.values["name"] for row in contents} <= hidden


@given(any_event())
def test_no_fold_is_passed_over_that_says_anything_of_an_event(event: Event) -> None:
    recorded = Recorded(7, b"d" * 32, event, event)
    folds = (event_rows, run_rows, action_rows, standing_rows)
    try:
        every = [row for fold in folds for row in fold(recorded)]
    except msgspec.DecodeError:
        # A receipt that is none: whoever asks for all of them hears the same.
        with pytest.raises(msgspec.DecodeError):
            rows_of(recorded)
        return
    assert rows_of(recorded) == every
