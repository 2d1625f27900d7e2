"""Events as they were written are read for good: a ledger is never written anew.

`written/events-1.jsonl` holds one event of each type of version 1, in the bytes it had. It is
added to when a type is, and nothing in it is changed: what no longer passes here would no
longer be read where it lies. A field may be added with a default; any other change of shape is a
new type, or a new version with a way up from this one.
"""

import base64
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Struct

from schemas.events import decode_event
from schemas.jsonschema import body_types


class Written(Struct, frozen=True):
    """One event: its type, and its payload (base64)."""

    type: str
    payload: str


LINES = (Path(__file__).parent / "written" / "events-1.jsonl").read_text().splitlines()
EVENTS = {one.type: one for one in (msgspec.json.decode(line, type=Written) for line in LINES)}


def payload_of(name: str) -> bytes:
    """The event of that type, as it was written."""
    return base64.b64decode(EVENTS[name].payload)


def holds(read: Any, written: Any) -> bool:
    """Whether all that was written is in what is read; more may be, by default."""
    if isinstance(written, dict):
        return isinstance(read, dict) and all(
            name in read and holds(read[name], value) for name, value in written.items()
        )
    if isinstance(written, list | tuple):
        return len(read) == len(written) and all(map(holds, read, written))
    return bool(read == written)


def test_every_type_has_an_event_that_was_written() -> None:
    assert set(EVENTS) == set(body_types()), "python -m tests.written"


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_an_event_as_it_was_written_is_read_with_all_it_says(name: str) -> None:
    payload = payload_of(name)
    event = decode_event(payload)
    assert event.type == name
    read = msgspec.to_builtins(event, builtin_types=(bytes,))
    assert holds(read, msgspec.msgpack.decode(payload))


def test_what_was_written_and_is_not_read_is_found() -> None:
    assert not holds({"a": 1}, {"a": 1, "b": 2})
    assert not holds({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]})
    assert not holds({"a": [1]}, {"a": [1, 2]})
