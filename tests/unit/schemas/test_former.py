"""What an earlier release wrote is read as today's, and nothing else is let in by it."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.content import Plain, Sealed
from schemas.errors import MalformedEvent
from schemas.events import decode_event
from schemas.former import WAYS, Way, brought_up
from schemas.names import TEXT_CHARS
from schemas.runs import PlanFinished
from tests.unit.schemas.test_written import EVENTS, payload_of

PLAN: dict[str, Any] = {
    "type": "plan.finished",
    "success": True,
    "summary": "all done",
    "claims": [],
}


def as_written(body: dict[str, Any], **frame: object) -> bytes:
    """A payload with this body, in the frame of an event that was written."""
    whole = msgspec.msgpack.decode(payload_of("plan.finished"))
    return msgspec.msgpack.encode({**whole, **frame, "body": body})


def test_a_text_that_became_content_is_read_as_content() -> None:
    body = decode_event(as_written(PLAN)).body
    assert isinstance(body, PlanFinished)
    assert body.summary == Plain(b'"all done"')


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"summary": "x" * (TEXT_CHARS + 1)}, "body.summary"),
        ({"summary": 7}, "body.summary"),
        ({"more": 1}, "more"),
        ({"success": "yes"}, "body.success"),
    ],
)
def test_what_no_release_wrote_is_refused_where_it_is_wrong(
    change: dict[str, Any], where: str
) -> None:
    with pytest.raises(MalformedEvent, match=where):
        decode_event(as_written({**PLAN, **change}))


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_todays_shapes_take_no_way_up(name: str) -> None:
    assert brought_up(payload_of(name)) is None


def test_ways_are_taken_one_after_the_other_from_the_oldest_shape_on() -> None:
    ways = (
        Way("plan.finished", lambda body: {**body, "steps": [body["summary"]]}),
        Way("plan.finished", lambda body: {**body, "count": len(body["steps"])}),
        Way("proposal.made", lambda body: {}),
    )
    raised = brought_up(as_written(PLAN), ways)
    assert raised is not None
    assert msgspec.msgpack.decode(raised)["body"] == {**PLAN, "steps": ["all done"], "count": 1}


def test_the_frame_is_carried_over_byte_by_byte() -> None:
    written = as_written(PLAN)
    raised = brought_up(written)
    assert raised is not None
    before, after = (
        msgspec.msgpack.decode(one, type=dict[str, msgspec.Raw]) for one in (written, raised)
    )
    assert {k: bytes(v) for k, v in before.items() if k != "body"} == {
        k: bytes(v) for k, v in after.items() if k != "body"
    }


@given(st.binary(max_size=200))
def test_bytes_that_are_no_event_have_no_way_up(noise: bytes) -> None:
    assert brought_up(noise) is None


_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.text(max_size=5)
    | st.binary(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(
    st.sampled_from([way.type for way in WAYS]),
    st.dictionaries(st.sampled_from(["purpose", "summary", "layers", "result"]), _VALUES),
)
def test_whatever_lies_in_a_former_field_is_read_or_refused(
    kind: str, fields: dict[str, Any]
) -> None:
    try:
        body = decode_event(as_written({**fields, "type": kind})).body
    except MalformedEvent:
        return
    assert not isinstance(getattr(body, "summary", None), str | Sealed)
