"""Spans with a tag of their own: which kinds have one, beside which key, and at what rank."""

import pytest

from classify.spans import Kind
from classify.tagging import LOOKED_AT, found_in, tagged_beside, tagged_in
from schemas.names import Classification

SSN = "123-45-6789"
CARD = "4111 1111 1111 1111"
INTERNAL = Classification.INTERNAL
PHONE = "+1 415 555 0198"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"her card is {CARD}, she says", [(Kind.CARD, CARD)]),
        (f"SSN {SSN}", [(Kind.NATIONAL_ID, SSN)]),
        ("pay to DE89 3704 0044 0532 0130 00", [(Kind.IBAN, "DE89 3704 0044 0532 0130 00")]),
        (f"call {PHONE} today", [(Kind.PHONE, PHONE)]),
        ("she was born on 1984-12-02", [(Kind.DATE_OF_BIRTH, "1984-12-02")]),
        ("password: correct!horse", [(Kind.CREDENTIAL, "correct!horse")]),
        ("Jane Whitfield of Contoso, jane@contoso.example, paid 480,000 EUR", []),
        ("4111 1111 1111 1112 has no check digit that holds", []),
        ("", []),
    ],
)
def test_structured_spans_carry_a_tag_and_names_amounts_and_addresses_none(
    text: str, found: list[tuple[Kind, str]]
) -> None:
    assert [(span.kind, span.text) for span in tagged_in(text)] == found


def test_offsets_are_those_of_the_text_as_it_was_written() -> None:
    text = f"\u200bher c\u0430rd: {CARD}"
    (span,) = tagged_in(text)
    assert text[span.start : span.end] == span.text == CARD


def test_a_fields_name_is_read_beside_its_value_and_is_in_no_span() -> None:
    (span,) = tagged_beside("social_security_number", "987654321", INTERNAL)
    assert (span.start, span.end, span.kind) == (0, 9, Kind.NATIONAL_ID)
    assert tagged_beside("", "987654321", INTERNAL) == ()
    assert tagged_beside("count", "987654321", INTERNAL) == ()


@pytest.mark.parametrize(
    ("value", "classification"),
    [
        (None, Classification.PUBLIC),
        ({"note": "the meeting was moved to week 9"}, Classification.PUBLIC),
        ({"note": f"call {PHONE}"}, Classification.CONFIDENTIAL),
        (
            {"people": [{"phone": PHONE}, {"ssn": 123456789, "old": True}]},
            Classification.RESTRICTED,
        ),
        ([f"card {CARD}", f"call {PHONE}"], Classification.RESTRICTED),
        ([f"call {PHONE}", "nothing"], Classification.CONFIDENTIAL),
        ({"ssn": True, "of": 1.5}, Classification.PUBLIC),
        (f"SSN {SSN}", Classification.RESTRICTED),
    ],
)
def test_a_value_is_as_sensitive_as_the_worst_span_in_it(
    value: object, classification: Classification
) -> None:
    assert found_in(value) is classification


def test_only_what_is_more_sensitive_than_the_declaration_is_looked_for() -> None:
    text = f"card {CARD}, call {PHONE}"
    assert [span.kind for span in tagged_in(text)] == [Kind.CARD, Kind.PHONE]
    assert [span.kind for span in tagged_in(text, Classification.CONFIDENTIAL)] == [Kind.CARD]
    assert tagged_in(text, Classification.RESTRICTED) == ()


def test_of_a_long_field_the_first_50_000_characters_are_looked_at() -> None:
    blanks = " " * (LOOKED_AT - len(CARD))
    assert [span.kind for span in tagged_in(blanks + CARD)] == [Kind.CARD]
    assert tagged_in(f" {blanks}{CARD}") == ()
