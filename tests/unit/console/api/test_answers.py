"""Writes by their keys: done once, answered alike, and honest where nobody knows."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from console.api.answers import KEPT_S, Answers, Kept, fingerprint, key_from
from console.api.errors import KeyMissing, KeyReused, StillUnderWay, Uncertain

ASKED = fingerprint("POST", "/halts", b"{}")
DONE = Kept(201, b'{"index":7}')


@pytest.fixture
def answers(tmp_path: Path) -> Iterator[Answers]:
    opened = Answers(tmp_path / "own" / "api.sqlite")
    yield opened
    opened.close()


def test_a_write_that_was_done_is_answered_as_before_even_after_a_restart(
    answers: Answers, tmp_path: Path
) -> None:
    assert answers.begin("t-1", "key-0001", ASKED, 100) is None
    answers.keep("t-1", "key-0001", DONE)
    assert answers.begin("t-1", "key-0001", ASKED, 101) == DONE
    after = Answers(tmp_path / "own" / "api.sqlite")
    assert after.begin("t-1", "key-0001", ASKED, 102) == DONE
    after.close()


def test_a_key_is_its_tokens_own(answers: Answers) -> None:
    answers.begin("t-1", "key-0001", ASKED, 100)
    answers.keep("t-1", "key-0001", DONE)
    assert answers.begin("t-2", "key-0001", ASKED, 100) is None


@pytest.mark.parametrize(
    "asked",
    [
        fingerprint("POST", "/halts", b"{ }"),
        fingerprint("POST", "/runs", b"{}"),
        fingerprint("PUT", "/halts", b"{}"),
    ],
)
def test_a_key_of_another_write_is_refused(answers: Answers, asked: bytes) -> None:
    answers.begin("t-1", "key-0001", ASKED, 100)
    answers.keep("t-1", "key-0001", DONE)
    with pytest.raises(KeyReused, match="Idempotency-Key"):
        answers.begin("t-1", "key-0001", asked, 101)


def test_while_it_is_done_it_is_not_done_again(answers: Answers) -> None:
    answers.begin("t-1", "key-0001", ASKED, 100)
    with pytest.raises(StillUnderWay):
        answers.begin("t-1", "key-0001", ASKED, 100)


def test_what_began_before_a_crash_is_said_to_be_uncertain_and_not_done_again(
    answers: Answers, tmp_path: Path
) -> None:
    answers.begin("t-1", "key-0001", ASKED, 100)
    after = Answers(tmp_path / "own" / "api.sqlite")
    with pytest.raises(Uncertain, match="may stand"):
        after.begin("t-1", "key-0001", ASKED, 101)
    after.close()


def test_an_answer_that_was_lost_leaves_the_key_uncertain(answers: Answers) -> None:
    answers.begin("t-1", "key-0001", ASKED, 100)
    answers.lose("t-1", "key-0001")
    with pytest.raises(Uncertain):
        answers.begin("t-1", "key-0001", ASKED, 101)


def test_a_key_by_which_nothing_was_done_is_free_and_one_of_yesterday_too(
    answers: Answers,
) -> None:
    answers.begin("t-1", "key-0001", ASKED, 100)
    answers.free("t-1", "key-0001")
    assert answers.begin("t-1", "key-0001", ASKED, 101) is None
    answers.keep("t-1", "key-0001", DONE)
    assert answers.begin("t-1", "key-0001", ASKED, 101 + KEPT_S) is None


def test_the_store_is_its_owners_alone(answers: Answers, tmp_path: Path) -> None:
    assert (tmp_path / "own" / "api.sqlite").stat().st_mode & 0o077 == 0


def test_a_key_may_be_quoted_as_the_draft_has_it_or_bare() -> None:
    assert key_from('"8e03978e-40d5"') == key_from("8e03978e-40d5") == "8e03978e-40d5"


@pytest.mark.parametrize(
    "header", [None, "", "short", "x" * 129, 'half-quoted"', "with blank", "e\n"]
)
def test_a_key_out_of_form_is_none(header: str | None) -> None:
    with pytest.raises(KeyMissing, match="Idempotency-Key"):
        key_from(header)
