"""Which part each argument plays, and who sees the effect."""

from typing import Any

import pytest

from schemas.tools import Effect, Reach
from sidecar.gate.parts import (
    Argument,
    Audience,
    Part,
    audience,
    destinations,
    inside_organisation,
    part_of,
    parts,
)
from tests.cases import changed
from tests.unit.sidecar.gate.building import MAIL, WORKSPACE

TOOL = changed(
    MAIL,
    destinations=("to", "share.with"),
    amounts=("sum",),
    objects=("record",),
    paths=("file",),
    contents=("text",),
)
INSIDE, OUTSIDE = "ann@acme.example", "jane@boeing.example"


def played(**arguments: Any) -> list[tuple[str, str, object]]:
    return [(one.part.value, one.name, one.value) for one in parts(TOOL, arguments)]


def seen(effect: Effect, reach: Reach = Reach.BY_ADDRESS, *to: str) -> Audience:
    tool = changed(TOOL, effect=effect, reach=reach)
    return audience(tool, parts(tool, {"text": "a", "to": list(to)}), WORKSPACE)


@pytest.mark.parametrize(
    ("name", "inner", "part"),
    [
        ("to", "to", Part.DESTINATION),
        ("to", "name", Part.DESTINATION),
        ("share", "with", Part.DESTINATION),
        ("share", "note", Part.PLAIN),
        ("share", "share", Part.PLAIN),
        ("sum", "sum", Part.AMOUNT),
        ("record", "id", Part.OBJECT),
        ("file", "file", Part.OBJECT),
        ("text", "text", Part.CONTENT),
        ("other", "to", Part.PLAIN),
        ("with", "with", Part.PLAIN),
    ],
)
def test_a_part_is_declared_for_an_argument_or_one_field_below(
    name: str, inner: str, part: Part
) -> None:
    assert part_of(TOOL, name, inner) is part


def test_what_steers_outweighs_what_fills_where_both_are_declared() -> None:
    both = changed(TOOL, amounts=("to",), objects=("sum", "to"), contents=("file", "sum", "to"))
    assert part_of(both, "to", "to") is Part.DESTINATION
    assert part_of(changed(both, destinations=()), "to", "to") is Part.AMOUNT
    assert part_of(changed(both, amounts=()), "sum", "sum") is Part.OBJECT
    assert part_of(both, "file", "file") is Part.OBJECT


def test_scalars_come_in_order_with_their_innermost_name() -> None:
    assert played(
        to=[OUTSIDE, INSIDE], sum=5, flag=True, none=None, when={"day": "a", "at": 1.5}
    ) == [
        ("destination", "to", OUTSIDE),
        ("destination", "to", INSIDE),
        ("amount", "sum", 5),
        ("plain", "flag", True),
        ("plain", "day", "a"),
        ("plain", "at", 1.5),
    ]
    assert played(share=[{"with": INSIDE, "note": ["a", "b"]}, {"with": (OUTSIDE, None)}]) == [
        ("destination", "with", INSIDE),
        ("plain", "note", "a"),
        ("plain", "note", "b"),
        ("destination", "with", OUTSIDE),
    ]
    assert played() == []


def test_of_contents_the_keys_at_any_depth_count_too() -> None:
    assert played(text="plain") == [("content", "text", "plain")]
    assert played(text={"a": ["b", {"c": "d"}], "e": {"f": 1}}) == [
        ("content", "a", "b"),
        ("content", "c", "d"),
        ("content", "f", 1),
        ("content", "text", "a"),
        ("content", "text", "e"),
        ("content", "text", "f"),
        ("content", "text", "c"),
    ]
    assert played(text=[({"a": "b"},), "c"]) == [
        ("content", "a", "b"),
        ("content", "text", "c"),
        ("content", "text", "a"),
    ]
    assert played(record={"a": "b"}, text="c") == [("object", "a", "b"), ("content", "text", "c")]


def test_destinations_are_those_that_are_not_blank() -> None:
    said = [
        Argument(Part.PLAIN, "a", "x"),
        Argument(Part.DESTINATION, "to", " "),
        Argument(Part.DESTINATION, "to", 7),
        Argument(Part.CONTENT, "text", "y"),
        Argument(Part.DESTINATION, "to", INSIDE),
    ]
    assert destinations(said) == ("7", INSIDE)


@pytest.mark.parametrize("effect", Effect)
def test_a_reach_that_is_always_outside_needs_no_address(effect: Effect) -> None:
    assert seen(effect, Reach.OUTSIDE) is Audience.OUTSIDE
    assert seen(effect, Reach.OUTSIDE, INSIDE) is Audience.OUTSIDE


@pytest.mark.parametrize(
    ("effect", "by_address", "inside"),
    [
        (Effect.READ, Audience.NONE, Audience.NONE),
        (Effect.MUTATION, Audience.NONE, Audience.NONE),
        (Effect.COMMUNICATION, Audience.OUTSIDE, Audience.INSIDE),
        (Effect.EGRESS, Audience.OUTSIDE, Audience.INSIDE),
        (Effect.PAYMENT, Audience.OUTSIDE, Audience.NONE),
    ],
)
def test_without_an_address_the_effect_tells_who_sees_it(
    effect: Effect, by_address: Audience, inside: Audience
) -> None:
    assert seen(effect) is by_address
    assert seen(effect, Reach.INSIDE) is inside


@pytest.mark.parametrize("effect", Effect)
def test_with_addresses_one_outside_decides(effect: Effect) -> None:
    for to in ((INSIDE,), (INSIDE, "Bob <b@c.example> bob@acme.example".rpartition(" ")[2])):
        assert seen(effect, Reach.BY_ADDRESS, *to) is Audience.INSIDE
    for to in ((OUTSIDE,), (INSIDE, OUTSIDE), (OUTSIDE, INSIDE)):
        assert seen(effect, Reach.BY_ADDRESS, *to) is Audience.OUTSIDE
        assert seen(effect, Reach.INSIDE, *to) is Audience.INSIDE


@pytest.mark.parametrize(
    ("address", "inside"),
    [
        (INSIDE, True),
        (" <Ann@ACME.example> ", True),
        (OUTSIDE, False),
        ("ann@mail.acme.example", False),
        ("acme.example", False),
        ("a@b@acme.example", False),
        ("ann@acme.example@", False),
        ("@acme.example", True),
        ("", False),
    ],
)
def test_an_address_is_inside_by_exactly_its_domain(address: str, inside: bool) -> None:
    assert inside_organisation(address, WORKSPACE) is inside
