"""Times, amounts and durations are written as people read them."""

import pytest

from console.web.shown import clock, iso, moment, money, span

SECOND = 1_000_000_000


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "0 ms"),
        (12_400_000, "12 ms"),
        (1_500_000_000, "1.5 s"),
        (61 * SECOND, "1 min 1 s"),
        (3_700 * SECOND, "1 h 1 min"),
        (200_000 * SECOND, "2 days"),
    ],
)
def test_a_duration_has_two_units_at_most(ns: int, text: str) -> None:
    assert span(ns) == text


def test_a_time_is_in_utc() -> None:
    at = 1_790_000_000 * SECOND
    assert moment(at) == "2026-09-21 14:13:20"
    assert clock(at) == "14:13:20"
    assert iso(at) == "2026-09-21T14:13:20Z"


def test_an_amount_is_in_the_currency_not_its_millionths() -> None:
    assert money(1_234_500_000) == "1,234.50"
