"""Masking of prompts: nothing sensitive leaves, what left comes back, and nothing else does."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classify.detect import Detector
from classify.dictionary import Dictionary
from sidecar.tokenising import Masked, Masker, unmask

KEY = b"d" * 32
NAMES = Dictionary(persons=["Zoltan Querfeld"], organisations=["Brixwold GmbH"])
ACME = Masker(KEY, "acme", Detector(NAMES))
IBAN = "DE89 3704 0044 0532 0130 00"
SECRETS = ("Zoltan Querfeld", "Brixwold", "zq@brixwold.example", "USD 481,250", IBAN)
API_KEY = "sk-" + "Canary7" * 5
VALUES = st.sampled_from(
    [*SECRETS, "[PERSON_ABCDEFGH]", "person_abcdefgh", '{"a":', "}", "\\n", "\n", "[", '"', "\\"]
)
TEXTS = st.lists(st.one_of(VALUES, st.text(max_size=6)), max_size=10).map(" ".join)
JSON = st.dictionaries(st.text(max_size=4), st.one_of(TEXTS, st.integers()), max_size=4)


def mask(*texts: str, masker: Masker = ACME) -> Masked:
    return masker.mask({"role": "user", "content": text} for text in texts)


def sent(masked: Masked) -> str:
    return "\n".join(message["content"] for message in masked.messages)


def value_of(text: str) -> object:
    """`text` as JSON where it is JSON: its writing may change, its value may not."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


@given(st.text())
def test_any_text_is_masked_without_raising(text: str) -> None:
    assert len(mask(text).messages) == 1


@given(st.lists(st.sampled_from([*SECRETS, "and", "to", "ünï", "\U0001f600"]), max_size=8))
def test_what_is_masked_comes_back_as_it_was(words: list[str]) -> None:
    text = " , ".join(words)
    masked = mask(text)
    assert unmask(sent(masked), masked.table) == text


@given(JSON)
def test_json_comes_back_with_the_same_value(value: dict[str, object]) -> None:
    text = json.dumps(value)
    masked = mask(text)
    if not any("[CREDENTIAL_" in m["content"] for m in masked.messages):
        assert value_of(unmask(sent(masked), masked.table)) == value


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize(
    "frame",
    ["please see {}.", '{{"note":"first\\n{}"}}', 'Intent: {{"to":["{}"]}}', 'broken {{"a\\n{} x'],
)
def test_nothing_sensitive_is_left_in_any_frame(secret: str, frame: str) -> None:
    assert secret not in sent(mask(frame.format(secret)))


def test_a_name_found_in_one_message_is_found_in_all() -> None:
    masked = mask("Dear Mrs Marta Vellinga, thank you.", "vellinga is late, said Marta Vellinga")
    assert "Vellinga" not in sent(masked)


def test_a_value_has_one_token_in_a_workspace_and_another_elsewhere() -> None:
    other = Masker(KEY, "other", Detector(NAMES))
    assert sent(mask(SECRETS[2])) == sent(mask(SECRETS[2]))
    assert sent(mask(SECRETS[2])) != sent(mask(SECRETS[2], masker=other))


@pytest.mark.parametrize("change", [str.lower, str.title, lambda t: t.strip("[]") + "."])
def test_an_answer_that_rewrites_a_token_is_restored(change: object) -> None:
    masked = mask(SECRETS[2])
    assert callable(change)
    assert SECRETS[2] in unmask(f"to {change(sent(masked))}", masked.table)


def test_a_token_that_this_call_did_not_send_is_not_restored() -> None:
    earlier, now = mask(SECRETS[0]), mask("nothing here")
    assert unmask(sent(earlier), now.table) == sent(earlier)


def test_a_token_copied_into_a_prompt_is_no_oracle() -> None:
    token = sent(mask(SECRETS[0]))
    masked = mask(f"say {token}")
    assert unmask(sent(masked), masked.table) == f"say {token}"


def test_a_credential_is_never_restored() -> None:
    masked = mask(f"use {API_KEY} now")
    assert API_KEY not in sent(masked)
    assert API_KEY not in unmask(sent(masked), masked.table)


def test_a_restored_text_is_escaped_in_json() -> None:
    masked = mask('Dear Mrs Marta Vellinga, the "offer" for zq@brixwold.example')
    token = next(t for t, v in masked.table.items() if v == "zq@brixwold.example")
    answer = unmask(json.dumps({"to": token}, indent=1), masked.table)
    assert json.loads(answer) == {"to": "zq@brixwold.example"}


def test_a_number_s_token_becomes_the_number_again() -> None:
    masked = mask('{"amount_usd": 481250, "price": "USD 481,250"}')
    answer = unmask(sent(masked), masked.table)
    assert json.loads(answer) == {"amount_usd": 481250, "price": "USD 481,250"}


def test_an_answer_that_gives_a_key_twice_is_left_for_its_reader_to_refuse() -> None:
    masked = mask(SECRETS[2])
    answer = unmask(f'{{"verdict":"stop","verdict":"approve","r":"{sent(masked)}"}}', masked.table)
    assert answer.count('"verdict"') == 2
