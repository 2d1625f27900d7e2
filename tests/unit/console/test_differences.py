"""What an action would change stands beside what the run had read of it, or beside nothing."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.view.differences import MOST_LINES, Held, Line, difference
from schemas.tools import Effect, Tool
from tests.cases import changed

UPDATE = Tool(
    name="crm.update_deal",
    summary="change a deal",
    arguments={},
    effect=Effect.MUTATION,
    objects=("id",),
    contents=("fields",),
)
WRITE = Tool(
    name="files.write",
    summary="write a file",
    arguments={},
    effect=Effect.MUTATION,
    paths=("path",),
    objects=("path",),
    contents=("content",),
)
DEALS = {
    "deals": [
        {"id": "deal-1", "stage": "won", "note": ""},
        {"id": "deal-2", "stage": "open", "next_step": "call"},
    ]
}
LISTED = Held("crm.list_deals", {"account": "a-1"}, DEALS, 10)
MOVE = {"id": "deal-2", "fields": {"stage": "won", "note": "signed", "next_step": "call"}}


def shown(tool: Tool, arguments: Any, *reads: Held) -> dict[str, tuple[str | None, str]]:
    found = difference(tool, arguments, reads)
    assert found is not None
    return {change.field: (change.before, change.after) for change in found.changes}


def test_each_field_stands_beside_what_the_record_held() -> None:
    assert shown(UPDATE, MOVE, LISTED) == {
        "stage": ("open", "won"),
        "note": (None, "signed"),
        "next_step": ("call", "call"),
    }
    found = difference(UPDATE, MOVE, [LISTED])
    assert found is not None
    assert (found.tool, found.at) == ("crm.list_deals", 10)
    assert [change.same for change in found.changes] == [False, False, True]


def test_the_latest_read_counts_and_none_after_it_is_asked_for() -> None:
    later = Held("crm.get_deal", {"id": "deal-2"}, {"id": "deal-2", "stage": "lost"}, 20)
    reads = iter((later, LISTED))
    found = difference(UPDATE, MOVE, reads)
    assert found is not None
    assert (found.changes[0].before, found.at) == ("lost", 20)
    assert next(reads) is LISTED


def test_a_file_that_was_read_stands_beside_its_new_text_line_by_line() -> None:
    read = Held("files.read", {"path": "a.txt"}, {"text": "one\ntwo\nthree", "bytes": 13}, 5)
    found = difference(WRITE, {"path": "a.txt", "content": "one\n2\nthree"}, [read])
    assert found is not None
    assert found.changes[0].lines == (
        Line("same", "one"),
        Line("gone", "two"),
        Line("new", "2"),
        Line("same", "three"),
    )


@pytest.mark.parametrize(
    ("tool", "arguments", "reads"),
    [
        (None, MOVE, [LISTED]),
        (UPDATE, MOVE, []),
        (UPDATE, None, [LISTED]),
        (UPDATE, {"fields": {}}, [LISTED]),
        (UPDATE, {**MOVE, "id": "deal-9"}, [LISTED]),
        (UPDATE, {**MOVE, "id": ["deal-2"]}, [LISTED]),
        (UPDATE, {"id": "deal-2"}, [LISTED]),
        (changed(UPDATE, effect=Effect.READ), MOVE, [LISTED]),
        (changed(UPDATE, objects=()), MOVE, [LISTED]),
        (UPDATE, MOVE, [changed(LISTED, result=None)]),
        # The other's name in some other field does not make it the object.
        (UPDATE, MOVE, [changed(LISTED, result={"about": "deal-2", "stage": "x"})]),
    ],
)
def test_where_nothing_of_the_object_was_read_there_is_no_difference(
    tool: Tool | None, arguments: Any, reads: list[Held]
) -> None:
    assert difference(tool, arguments, reads) is None


@given(st.text(alphabet="ab\n", max_size=60), st.text(alphabet="ab\n", max_size=60))
def test_the_lines_lead_from_the_text_before_to_the_one_after(before: str, after: str) -> None:
    read = Held("files.read", {"path": "a.txt"}, {"text": before}, 5)
    found = difference(WRITE, {"path": "a.txt", "content": after}, [read])
    assert found is not None
    (change,) = found.changes
    assert (change.before, change.after) == (before, after)
    if change.lines and not any(line.kind == "between" for line in change.lines):
        gone = [line.text for line in change.lines if line.kind != "new"]
        new = [line.text for line in change.lines if line.kind != "gone"]
        assert "\n".join(gone) in "\n".join(before.splitlines())
        assert "\n".join(new) in "\n".join(after.splitlines())


def test_a_text_of_very_many_lines_is_not_compared() -> None:
    long = "x\n" * (MOST_LINES + 1)
    read = Held("files.read", {"path": "a.txt"}, {"text": "y"}, 5)
    found = difference(WRITE, {"path": "a.txt", "content": long}, [read])
    assert found is not None and found.changes[0].lines == ()


def test_a_text_that_says_the_same_shows_no_lines() -> None:
    read = Held("files.read", {"path": "a.txt"}, {"text": "a\nb"}, 5)
    found = difference(WRITE, {"path": "a.txt", "content": "a\nb"}, [read])
    assert found is not None
    assert found.changes[0].same and found.changes[0].lines == ()
