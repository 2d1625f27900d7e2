"""Glances: they may see what is not there, and never miss what the patterns would find."""

import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.gate import flows, normal
from sidecar.gate.glance import foreign, glance, may_hold_run
from sidecar.gate.knowledge import Knowledge
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


@given(_TEXTS, _TEXTS, _TEXTS)
def test_a_glance_at_a_whole_misses_nothing_of_its_parts(
    before: str, text: str, after: str
) -> None:
    whole, part = glance(f"{before}{text}{after}"), glance(text)
    for of_whole, of_part in zip(
        msgspec.structs.astuple(whole), msgspec.structs.astuple(part), strict=True
    ):
        assert of_whole or not of_part
    within = glance("\n".join((before, text, after)))
    assert list(flows.dressed(Knowledge(), text, within)) == list(flows.dressed(Knowledge(), text))
    assert flows.opaque(text, within) == flows.opaque(text)
    assert within.encoded or not normal.decodings(text)


@pytest.mark.parametrize(
    ("enough", "too_little", "flag"),
    [
        ("A+/_-" + "z9" * 6, "A+/_-" + "z9" * 5, "run"),
        ("0aF: ,x\\9 " * 4, "0aF: ,x\\9 " * 3 + "0aF", "hex"),
        ("x" * 40, "x" * 39 + " x", "long"),
        ("a b c d", "ab c d", "apart"),
        ("so. _ 7-z", "so_ 7?z", "apart"),
        ("12 " * 12, "12 " * 11 + "1", "coded"),
        (".- " * 6, ".- " * 5 + ".", "coded"),
        ("\\u", "\\v", "coded"),
        ("a-b.c_d-e", "a-b.c_d e", "joined"),
        ("\u00b7", "\u2022", "joined"),
        ("\u00e9", "\u201c", "apart"),
        ("\u0663", "\u2014", "coded"),
        ("%", "$", "encoded"),
        ("&", "+", "encoded"),
        ("z9z9z9z9 \n z9z9z9z9", "z9z9z9z9 z9z9z9z9", "encoded"),
    ],
)
def test_a_glance_sees_what_is_just_enough_and_no_less(
    enough: str, too_little: str, flag: str
) -> None:
    assert getattr(glance(enough), flag)
    assert not getattr(glance(too_little), flag)


def test_quotation_marks_and_dashes_are_told_off_as_ascii_is() -> None:
    text = "Jane\u2019s \u201cseats\u201d \u2013 12 of them \u2013 are late\u2026"
    assert not any(msgspec.structs.astuple(glance(text)))
    assert glance("die Tür") != glance("die Tur")


def test_an_ordinary_sentence_is_told_off_at_a_glance() -> None:
    text = "Dear Jane, the 12 seats will arrive on May 5. Do they suit you? Best, Ann"
    assert not any(msgspec.structs.astuple(glance(text)))
    assert not may_hold_run(text)


@given(st.text())
def test_foreign_signs_are_those_beyond_ascii(text: str) -> None:
    assert foreign(text) == {sign for sign in text if not sign.isascii()}


@given(st.text() | st.text(st.characters(max_codepoint=0x7F)))
def test_words_are_runs_of_letters_and_digits_in_any_script(text: str) -> None:
    assert list(words_of(text.lower() if text.isascii() else text)) == re.findall(
        r"[^\W_]+", text.lower() if text.isascii() else text
    )
    assert words(text) == list(words_of(normal.fold(text)))
