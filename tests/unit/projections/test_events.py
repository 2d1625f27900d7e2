"""The row of any event at all: its body as JSON, and not one byte of its content."""

import msgspec
from hypothesis import given

from bus.decider import Recorded
from crypto.sealing import content_fields
from projections.folds.events import event_rows
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
