"""Paragraphs: their bounds, what surrounds a match, and the stretches worth a search."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.gate.paragraphs import PARAGRAPH, Paragraphs, windows

THREE = "one one\n\ntwo. two\ntwo\n \t\nthree  "


def test_paragraphs_begin_and_end_at_blank_lines() -> None:
    assert Paragraphs(THREE).bounds() == ([0, 9, 25], [7, 21, 30])
    assert Paragraphs("").bounds() == ([0], [0])


@pytest.mark.parametrize(
    ("start", "end", "around"),
    [
        (0, 3, (0, 7)),
        (4, 7, (0, 7)),
        (9, 12, (9, 21)),
        (14, 17, (9, 21)),
        (25, 30, (25, 30)),
        (4, 12, (0, 21)),
        (7, 9, (0, 21)),
        (31, 32, (25, 32)),
    ],
)
def test_a_match_is_surrounded_by_its_paragraphs(
    start: int, end: int, around: tuple[int, int]
) -> None:
    assert Paragraphs(THREE).around(start, end) == around


@pytest.mark.parametrize(
    ("start", "end", "around"),
    [(9, 12, (9, 21)), (14, 15, (14, 21)), (15, 17, (14, 21)), (18, 20, (18, 21))],
)
def test_onwards_a_match_is_surrounded_from_its_own_sentence_on(
    start: int, end: int, around: tuple[int, int]
) -> None:
    assert Paragraphs(THREE).around(start, end, onwards=True) == around


def test_of_a_long_paragraph_the_sentence_and_800_characters_on_count() -> None:
    text = "a" * 500 + ". " + "b" * 1000
    assert Paragraphs(text).around(510, 520) == (502, 1320)
    assert Paragraphs(text).around(1400, 1410) == (1000, 1502)
    assert Paragraphs("c" * PARAGRAPH).around(400, 410) == (0, PARAGRAPH)
    assert Paragraphs("c" * (PARAGRAPH + 1)).around(500, 510) == (100, PARAGRAPH + 1)
    assert Paragraphs("c" * (PARAGRAPH + 1)).around(400, 410) == (0, PARAGRAPH + 1)


def test_a_short_text_is_one_chunk() -> None:
    assert list(Paragraphs("a\n\n" * 200).chunks()) == [(0, 600)]
    assert list(Paragraphs("x" * 800).chunks()) == [(0, 800)]
    assert list(Paragraphs("x" * 801).chunks()) == [(0, 801)]


def test_paragraphs_are_grouped_up_to_800_characters() -> None:
    text = "\n\n".join(["a" * 399, "b" * 399, "c" * 10, "d" * 900, "e"])
    assert list(Paragraphs(text).chunks()) == [(0, 802), (802, 814), (814, 1716), (1716, 1717)]


@given(st.lists(st.integers(0, 1200), max_size=8))
def test_the_chunks_are_the_whole_text(sizes: list[int]) -> None:
    text = "\n\n".join("x" * size for size in sizes)
    chunks = list(Paragraphs(text).chunks())
    assert (chunks[0][0], chunks[-1][1]) == (0, len(text))
    assert all(end == start for (_, end), (start, _) in pairwise(chunks))


def cut(text: str, *keys: str, start: int = 0, end: int | None = None) -> list[tuple[int, int]]:
    stop = len(text) if end is None else end
    return list(windows(text, start, stop, [key.encode() for key in keys], {}))


def test_what_is_short_is_one_window_whatever_is_in_it() -> None:
    assert cut("x" * 500, "key") == [(0, 500)]
    assert cut("x" * 501, "key") == []
    assert cut("x" * 2000, "key", start=1000, end=1500) == [(1000, 1500)]
    assert cut("x" * 2000, "key", start=1000, end=1501) == []


def test_a_window_reaches_from_200_characters_before_a_key_to_300_behind() -> None:
    text = "x" * 400 + " key " + "x" * 600
    assert cut(text, "key") == [(201, 701)]
    assert cut(text, "key", start=300) == [(300, 701)]
    assert cut(text, "key", start=100, end=650) == [(201, 650)]


def test_windows_that_meet_are_one() -> None:
    assert cut(" key ".join(["x" * 600, "x" * 495, "x" * 600]), "key") == [(401, 1401)]
    assert cut(" key ".join(["x" * 600, "x" * 496, "x" * 600]), "key") == [(401, 901), (902, 1402)]


def test_only_a_whole_word_is_a_key() -> None:
    assert cut("x" * 400 + " keys monkey key2 " + "x" * 600, "key") == []
    assert cut("x" * 400 + "-key-" + "x" * 600, "key") == [(201, 701)]


def test_places_are_looked_up_once() -> None:
    text, places = "x" * 400 + " key " + "x" * 600, dict[bytes, list[int]]()
    list(windows(text, 0, len(text), [b"key", b"other"], places))
    assert places == {b"key": [401], b"other": []}
    places[b"key"] = [700]
    assert list(windows(text, 0, len(text), [b"key"], places)) == [(500, 1000)]
