"""The detector's laws: true offsets whatever the text, one answer, bounded work, and a floor."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.detection import read_dictionary, read_split, score
from classify.detect import Detector
from classify.view import folded, normalised

DETECTOR = Detector(read_dictionary())
PIECES = st.sampled_from(
    [
        "jane@acme.example", "4111 1111 1111 1111", "DE89370400440532013000", "Hi Sarah,", "€1.2m",
        "forty thousand dollars", "+1 415 555 0198", "password: ", "\u200b", "\uff11", "ß", "é",
        "İ",
        "e\u0301", "\U0001d7ce", " ", "\n", "@", "://a:b@c", "12 Elm Street", "AKIA", ".", "1", "ﬁ",
    ]
)  # fmt: skip
TEXTS = st.lists(st.one_of(PIECES, st.text(max_size=6)), max_size=20).map("".join)


@given(TEXTS)
def test_spans_are_sorted_disjoint_and_quote_the_text(text: str) -> None:
    spans = DETECTOR.detect(text)
    assert all(text[span.start : span.end] == span.text != "" for span in spans)
    assert all(a.end <= b.start for a, b in pairwise(spans))
    assert DETECTOR.detect(text) == spans


@given(TEXTS)
def test_a_view_leads_back_to_what_was_written(text: str) -> None:
    for view in (normalised(text), folded(text)):
        for place, char in enumerate(view.text):
            start, end = view.back(place, place + 1)
            assert 0 <= start < end <= len(text)
            if char.isascii() and text[start].isascii():
                assert char.lower() == text[start].lower()


@pytest.mark.parametrize(
    "seed",
    [
        "1", "1 ", "12-", "A", "Aa ", "a@", "a@a.", "a dot ", "key: ", "eyJaaaaaaaaa.aaaa",
        "://a:",
        "-----BEGIN PRIVATE KEY-----\n", "1.", "one ", "zwei", "1 rue de ", "DE89 ", "\u200b",
        "1k ", "Hi A", "A & ", "'", "(1", "pass is ", "1 two 3 four ", "a [at] ", "from Aa Bb ",
        "Aa 1 ", "1 Aa ", "а",
    ],
)  # fmt: skip
def test_no_repetition_makes_the_work_explode(seed: str) -> None:
    # A pattern that backtracks over what it has read would not come back from this.
    text = (seed * (100_000 // len(seed) + 1))[:100_000]
    assert all(text[span.start : span.end] == span.text for span in DETECTOR.detect(text))


@pytest.mark.parametrize("split", ["development", "held_out"])
def test_the_marked_set_is_found_as_well_as_promised(split: str) -> None:
    figures = score(DETECTOR, read_split(split))
    assert figures["structured_recall"] >= 0.95 and figures["structured_precision"] >= 0.9
    assert figures["names_recall"] >= 0.85 and figures["names_precision"] >= 0.9
