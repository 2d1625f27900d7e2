"""Enrolment codes: read back as they were, and nothing else is taken for one."""

import pytest

from schemas.enrolment import Application, BadCode, Code, format_code, parse_code

CODE = Code("192.0.2.7", 41_000, b"\x07" * 32, b"\x09" * 16)


def test_a_code_reads_back_as_it_was_with_blanks_around_it() -> None:
    assert parse_code(f"  {format_code(CODE)}\n") == CODE


@pytest.mark.parametrize(
    "text", ["", "enrol-", "enrol-!!", "hello", format_code(CODE)[:-4], format_code(CODE) + "AAAA"]
)
def test_what_is_no_code_is_said_to_be_none(text: str) -> None:
    with pytest.raises(BadCode):
        parse_code(text)


def test_a_secret_does_not_show_where_it_is_printed() -> None:
    asked = Application(secret=CODE.secret, event_key=bytes(32), user="U", tls=b"")
    assert repr(CODE.secret) not in repr(CODE) + repr(asked)
