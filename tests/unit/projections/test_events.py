"""The row of any event at all: its body as JSON, and not one byte of its content."""

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bus.decider import Recorded
from crypto.sealing import content_fields
from projections.folds import rows_of
from projections.folds.actions import action_rows
from projections.folds.events import event_rows
from projections.folds.runs import run_rows
from projections.folds.standing import standing_rows
from schemas.jsonschema import body_types
from tests.unit.schemas.arbitrary import events

_FEW = settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
"""For each type: what is asked for is which fields there are, not which values."""


@pytest.mark.parametrize("event_type", body_types())
@_FEW
@given(data=st.data())
def test_an_events_row_says_its_body_but_for_type_and_content(
    event_type: str, data: st.DataObject
) -> None:
    event = data.draw(events(event_type))
    first, *contents = event_rows(Recorded(7, b"d" * 32, event, event))
    body = msgspec.json.decode(msgspec.json.encode(event.body))
    hidden = {"type", *content_fields(type(event.body))}
    said = {name: value for name, value in body.items() if name not in hidden}
    assert msgspec.json.decode(msgspec.json.encode(first.values["public"])) == said
    assert {row.values["name"] for row in contents} <= hidden


@pytest.mark.parametrize("event_type", body_types())
@_FEW
@given(data=st.data())
def test_no_fold_is_passed_over_that_says_anything_of_an_event(
    event_type: str, data: st.DataObject
) -> None:
    event = data.draw(events(event_type))
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
