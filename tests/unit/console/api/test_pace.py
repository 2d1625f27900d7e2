"""How often somebody may ask: as many at once as in a minute, and no more over any time."""

from hypothesis import given
from hypothesis import strategies as st

from console.api.pace import KEPT, Pace


def test_a_minutes_worth_goes_at_once_and_then_one_at_a_time() -> None:
    pace = Pace(60)
    assert [pace.wait("a", 100.0) for _ in range(60)] == [0.0] * 60
    assert 0.9 < pace.wait("a", 100.0) <= 1.0
    assert pace.wait("b", 100.0) == 0.0
    assert pace.wait("a", 101.0) == 0.0
    assert pace.wait("a", 101.0) > 0.0


@given(st.integers(1, 20), st.lists(st.floats(0, 30), max_size=80))
def test_never_more_than_the_bucket_and_what_came_back_into_it(
    per_min: int, pauses: list[float]
) -> None:
    pace, now, let_in = Pace(per_min), 1_000.0, 0
    for pause in pauses:
        now += pause
        let_in += pace.wait("a", now) == 0.0
    assert let_in <= per_min + (now - 1_000.0) * per_min / 60 + 1e-3


def test_a_wait_that_was_waited_is_enough() -> None:
    pace, now = Pace(7), 50.0
    for _ in range(30):
        wait = pace.wait("a", now)
        if wait:
            now += wait
            assert pace.wait("a", now) == 0.0


def test_those_who_came_once_are_forgotten() -> None:
    pace = Pace(60)
    for number in range(KEPT + 5):
        pace.wait(str(number), number * 100.0)
    assert len(pace._full) < 10
