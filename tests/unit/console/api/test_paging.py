"""Pages of a growing list: each item once, whatever is added or leaves in between."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.api.errors import BadRequest
from console.api.paging import cursor_of, key_of, page


def turned(keys: list[int], limit: int, more: list[int], gone: set[int], latest: bool) -> list[int]:
    """Every page in turn; after the first, `more` is appended and `gone` leaves."""
    held, shown, cursor = sorted(keys), [], None
    while True:
        ordered = reversed(held) if latest else iter(held)
        found = page(
            "list",
            [(key, key) for key in ordered],
            int,
            cursor=cursor,
            limit=limit,
            latest_first=latest,
        )
        shown += found.items
        if found.next is None:
            return shown
        if cursor is None:
            held = [key for key in held if key not in gone] + more
        cursor = found.next


@given(
    st.sets(st.integers(0, 50), min_size=1),
    st.integers(1, 7),
    st.sets(st.integers(51, 60)),
    st.sets(st.integers(0, 50)),
    st.booleans(),
)
def test_what_stays_is_shown_once_and_in_order(
    keys: set[int], limit: int, more: set[int], gone: set[int], latest: bool
) -> None:
    shown = turned(sorted(keys), limit, sorted(more), gone, latest)
    assert shown == sorted(set(shown), reverse=latest)
    assert set(shown) >= keys - gone
    if latest:
        assert not set(shown) & more


@pytest.mark.parametrize(
    "cursor",
    ["abc", "====", "ü", cursor_of("other", 3), cursor_of("list", 3) + "A", "bGlzdDowMw"],
)
def test_a_cursor_that_this_list_did_not_give_is_refused_by_name(cursor: str) -> None:
    with pytest.raises(BadRequest, match="cursor"):
        key_of("list", cursor)


def test_a_cursor_is_the_key_and_bound_to_its_list() -> None:
    assert key_of("run.r-1", cursor_of("run.r-1", 7)) == 7
