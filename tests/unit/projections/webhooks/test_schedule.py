"""When to try again: within its ceiling, never sooner than the receiver asked."""

from hypothesis import given
from hypothesis import strategies as st

from projections.webhooks.schedule import ASKED_CAP_S, CAP_S, asked_of, pause_s

chances = st.floats(0, 1, exclude_max=True)


@given(st.integers(1, 10_000), chances)
def test_a_pause_lies_between_nothing_and_the_doubled_ceiling(failures: int, chance: float) -> None:
    assert 0 <= pause_s(failures, chance) <= min(CAP_S, 2.0 ** min(failures - 1, 100))


def test_the_ceiling_doubles_up_to_its_cap() -> None:
    nearly = 1 - 1e-12
    assert [round(pause_s(n, nearly)) for n in range(1, 12)] == [
        *(1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300)
    ]


@given(st.integers(1, 100), chances, st.integers(0, 10**9))
def test_what_a_receiver_asks_for_is_kept_to_an_hour(failures: int, chance: float, s: int) -> None:
    assert pause_s(failures, chance, s) >= min(s, ASKED_CAP_S)
    assert pause_s(failures, chance, s) <= max(ASKED_CAP_S, CAP_S)


def test_a_date_or_nonsense_in_retry_after_asks_for_nothing() -> None:
    for header in ("", "Wed, 21 Oct 2026 07:28:00 GMT", "-1", "1e3", "٣", "9" * 40):
        assert asked_of(header) is None
    assert asked_of(" 120 ") == 120
