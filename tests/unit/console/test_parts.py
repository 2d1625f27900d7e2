"""A long list is shown a part at a time, and its pages lead to each other and nowhere else."""

import pytest
from selectolax.lexbor import LexborHTMLParser
from starlette.requests import Request

from console.web.errors import BadForm
from console.web.here import templates
from console.web.pages.parts import PAGE, Part, part_of


def asked(query: str) -> Request:
    return Request(
        {
            "type": "http",
            "method": "GET",
            "path": "/",
            "headers": [],
            "query_string": query.encode(),
        }
    )


def links(part: Part[int], query: str = "") -> dict[str, str]:
    module = templates("acme").get_template("_parts.html").module
    page = LexborHTMLParser(str(module.pages(part, "claim", query)))  # type: ignore[attr-defined]
    return {a.text(): a.attributes["href"] or "" for a in page.css("a")}


def test_each_part_follows_on_the_one_before_and_all_are_reached() -> None:
    found = list(range(PAGE * 2 + 1))
    seen: list[int] = []
    place = "?from=0"
    while place:
        part = part_of(asked(place.removeprefix("?")), found)
        seen += part.items
        place = links(part).get("Older", "")
    assert seen == found
    assert links(part) == {"Newer": f"?from={PAGE}"}


def test_the_way_on_keeps_what_was_asked_for_and_escapes_it() -> None:
    part = part_of(asked(""), list(range(PAGE + 1)))
    assert links(part, 'q="><b>&') == {"Older": f'?q="><b>&from={PAGE}'}
    assert links(part_of(asked(""), [1])) == {}


@pytest.mark.parametrize("text", ["-1", "x", "1e3", "9" * 10, ""])
def test_a_place_that_is_no_number_is_an_error(text: str) -> None:
    with pytest.raises(BadForm):
        part_of(asked(f"from={text}"), [1])


def test_a_place_past_the_end_shows_nothing_and_leads_back() -> None:
    part = part_of(asked("from=500"), [1, 2])
    assert list(part.items) == []
    assert list(links(part)) == ["Newer"]
