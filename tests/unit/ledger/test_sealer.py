"""Sealing: seals pass exactly where the fold passes, in whichever order they come."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.signing import Signer
from ledger.checkpoint import open_checkpoint
from ledger.errors import BadCheckpoint, LedgerDiverged, LedgerTruncated
from ledger.sealer import MOST_AHEAD, SEAL_EVERY_ENTRIES, SEAL_EVERY_NS, Sealing

SIGNER = Signer.from_seed(b"s" * 32)
NOW = 10**18


def folded(size: int, *, salt: str = "") -> Sealing:
    """A fold of `size` entries that no seal is known of."""
    sealing = Sealing("acme", SIGNER.public)
    feed(sealing, size, salt=salt)
    return sealing


def feed(sealing: Sealing, size: int, *, salt: str = "") -> None:
    """Fold on up to `size`."""
    for index in range(sealing.size + 1, size + 1):
        sealing.fold(index, "ws.acme.admin.key", f"{index}{salt}".encode())


def note(size: int, *, salt: str = "") -> str:
    """A seal of the first `size` entries."""
    return folded(size, salt=salt).seal(SIGNER, NOW)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=6, unique=True), st.integers(0, 40))
def test_true_seals_hold_whether_they_come_before_or_after_their_entries(
    sizes: list[int], early: int
) -> None:
    sealing = folded(early)
    for size in sorted(sizes):
        sealing.check(note(size))
    feed(sealing, 40)
    sealing.caught_up()
    assert sealing.sealed == max(sizes)
    assert open_checkpoint(sealing.seal(SIGNER, NOW), "acme", [SIGNER.public]).size == 40


@given(st.integers(1, 30), st.data())
def test_a_rewritten_stream_is_noticed_at_the_sealed_size(size: int, draw: st.DataObject) -> None:
    changed = draw.draw(st.integers(1, size))
    sealing = Sealing("acme", SIGNER.public)
    sealing.check(note(size))
    with pytest.raises(LedgerDiverged):
        for index in range(1, size + 1):
            body = b"another" if index == changed else str(index).encode()
            sealing.fold(index, "ws.acme.admin.key", body)


@given(st.integers(1, 30), st.integers(0, 10))
def test_a_seal_of_another_history_is_refused_after_its_entries(size: int, more: int) -> None:
    sealing = folded(size + more)
    with pytest.raises(LedgerDiverged):
        sealing.check(note(size, salt="!"))


def test_a_stream_shorter_than_its_seal_says_how_much_is_missing() -> None:
    sealing = Sealing("acme", SIGNER.public)
    sealing.check(note(9))
    feed(sealing, 6)
    with pytest.raises(LedgerTruncated) as caught:
        sealing.caught_up()
    assert (caught.value.expected, caught.value.found) == (9, 6)


def test_nothing_is_sealed_below_what_was_sealed_before() -> None:
    sealing = Sealing("acme", SIGNER.public)
    sealing.check(note(9))
    feed(sealing, 6)
    assert not sealing.due(NOW + 10**12)
    with pytest.raises(LedgerTruncated):
        sealing.seal(SIGNER, NOW)


def test_two_seals_of_one_size_that_differ_are_noticed_before_their_entries() -> None:
    sealing = Sealing("acme", SIGNER.public)
    sealing.check(note(9))
    with pytest.raises(LedgerDiverged):
        sealing.check(note(9, salt="!"))


def test_a_seal_smaller_than_one_that_holds_is_refused() -> None:
    sealing = folded(9)
    sealing.check(note(8))
    with pytest.raises(LedgerDiverged, match="comes after"):
        sealing.check(note(4))


def test_the_same_seal_twice_is_no_harm() -> None:
    sealing = folded(9)
    assert sealing.check(note(8)) == sealing.check(note(8))


def test_a_seal_by_a_key_that_may_not_seal_is_refused() -> None:
    other = Signer.from_seed(b"o" * 32)
    forged = folded(3).seal(other, NOW)
    with pytest.raises(BadCheckpoint):
        folded(3).check(forged)


@pytest.mark.parametrize("index", [1, 3, 5])
def test_a_gap_or_a_repetition_in_the_stream_is_refused(index: int) -> None:
    sealing = folded(3)
    with pytest.raises(LedgerDiverged):
        sealing.fold(index, "ws.acme.admin.key", b"x")


def test_a_seal_is_due_a_second_after_the_last_one_if_there_is_something_new() -> None:
    sealing = folded(3)
    sealing.seal(SIGNER, NOW)
    assert not sealing.due(NOW + SEAL_EVERY_NS)
    feed(sealing, 4)
    assert not sealing.due(NOW + SEAL_EVERY_NS - 1)
    assert sealing.due(NOW + SEAL_EVERY_NS)


def test_a_seal_is_due_at_once_after_a_thousand_entries() -> None:
    sealing = folded(3)
    sealing.seal(SIGNER, NOW)
    feed(sealing, 3 + SEAL_EVERY_ENTRIES - 1)
    assert not sealing.due(NOW)
    feed(sealing, 3 + SEAL_EVERY_ENTRIES)
    assert sealing.due(NOW)


def test_a_clock_that_was_set_back_holds_no_seal_up() -> None:
    sealing = folded(3)
    sealing.seal(SIGNER, NOW)
    feed(sealing, 4)
    assert sealing.due(NOW - 3_600 * SEAL_EVERY_NS)


def test_an_empty_ledger_is_never_sealed() -> None:
    assert not Sealing("acme", SIGNER.public).due(NOW)


def seals_up_to(size: int) -> list[str]:
    """A seal after each entry."""
    sealing, notes = Sealing("acme", SIGNER.public), []
    for index in range(1, size + 1):
        feed(sealing, index)
        notes.append(sealing.seal(SIGNER, NOW))
    return notes


@pytest.mark.parametrize("changed", [0, 3, MOST_AHEAD])
def test_of_very_many_seals_enough_are_kept_to_notice_a_rewritten_entry(changed: int) -> None:
    size = 2 * MOST_AHEAD + 5
    sealing = Sealing("acme", SIGNER.public)
    for one in seals_up_to(size):
        sealing.check(one)
    assert len(sealing._ahead) <= MOST_AHEAD
    if not changed:
        feed(sealing, size)
        sealing.caught_up()
        assert sealing.sealed == size
        return
    feed(sealing, changed - 1)
    with pytest.raises(LedgerDiverged, match="not the sealed one"):
        for index in range(changed, size + 1):
            salt = "other" if index == changed else ""
            sealing.fold(index, "ws.acme.admin.key", f"{index}{salt}".encode())
