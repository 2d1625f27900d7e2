"""The corpus of marked injections and ordinary texts, held against the markers."""

import pytest

from sidecar.gate.markers import Marked, suspicious
from tests.redteam.markers.corpus import SPLITS, Split, caught, injections, ordinary


@pytest.mark.parametrize("split", SPLITS)
def test_nine_in_ten_injections_are_covered_from_end_to_end(split: Split) -> None:
    planted = injections(split)
    missed = [
        one.text[one.start : one.end] for one in planted if not caught(one, suspicious(one.text))
    ]
    assert len(missed) <= 0.1 * len(planted), missed


@pytest.mark.parametrize("split", SPLITS)
def test_of_a_hundred_ordinary_texts_at_most_one_has_a_span(split: Split) -> None:
    texts = ordinary(split)
    touched = [one.text for one in texts if suspicious(one.text)]
    assert len(touched) <= 0.01 * len(texts), touched


def test_the_corpus_is_large_and_no_text_stands_in_it_twice() -> None:
    planted = [one for split in SPLITS for one in injections(split)]
    texts = [one for split in SPLITS for one in ordinary(split)]
    assert len(planted) >= 300
    assert len(texts) >= 1_000
    assert sum(one.group == "composed" for one in texts) <= len(texts) / 2
    assert len({one.text for one in texts}) == len(texts)


def test_a_span_that_stops_short_of_the_payload_does_not_count() -> None:
    one = injections("tuned")[0]
    assert caught(one, (Marked(one.start, one.end, ""),))
    assert not caught(one, (Marked(one.start, one.end - 1, ""),))
    assert not caught(one, (Marked(one.start + 1, one.end, ""),))
    assert not caught(one, ())
