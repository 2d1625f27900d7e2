"""Laws of the event's encoding: nothing is lost, and nothing unknown is let in."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.content import content_digest, plain, value_of
from schemas.envelope import (
    MAX_BODY_BYTES,
    Envelope,
    decode_envelope,
    encode_envelope,
)
from schemas.errors import MalformedEvent, Oversized, SchemaError, UnknownVersion
from schemas.events import (
    MAX_EVENT_BYTES,
    Actor,
    Event,
    decode_event,
    encode_event,
    frame_of,
)
from schemas.jsonschema import body_types
from schemas.names import NO_DIGEST, Classification, Role
from schemas.runs import RepActivated, RunCompleted, RunOutcome
from tests.unit.schemas.arbitrary import any_event, events, values


def activated(workspace: str = "acme", rep: str = "ann") -> Event:
    return Event(
        id="0192f0c1-7d3e-7a4b-8c5d-0123456789ab",
        workspace=workspace,
        run=None,
        actor=Actor(Role.ROOT, "root"),
        n=0,
        prev=NO_DIGEST,
        causes=(),
        seen=0,
        at=1,
        classification=Classification.INTERNAL,
        body=RepActivated(rep=rep),
    )


def altered(event: Event, **fields: object) -> bytes:
    """The event's payload with fields changed or added, past what the types allow."""
    loose = msgspec.msgpack.decode(encode_event(event))
    return msgspec.msgpack.encode(loose | fields)


@pytest.mark.parametrize("event_type", body_types())
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_an_event_of_every_type_survives_encoding_unchanged(
    event_type: str, data: st.DataObject
) -> None:
    event = data.draw(events(event_type))
    payload = encode_event(event)
    assert decode_event(payload) == event
    assert decode_event(payload).type == event_type
    assert encode_event(decode_event(payload)) == payload


@settings(max_examples=300, deadline=None)
@given(any_event(), st.data())
def test_a_damaged_payload_is_an_event_or_a_schema_error_and_nothing_else(
    event: Event, data: st.DataObject
) -> None:
    payload = bytearray(encode_event(event))
    for _ in range(data.draw(st.integers(1, 4))):
        payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(payload)))
    for damaged in (bytes(payload), bytes(payload[:cut])):
        try:
            assert isinstance(decode_event(damaged), Event)
        except SchemaError as error:
            assert error.what


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_random_bytes_are_refused_as_a_schema_error(junk: bytes) -> None:
    with pytest.raises(SchemaError):
        decode_event(junk)
    with pytest.raises(SchemaError):
        decode_envelope(junk)


@pytest.mark.parametrize(
    "header", [b"\xdd\xff\xff\xff\xff", b"\xdd\x01\x00\x00\x00", b"\x91" * 5_000]
)
def test_a_claimed_length_or_depth_beyond_the_payload_is_refused(header: bytes) -> None:
    completed = RunCompleted(outcome=RunOutcome.SUCCESS, reason="done", receipts=())
    payload = encode_event(msgspec.structs.replace(activated(), body=completed))
    empty = payload.rindex(b"\x90")
    with pytest.raises(MalformedEvent):
        decode_event(payload[:empty] + header + payload[empty + 1 :])


def test_an_unknown_field_is_refused_and_named() -> None:
    with pytest.raises(MalformedEvent, match="extra"):
        decode_event(altered(activated(), extra=1))


def test_an_unknown_field_inside_the_body_is_refused_and_named() -> None:
    body = {"type": "rep.activated", "rep": "ann", "sudo": True}
    with pytest.raises(MalformedEvent, match="sudo"):
        decode_event(altered(activated(), body=body))


def test_a_missing_field_is_refused_and_named() -> None:
    loose = msgspec.msgpack.decode(encode_event(activated()))
    del loose["seen"]
    with pytest.raises(MalformedEvent, match="seen"):
        decode_event(msgspec.msgpack.encode(loose))


def test_an_unknown_event_type_is_refused_and_named() -> None:
    with pytest.raises(MalformedEvent, match=r"rep\.promoted"):
        decode_event(altered(activated(), body={"type": "rep.promoted", "rep": "ann"}))


@pytest.mark.parametrize("version", [2, 99])
def test_an_event_of_a_newer_version_says_which_and_what_to_do(version: int) -> None:
    with pytest.raises(UnknownVersion, match=str(version)) as refused:
        decode_event(altered(activated(), v=version, novelty="of a later day"))
    assert refused.value.version == version and refused.value.fix


@pytest.mark.parametrize("version", [0, -1, "2", None])
def test_what_no_release_is_of_is_no_version(version: object) -> None:
    with pytest.raises(MalformedEvent):
        decode_event(altered(activated(), v=version))


def test_a_frame_is_read_whatever_the_body_holds_and_none_is_made_up() -> None:
    payload = altered(activated(), v=7, body={"type": "rep.promoted"}, novelty=[1])
    frame = frame_of(payload)
    assert frame is not None and (frame.v, frame.actor.role) == (7, Role.ROOT)
    assert frame_of(altered(activated(), v=7, workspace="acme.evil")) is None
    assert frame_of(altered(activated(), v=0)) is None
    assert frame_of(b"\x80") is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("workspace", "Acme"),
        ("workspace", "acme.evil"),
        ("workspace", "*"),
        ("workspace", ""),
        ("workspace", "acme\n"),
        ("workspace", "a" * 64),
        ("id", "0192f0c1-7d3e-4a4b-8c5d-0123456789ab"),
        ("n", -1),
        ("prev", bytes(31)),
        ("causes", [bytes(33)]),
        ("seen", -1),
        ("at", -1),
        ("at", 2**63),
        ("classification", "SECRET"),
    ],
)
def test_a_field_out_of_form_is_refused_and_named(field: str, value: object) -> None:
    with pytest.raises(MalformedEvent, match=field):
        decode_event(altered(activated(), **{field: value}))


def test_an_event_over_the_size_limit_is_refused_on_both_sides() -> None:
    big = msgspec.structs.replace(activated(), causes=(NO_DIGEST,) * (MAX_EVENT_BYTES // 32))
    with pytest.raises(Oversized, match=r"rep\.activated") as refused:
        encode_event(big)
    assert refused.value.fix
    with pytest.raises(Oversized):
        decode_event(bytes(MAX_EVENT_BYTES + 1))
    with pytest.raises(Oversized):
        decode_envelope(bytes(MAX_BODY_BYTES + 1))


@settings(deadline=None)
@given(values(Envelope))
def test_an_envelope_survives_encoding_unchanged(envelope: Envelope) -> None:
    assert decode_envelope(encode_envelope(envelope)) == envelope


def test_an_envelope_round_the_largest_event_is_within_the_limit() -> None:
    envelope = Envelope(bytes(MAX_EVENT_BYTES), bytes(16), bytes(64))
    assert decode_envelope(encode_envelope(envelope)) == envelope


@pytest.mark.parametrize(
    "parts",
    [
        [b"payload", bytes(16)],
        [b"payload", bytes(16), bytes(64), b"more"],
        [b"payload", bytes(15), bytes(64)],
        [b"payload", bytes(16), bytes(63)],
        {"payload": b"", "key_id": bytes(16), "signature": bytes(64)},
    ],
)
def test_an_envelope_out_of_form_is_refused(parts: object) -> None:
    with pytest.raises(MalformedEvent, match="envelope"):
        decode_envelope(msgspec.msgpack.encode(parts))


@given(st.dictionaries(st.text(max_size=8), st.integers(-(2**53), 2**53), max_size=6))
def test_content_is_the_same_bytes_whatever_order_its_keys_came_in(value: dict[str, int]) -> None:
    turned = dict(reversed(value.items()))
    assert plain(value) == plain(turned)
    assert content_digest(plain(value)) == content_digest(plain(turned))
    assert value_of(plain(value)) == value
