"""Glances: they may see what is not there, and never miss what the patterns would find."""

import re

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from sidecar.gate import flows, normal
from sidecar.gate.glance import glance, may_hold_run
from sidecar.gate.normal import words, words_of

# Bits of which the patterns' own matches are made, so that chance finds some, and nearly some.
_TEXTS = st.lists(
    st.sampled_from(
        ["a", "ab", "0x68", "\\x68", "68", "de", " ", "  ", ", ", ":", "-", ".", "_", "s ", "e.",
         "aGVsbG8gd29y", "bGQh", "+/", "\n", "010101", "104 ", "72 ", ".- ", "/", "\\u0068",
         "!$", "\u00e9", "\u0663", "\u00b7", "\uff41", "\u3000", "\ud800"]
    ),
    max_size=60,
).map("".join)  # fmt: skip


@given(_TEXTS)
def test_no_glance_misses_what_its_patterns_find(text: str) -> None:
    seen = glance(text)
    if any(normal._BASE64.search(one) for one in text.split()):
        assert seen.run and may_hold_run(text)
    if normal._HEX.search(text):
        assert seen.hex
    if any(len(one) >= flows._LONG for one in text.split()):
        assert seen.long
    if normal._APART.search(text):
        assert seen.apart
    if any(coded.search(text) for coded in flows._CODED):
        assert seen.coded and len(text) >= flows._SHORTEST_CODED
    if len(flows._SPLIT.findall(text)) >= flows._ENOUGH:
        assert seen.joined


def test_an_ordinary_sentence_is_told_off_at_a_glance() -> None:
    text = "Dear Jane, the 12 seats will arrive on May 5. Do they suit you? Best, Ann"
    assert not any(msgspec.structs.astuple(glance(text)))
    assert not may_hold_run(text)


@given(st.text() | st.text(st.characters(max_codepoint=0x7F)))
def test_words_are_runs_of_letters_and_digits_in_any_script(text: str) -> None:
    assert list(words_of(text.lower() if text.isascii() else text)) == re.findall(
        r"[^\W_]+", text.lower() if text.isascii() else text
    )
    assert words(text) == list(words_of(normal.fold(text)))
