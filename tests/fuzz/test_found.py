"""What fuzzing found once stays mended."""

import pytest

from tests.fuzz.target import tried
from tests.fuzz.test_fuzz import targets

DEEP = b"[" * 5_000
LONG = b"9" * 4_301
LASTING = (
    b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:a\r\nSUMMARY:x\r\nDTSTART:20260601T090000Z\r\n"
    b"DTEND:99991231T090000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)
PREFIX = (
    b'{"format":"anyteam verified prefix v1","workspace":"acme","root_key":"k","prefix":'
    b'{"size":1,"root":"","head":"","unverified":[18446744073709551616]},"mac":""}'
)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("outbox", b"\x00\x00\x00\x06\x94\xa4\xa2\xa2\xa2\xa2"),
        ("plan", b'{"\xf3":'),
        ("confinement", b'{"":' + DEEP),
        ("Gmail answer", b'{"":' + DEEP),
        ("planner's answer", b'{"":' + DEEP),
        ("capture messages", b'{"":' + DEEP),
        ("enrolment answer", b'{"":' + DEEP),
        ("device file", b'{"":' + DEEP),
        ("receipt file", b'{"":' + DEEP),
        ("settings", b"a = " + DEEP),
        ("settings", b"a = " + LONG),
        ("MCP declarations", b"a = " + LONG),
        ("desktop settings", b"a = " + LONG),
        ("queue item", b"\x00"),
        ("queue item", b"\x81\xa1\xa9\x00"),
        ("calendar object", LASTING),
        ("API description", b"openapi: " + DEEP),
        ("verified prefix", PREFIX),
    ],
)
def test_what_was_found_is_refused_in_form(name: str, data: bytes) -> None:
    assert tried(targets()[name], data) is None
