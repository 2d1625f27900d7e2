"""Tokens: what is replaced comes back, nothing else does, and no value is left in the text."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classify.detect import Detector
from classify.spans import Kind, Span
from crypto.tokens import Tokeniser, restore, restore_json, token_key

DATA_KEY = b"d" * 32
ACME = Tokeniser(token_key(DATA_KEY, "acme"))
DETECT = Detector().detect
NAME = "Jane Doe"
VALUES = st.sampled_from(
    [
        "jane@acme.example", "4111 1111 1111 1111", "Hi Sarah,", "USD 480,000",
        "password: hunter22",
        "[PERSON_ABCDEFGH]", "person_abcdefgh", "[PERSON_", "ABCDEFGH]", "[", "]", "\\", "_",
    ]
)  # fmt: skip
TEXTS = st.lists(st.one_of(VALUES, st.text(max_size=8)), max_size=12).map(" ".join)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=10,
)


def person(text: str, name: str = NAME) -> Span:
    """The span of `name` in `text`."""
    start = text.index(name)
    return Span(start, start + len(name), Kind.PERSON, name)


@given(TEXTS)
def test_what_is_replaced_comes_back_as_it_was(text: str) -> None:
    masked, table = ACME.replace(text, DETECT(text))
    assert restore(masked, table) == text


@given(TEXTS)
def test_no_detected_value_is_left_in_the_text(text: str) -> None:
    spans = DETECT(text)
    masked, _ = ACME.replace(text, spans)
    bare = re.sub(r"\[[A-Z_]+_[2-9A-Z]{8,}\]", "\0", masked)
    for span in spans:
        if sum(map(str.isalnum, span.text)) >= 4:
            assert not re.search(rf"(?<![^\W_]){re.escape(span.text)}(?![^\W_])", bare)


@given(JSON)
def test_a_json_value_comes_back_as_it_was(value: object) -> None:
    masked, table = ACME.replace_json(value, DETECT)
    assert restore_json(masked, table) == value


@given(st.text(), st.integers(0, 30), st.data())
def test_any_spans_at_all_come_back(text: str, count: int, draw: st.DataObject) -> None:
    spans = []
    for _ in range(min(count, len(text))):
        start = draw.draw(st.integers(0, len(text) - 1))
        end = draw.draw(st.integers(start + 1, len(text)))
        spans.append(Span(start, end, draw.draw(st.sampled_from(Kind)), text[start:end]))
    masked, table = ACME.replace(text, spans)
    assert restore(masked, table) == text


def test_a_value_has_one_token_in_its_workspace_and_another_elsewhere() -> None:
    one, _ = ACME.replace(NAME, [person(NAME)])
    again, _ = Tokeniser(token_key(DATA_KEY, "acme")).replace(f"so {NAME}", [person(f"so {NAME}")])
    other, _ = Tokeniser(token_key(DATA_KEY, "other")).replace(NAME, [person(NAME)])
    rekeyed, _ = Tokeniser(token_key(b"e" * 32, "acme")).replace(NAME, [person(NAME)])
    assert again == f"so {one}" and len({one, other, rekeyed}) == 3
    assert re.fullmatch(r"\[PERSON_[2-9A-HJKMNP-TV-Z]{8}\]", one)
    assert len({token_key(DATA_KEY, "acme"), token_key(DATA_KEY, "other"), DATA_KEY}) == 3


@pytest.mark.parametrize(
    "reworded",
    [
        str.lower,
        str.title,
        lambda token: token.strip("[]"),
        lambda token: token[1:],
        lambda token: token[:-1],
        lambda token: token.replace("_", r"\_"),
        lambda token: token.replace("_", "-"),
        lambda token: token.replace("_", " "),
    ],
)
def test_a_token_a_model_reworded_still_restores(reworded: object) -> None:
    masked, table = ACME.replace(NAME, [person(NAME)])
    said = f"I wrote to {reworded(masked)}, as asked."  # type: ignore[operator]
    assert restore(said, table) == f"I wrote to {NAME}, as asked."


def test_a_kind_of_several_words_restores_in_any_case() -> None:
    span = Span(0, 10, Kind.DATE_OF_BIRTH, "1991-03-03")
    masked, table = ACME.replace(span.text, [span])
    assert masked.startswith("[DATE_OF_BIRTH_")
    assert restore(masked.lower(), table) == restore(masked.replace("_", " "), table) == span.text


def test_a_token_that_the_table_does_not_hold_stays() -> None:
    _, table = ACME.replace(NAME, [person(NAME)])
    assert restore("see [PERSON_23456789]", table) == "see [PERSON_23456789]"


def test_a_forged_token_restores_to_its_own_letters() -> None:
    token, _ = ACME.replace(NAME, [person(NAME)])
    for forged in (token, token.lower(), token.strip("[]")):
        text = f"{NAME} said: forward this to {forged}"
        masked, table = ACME.replace(text, [person(text)])
        assert masked.count("[PERSON_") == 1 and masked.count("[LITERAL_") == 1
        assert restore(masked, table) == text


def test_a_code_already_taken_is_lengthened_and_both_restore() -> None:
    token, _ = ACME.replace(NAME, [person(NAME)])
    masked, table = ACME.replace(NAME, [person(NAME)], {token: "somebody else"})
    assert len(masked) == len(token) + 1 and restore(masked, table) == NAME
    assert restore(token, table) == "somebody else"


def test_one_table_serves_all_texts_of_a_call() -> None:
    first, table = ACME.replace(NAME, [person(NAME)])
    second, table = ACME.replace("Ann Lee", [person("Ann Lee", "Ann Lee")], table)
    assert restore(f"{first} and {second}", table) == "Jane Doe and Ann Lee"


def test_a_json_text_is_read_beside_its_key_and_a_number_stays_a_number() -> None:
    value = {"password": "tulip", "account number": 12345678, "count": 3, "ok": True}
    masked, table = ACME.replace_json(value, DETECT)
    assert masked["password"].startswith("[CREDENTIAL_")
    assert masked["account number"].startswith("[ACCOUNT_")
    assert (masked["count"], masked["ok"]) == (3, True)
    back = restore_json(masked, table)
    assert back == value and type(back["account number"]) is int


def test_a_tokeniser_does_not_show_its_key() -> None:
    assert repr(ACME) == "Tokeniser()"
