"""A span's own tag: found where less is declared, carried by the span alone, honoured at egress."""

from typing import Any

import pytest

from schemas.actions import LayerResult
from schemas.names import Classification
from sidecar.gate.classification import classification
from sidecar.gate.flows import flows
from sidecar.gate.knowledge import RANKS, Knowledge, Segment
from sidecar.gate.memory import memory
from sidecar.gate.outcome import Word
from tests.cases import changed
from tests.unit.sidecar.gate.building import MAIL, UPDATE, case, knows, wish

ASKED = wish("follow up")
SSN = "123-45-6789"
CARD = "4111 1111 1111 1111"
PHONE = "+1 415 555 0198"
NOTE = f"Her new harbor lantern meadow account, phone {PHONE}, was opened in March."
INTERNAL, CONFIDENTIAL = Classification.INTERNAL, Classification.CONFIDENTIAL
RESTRICTED = Classification.RESTRICTED


def spans(known: Knowledge) -> list[tuple[str, int]]:
    """The kind and rank of each tagged span."""
    return [(one.kind, one.rank) for one in segments(known) if one.kind]


def segments(known: Knowledge) -> list[Segment]:
    return [known.segments[number] for number in sorted(known.segments)]


def mailed(text: str, known: Knowledge, **rest: Any) -> Word:
    return classification(
        case(MAIL, {"to": ["jo@customer.example"], "text": text}, knowledge=known, **rest)
    )


@pytest.mark.parametrize(
    ("content", "declared", "found"),
    [
        (f"call {PHONE}", INTERNAL, [("phone", RANKS[CONFIDENTIAL])]),
        (f"call {PHONE}", CONFIDENTIAL, []),
        (f"call {PHONE}", Classification.PUBLIC, []),
        (f"SSN {SSN}", Classification.PUBLIC, [("national_id", RANKS[RESTRICTED])]),
        (f"SSN {SSN}", INTERNAL, [("national_id", RANKS[RESTRICTED])]),
        (f"SSN {SSN}", CONFIDENTIAL, [("national_id", RANKS[RESTRICTED])]),
        (f"SSN {SSN}", RESTRICTED, []),
        ({"passport": "X1234567"}, INTERNAL, [("national_id", RANKS[RESTRICTED])]),
        ({"ssn": 123456789}, INTERNAL, [("national_id", RANKS[RESTRICTED])]),
        ({"ssn": 123456789.0}, INTERNAL, []),
        ("moved to week 9", INTERNAL, []),
    ],
)
def test_a_span_is_tagged_where_it_is_more_sensitive_than_the_text_is_declared(
    content: object, declared: Classification, found: list[tuple[str, int]]
) -> None:
    assert spans(knows(content, ASKED, sensitivity=declared)) == found


def test_the_text_around_a_tagged_span_keeps_its_classification() -> None:
    known = knows(NOTE, ASKED, sensitivity=INTERNAL)
    assert [one.rank for one in segments(known)] == [RANKS[INTERNAL], RANKS[CONFIDENTIAL]]
    assert mailed("Her new harbor lantern meadow account was opened in March", known) == mailed(
        "Good morning", known
    )
    word = mailed("reach her at 415 555 0198, or 1-415-555-0198", known)
    assert word.result is LayerResult.HOLD
    assert word.evidence == "observation 0, 1 words, phone"


def test_what_came_by_itself_is_nobodys_secret() -> None:
    assert spans(knows(f"SSN {SSN}", ASKED, sensitivity=INTERNAL, unbidden=True)) == []


def test_a_tagged_span_above_the_tools_ceiling_leaves_for_nobody_unasked() -> None:
    known = knows(f"Jane, card {CARD}", ASKED, sensitivity=INTERNAL)
    tool = changed(MAIL, ceiling=CONFIDENTIAL)
    text = {"to": ["jo@customer.example"], "text": "it is 4111-1111-1111-1111"}
    word = classification(case(tool, text, knowledge=known))
    assert word.result is LayerResult.REFUSE
    assert word.reason == "RESTRICTED text would leave the organisation"
    assert word.evidence.endswith(", card")


def test_the_groups_of_a_tagged_number_are_no_flow_and_neither_is_what_the_rep_named() -> None:
    known = knows(f"Jane, card {CARD}", ASKED, sensitivity=INTERNAL)
    least = RANKS[CONFIDENTIAL]
    assert flows(known, ASKED, ["order 1111 of 4111"], least) == ()
    assert [one.segment.kind for one in flows(known, ASKED, [f"card {CARD}"], least)] == ["card"]
    assert flows(known, wish(f"use the card {CARD}"), [f"card {CARD}"], least) == ()


def test_a_code_of_letters_is_found_by_its_word() -> None:
    known = knows({"passport": "X1234567"}, ASKED, sensitivity=INTERNAL)
    (one,) = flows(known, ASKED, ["it is x1234567"], RANKS[RESTRICTED])
    assert (one.segment.kind, one.segment.text) == ("national_id", " x1234567 ")


def test_what_the_run_itself_wrote_there_is_no_leak() -> None:
    known = knows(f"card {CARD}", ASKED, sensitivity=INTERNAL, echoed=f" use card {CARD} now ")
    assert spans(known) == []


def test_an_encoding_hides_no_tagged_span() -> None:
    known = knows(f"Jane, SSN {SSN}", ASKED, sensitivity=INTERNAL)
    assert mailed(f"ref {f'SSN {SSN} of Jane'.encode().hex()}", known).result is LayerResult.REFUSE


def test_a_claim_with_a_restricted_span_asks_a_person() -> None:
    tool = changed(UPDATE, memory="retain", name="memory.retain")
    known = knows({"passport": "X1234567"}, ASKED, sensitivity=INTERNAL)
    word = memory(case(tool, {"text": "Jane has x1234567"}, knowledge=known))
    assert word.result is LayerResult.HOLD
    assert word.reason == "a claim holds restricted text"


@pytest.mark.parametrize(
    ("written", "said", "held"),
    [
        ("+47 22 12 34 56", "ring 22 12 34 56", True),
        ("+47 22 12 34 56", "ring 022123456", True),
        ("+47 22 12 34 56", "ring +47 22123456", True),
        ("+47 22 12 34 56", "ring 12 34 567", False),
        ("+1 415 555 0198", "ring 415-555-0198", True),
        ("+351 912 345 678", "ring 912 345 678", True),
    ],
)
def test_a_telephone_number_is_the_same_with_its_country_code_and_without(
    written: str, said: str, held: bool
) -> None:
    known = knows({"phone": written}, ASKED, sensitivity=INTERNAL)
    assert (mailed(said, known).result is LayerResult.HOLD) is held


@pytest.mark.parametrize(
    ("summary", "result"),
    [
        ("Look up Jane Cho's phone number and send it to jo@customer.example", LayerResult.PASS),
        ("Look up Jane Cho's birthday and send it to jo@customer.example", LayerResult.HOLD),
        ("Look up Sam Roe's phone number and send it to jo@customer.example", LayerResult.HOLD),
        ("Call Jane Cho's phone, then thank jo@customer.example", LayerResult.HOLD),
    ],
)
def test_a_tagged_span_is_asked_for_by_what_it_is_called_and_whose_it_is(
    summary: str, result: LayerResult
) -> None:
    content = [{"name": "Jane Cho", "phone": PHONE}]
    known = knows(content, wish(summary), sensitivity=INTERNAL)
    assert mailed(f"It is {PHONE}", known, summary=summary).result is result
