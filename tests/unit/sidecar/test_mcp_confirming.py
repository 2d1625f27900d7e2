"""Reading an effect back: what the declaration asks, and doubt where it cannot be answered."""

from typing import Any

import pytest

from schemas.mcp import McpReadBack
from sidecar.connectors.mcp.confirming import arguments_of, check, shown
from sidecar.errors import BadConnector

ASKED: dict[str, Any] = {
    "path": "a.txt",
    "content": "one\ntwo",
    "count": 3,
    "empty": "",
    "people": [{"name": "Jane"}, {"name": "Sam"}],
}


def test_places_are_filled_from_the_effect_s_own_arguments() -> None:
    read_back = McpReadBack(
        tool="look",
        arguments={
            "path": "{path}",
            "names": "{people[].name}",
            "deep": [{"n": "{count}"}],
        },
    )
    assert arguments_of(read_back, ASKED) == {
        "path": "a.txt",
        "names": ["Jane", "Sam"],
        "deep": [{"n": 3}],
    }


@pytest.mark.parametrize(
    ("conditions", "text", "expected"),
    [
        ({"equals": "{content}"}, "one\ntwo", True),
        ({"equals": "{content}"}, "one\ntwo\n", False),
        ({"contains": ["{people[].name}"]}, "Jane and Sam", True),
        ({"contains": ["{people[].name}"]}, "Jane", False),
        ({"contains": ["{count}", "done"]}, "3 done", True),
        ({"contains": ["{content}"]}, '{"text":"one\\ntwo"}', True),
        ({"absent": ["{content}"]}, '{"text":"one\\ntwo"}', False),
        ({"absent": ["{people[].name}"]}, "nobody", True),
        ({"absent": ["{people[].name}"]}, "Sam", False),
        ({"contains": ["{path}"], "absent": ["error"]}, "a.txt: error", False),
        ({"contains": ["{nothing}"]}, "anything", None),
        ({"contains": ["{empty}"]}, "anything", None),
        ({"absent": ["{nothing}"]}, "anything", None),
        ({"equals": "{people[].name}"}, "Jane", None),
        ({}, "anything", None),
    ],
)
def test_a_condition_holds_fails_or_cannot_be_told(
    conditions: dict[str, Any], text: str, expected: bool | None
) -> None:
    read_back = McpReadBack(
        tool="look",
        equals=conditions.get("equals", ""),
        contains=tuple(conditions.get("contains", ())),
        absent=tuple(conditions.get("absent", ())),
    )
    assert shown(read_back, ASKED, text) is expected


@pytest.mark.parametrize("expression", ["{people[}", "{a..b}", "{length(}"])
def test_an_expression_that_is_none_is_an_error_that_names_its_key(expression: str) -> None:
    with pytest.raises(BadConnector, match=r"mcp/x\.toml: tool\.keep\.confirm"):
        check(McpReadBack(tool="look", contains=(expression,)), "mcp/x.toml: tool.keep")
