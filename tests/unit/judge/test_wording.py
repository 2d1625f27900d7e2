"""A model's words in the clear: nothing of what is sealed, and still a sentence."""

import re

from hypothesis import given
from hypothesis import strategies as st

from judge.wording import LONGEST, in_the_clear

SEALED = {"to": ["jane.miller@boeing.example"], "text": "Our price is 48000 for Falcon, Jane."}
WORD = re.compile(r"\w+")


def test_words_that_only_the_sealed_content_has_are_left_out() -> None:
    said = "It sends the price 48000 to Jane Miller at Boeing."
    shown = in_the_clear(said, clear="sends a mail; the intent is to", sealed=SEALED)
    assert shown == "It sends the […] to […] at […]."


def test_words_that_stand_in_the_clear_anyway_stay() -> None:
    shown = in_the_clear("Boeing gets a price.", clear="tell Boeing our price", sealed=SEALED)
    assert shown == "Boeing gets a price."


def test_a_word_is_known_again_in_capitals_and_behind_invisible_characters() -> None:
    assert (
        in_the_clear("FAL\u200bCON \uff14\uff18\uff10\uff10\uff10", clear="", sealed=SEALED)
        == "[…]"
    )


def test_keys_and_numbers_of_the_sealed_content_count_too() -> None:
    assert in_the_clear("secret 7", clear="", sealed={"secret": [{"x": 7}]}) == "[…]"


@given(st.text(max_size=80), st.text(max_size=40), st.lists(st.text(max_size=20), max_size=4))
def test_no_longer_word_of_the_sealed_content_passes(
    said: str, clear: str, sealed: list[str]
) -> None:
    shown = in_the_clear(f"{said} {' '.join(sealed)}", clear=clear, sealed=sealed)
    allowed = {w.casefold() for w in WORD.findall(in_the_clear(clear, clear="", sealed=None))}
    for text in sealed:
        for word in WORD.findall(in_the_clear(text, clear="", sealed=None)):
            if len(word) > 2 and word.casefold() not in allowed:
                assert word.casefold() not in {w.casefold() for w in WORD.findall(shown)}


@given(st.text())
def test_what_is_shown_is_one_line_of_bounded_length(said: str) -> None:
    shown = in_the_clear(said, clear="", sealed=None)
    assert len(shown) <= LONGEST
    assert len(shown.splitlines()) <= 1
