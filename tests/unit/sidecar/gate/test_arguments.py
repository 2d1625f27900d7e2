"""Layer 6: the schema, the size bound, and paths that stay inside, in any dress."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.actions import LayerResult
from sidecar.gate.arguments import MAX_ARGUMENT_BYTES, arguments, path_problem
from sidecar.gate.outcome import Word
from tests.cases import SEND, changed, good_case

OPEN = changed(SEND, arguments={"type": "object"})


def checked(given: Any, tool: Any = SEND) -> Word:
    return arguments(good_case(tool=tool, arguments=given))


@pytest.mark.parametrize("lacking", ["tool", "arguments"])
def test_without_tool_or_arguments_nothing_is_checked_and_it_is_refused(lacking: str) -> None:
    word = arguments(good_case(**{lacking: None}))
    assert word.result is LayerResult.REFUSE
    assert "nothing to check" in word.reason


def test_the_largest_arguments_pass_and_one_byte_more_is_refused() -> None:
    frame = len('{"text":""}')
    full = {"text": "x" * (MAX_ARGUMENT_BYTES - frame)}
    assert checked(full, OPEN).result is LayerResult.PASS
    word = checked({"text": full["text"] + "x"}, OPEN)
    assert word.result is LayerResult.REFUSE
    assert word.reason == "the arguments are over 131072 bytes"


def test_a_breach_names_the_place_the_rule_and_the_fix() -> None:
    word = checked({"to": ["a@b.example", 5]})
    assert word.result is LayerResult.REFUSE
    assert word.reason == "argument to/1 breaks the tool's schema"
    assert word.evidence == "rule properties/to/items/type"
    assert "within the tool's schema" in word.fix


def test_a_breach_of_the_whole_object_says_so() -> None:
    assert "(the whole object)" in checked({"text": "x"}).reason


def test_a_schema_that_is_none_refuses_instead_of_passing() -> None:
    word = checked({}, changed(SEND, arguments={"type": "nonsense"}))
    assert word.result is LayerResult.REFUSE
    assert "cannot be checked" in word.reason
    assert len(word.reason) <= 300


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("/etc/passwd", "absolute"),
        ("~/x", "absolute"),
        ("c:x", "absolute"),
        ("a\\b", "backslash"),
        ("a\x1fb", "control"),
        ("a\0b", "control"),
        ("..", "leaves its folder"),
        ("a/../b", "leaves its folder"),
    ],
)
def test_a_path_that_leads_out_is_named_for_what_it_does(path: str, problem: str) -> None:
    assert problem in path_problem(path)


@pytest.mark.parametrize(
    "path", ["a", "a/b.txt", "a b", "a..b", "...", "ab:c", ":", "a~", "x/y/c:d"]
)
def test_a_plain_relative_path_is_none(path: str) -> None:
    assert path_problem(path) == ""


@given(st.lists(st.sampled_from(["a", "b c", "d.txt", "..x", "x.."]), min_size=1))
def test_no_number_of_plain_steps_leaves_the_folder_and_one_climb_does(steps: list[str]) -> None:
    assert path_problem("/".join(steps)) == ""
    assert path_problem("/".join([*steps, "..", "x"])) == "leaves its folder"


@pytest.mark.parametrize("path", ["../x", "%2e%2e%2fx", ["ok", "../x"]])
def test_every_path_argument_is_checked_also_decoded_and_in_lists(path: Any) -> None:
    word = checked({"to": [], "path": path}, OPEN)
    assert word.result is LayerResult.REFUSE
    assert word.reason == "argument path leaves its folder"
    assert "relative path" in word.fix


@pytest.mark.parametrize("path", [None, 5, "a/b", ["a", "b"], []])
def test_what_is_no_text_is_no_path(path: Any) -> None:
    assert checked({"path": path}, OPEN).result is LayerResult.PASS


def test_an_absent_path_and_a_path_in_another_argument_are_free() -> None:
    word = checked({"to": ["a@b.example"], "text": "../x"})
    assert (word.result, word.evidence) == (LayerResult.PASS, "schema, bounds and paths hold")
