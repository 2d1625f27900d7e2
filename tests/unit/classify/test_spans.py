"""Spans: overlaps are resolved without uncovering anything; classification follows the worst."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classify.spans import Family, Kind, Span, classification_of, family, without_overlaps
from schemas.names import Classification

TEXT = "abcdefghij klmnopqrst uvwxyz 0123456789"


@st.composite
def a_span(draw: st.DrawFn) -> Span:
    """A span of TEXT."""
    start = draw(st.integers(0, len(TEXT) - 1))
    end = draw(st.integers(start + 1, len(TEXT)))
    return Span(start, end, draw(st.sampled_from(Kind)), TEXT[start:end])


@given(st.lists(a_span(), max_size=8))
def test_what_is_left_is_sorted_disjoint_and_true_to_the_text(spans: list[Span]) -> None:
    kept = without_overlaps(spans)
    assert all(a.end <= b.start for a, b in pairwise(kept))
    assert all(TEXT[span.start : span.end] == span.text for span in kept)


@given(st.lists(a_span(), max_size=8))
def test_an_overlap_uncovers_nothing_that_was_found(spans: list[Span]) -> None:
    kept = without_overlaps(spans)
    covered = {i for span in kept for i in range(span.start, span.end)}
    found = {i for s in spans for i in range(s.start, s.end) if TEXT[i].isalnum()}
    assert found <= covered


def test_the_more_severe_kind_stays_and_of_names_the_longer() -> None:
    text = "secret99 Ann Lee"
    spans = [
        Span(0, 8, Kind.PHONE, "secret99"),
        Span(0, 8, Kind.CREDENTIAL, "secret99"),
        Span(9, 12, Kind.PERSON, "Ann"),
        Span(9, 16, Kind.ORGANISATION, "Ann Lee"),
    ]
    assert [(s.kind, s.text) for s in without_overlaps(spans)] == [
        (Kind.CREDENTIAL, text[:8]),
        (Kind.ORGANISATION, text[9:]),
    ]


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_is_at_least_confidential(kind: Kind) -> None:
    restricted = kind in (Kind.CREDENTIAL, Kind.CARD, Kind.NATIONAL_ID)
    expected = Classification.RESTRICTED if restricted else Classification.CONFIDENTIAL
    assert classification_of([Span(0, 1, kind, "x")]) is expected
    assert family(kind) in Family


def test_a_text_without_spans_is_internal_and_with_several_takes_the_worst() -> None:
    assert classification_of([]) is Classification.INTERNAL
    both = [Span(0, 1, Kind.PERSON, "x"), Span(2, 3, Kind.CARD, "y")]
    assert classification_of(both) is Classification.RESTRICTED
