"""What was said leaves redacted; in doubt a span is masked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classify.detect import Detector
from classify.dictionary import Dictionary
from crypto.tokens import Tokeniser
from desktop_agent.redaction import Redactor, Session
from schemas.names import Classification

LISTED = Redactor(
    Detector(Dictionary(persons=("Dana Whitfield",), organisations=("Example Industries",))),
    Tokeniser(b"k" * 32),
)
ALONE = Redactor(Detector(), Tokeniser(b"k" * 32))


def said(text: str, redactor: Redactor = ALONE) -> str:
    return redactor.redact(Session(), text)[1].text


@pytest.mark.parametrize(
    ("text", "secrets"),
    [
        ("call me at 415. 595. Zero one nine eight", ("415", "595", "nine eight")),
        ("it is four one five five five five oh one nine eight", ("four one", "nine eight")),
        ("my number is 415-555-019-I-8.", ("415", "019", "I-8")),
        ("my extension is 4, 1, 5, 5", ("4, 1", "5, 5")),
        ("we would pay forty five thousand dollars", ("forty five",)),
        ("they offered $45,000 for it", ("45,000",)),
        ("write to dana at example dot com or dana@example.com", ("dana@example.com",)),
        ("then we met Priya and her team", ("Priya",)),
        ("the contract with Globex-Initech's people", ("Globex", "Initech")),
        ("Marta Okafor will call back", ("Marta", "Okafor")),
        ("the key is sk_live_4eC39HqLyjWDarjtT1zdp7dc", ("sk_live", "HqLyj")),
        ("her card is 4242 4242 4242 4242", ("4242",)),
    ],
)
def test_what_may_be_sensitive_does_not_leave(text: str, secrets: tuple[str, ...]) -> None:
    left = said(text)
    assert not [secret for secret in secrets if secret.lower() in left.lower()], left


@pytest.mark.parametrize(
    "text",
    [
        "Good morning, how are you doing?",
        "Let us meet on Monday or in March, I think.",
        "We signed it in 2024. I think so.",
        "We signed the first one in 2024. The second one is two months late.",
        "They have three people on it and need one more.",
        "I'm sure the CRM is fine. OK?",
    ],
)
def test_ordinary_speech_is_left_alone(text: str) -> None:
    assert said(text) == text


def test_a_listed_name_is_masked_however_it_is_written() -> None:
    left = said("dana whitfield said that example industries agreed", LISTED)
    assert "whitfield" not in left.lower()
    assert "industries" not in left.lower()


def test_a_name_that_was_found_once_is_known_for_the_rest_of_the_session() -> None:
    session, _ = ALONE.redact(Session(), "this is my colleague Marta Okafor")
    _, later = ALONE.redact(session, "Okafor agrees. Then marta okafor left")
    assert "okafor" not in later.text.lower()


def test_the_same_value_has_the_same_token_and_another_key_another() -> None:
    once, again = said("we met Priya"), said("so we met Priya")
    token = once.removeprefix("we met ")
    assert token in again
    assert token not in said("we met Priya", Redactor(Detector(), Tokeniser(b"o" * 32)))


def test_what_was_masked_is_counted_and_classified_but_not_kept() -> None:
    _, redacted = ALONE.redact(Session(), "we met Priya, whose card is 4242 4242 4242 4242")
    assert redacted.masked == {"card": 1, "person": 1}
    assert redacted.classification is Classification.RESTRICTED
    assert ALONE.redact(Session(), "it rains")[1].classification is Classification.INTERNAL


@given(st.text(max_size=120))
def test_no_text_makes_it_fail_and_no_run_of_digits_gets_through(text: str) -> None:
    left = said(text + " and 5551234")
    assert "5551234" not in left
