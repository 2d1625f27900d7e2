"""Arguments: the part that each plays, at any depth, and who can see what is done with them."""

from typing import Any

import pytest

from schemas.tools import Effect, Reach, Tool
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
from tests.cases import POLICY, SEND, changed

OWN = "bob@acme.example"
OTHER = "jane@boeing.example"


def tool(**changes: Any) -> Tool:
    return changed(SEND, paths=(), **changes)


def listed(declared: Tool, given: dict[str, Any]) -> list[tuple[Part, str, object]]:
    return [(one.part, one.name, one.value) for one in parts(declared, given)]


def test_scalars_are_listed_in_order_with_their_innermost_names() -> None:
    given = {
        "to": [OWN, OTHER],
        "when": {"day": 3, "hours": [9.5, 10.5], "whole": True},
        "cc": (OWN,),
        "nothing": None,
        "note": "x",
    }
    assert listed(tool(), given) == [
        (Part.DESTINATION, "to", OWN),
        (Part.DESTINATION, "to", OTHER),
        (Part.PLAIN, "day", 3),
        (Part.PLAIN, "hours", 9.5),
        (Part.PLAIN, "hours", 10.5),
        (Part.PLAIN, "whole", True),
        (Part.PLAIN, "cc", OWN),
        (Part.PLAIN, "note", "x"),
    ]


def test_of_contents_the_keys_at_any_depth_are_content_too() -> None:
    given = {"body": {"secret": "a", "rows": [{"inner": 1}, ({"deep": "b"},)]}, "other": {"k": "c"}}
    found = listed(tool(contents=("body",)), given)
    assert [one for one in found if one[1] == "body"] == [
        (Part.CONTENT, "body", key) for key in ("secret", "rows", "deep", "inner")
    ]
    assert (Part.CONTENT, "inner", 1) in found
    assert [one for one in found if "k" in one] == [(Part.PLAIN, "k", "c")]


@pytest.mark.parametrize(
    ("declared", "part"),
    [
        ({"destinations": ("x",)}, Part.DESTINATION),
        ({"amounts": ("x",)}, Part.AMOUNT),
        ({"objects": ("x",)}, Part.OBJECT),
        ({"paths": ("x",)}, Part.OBJECT),
        ({"contents": ("x",)}, Part.CONTENT),
        ({"destinations": ("x",), "contents": ("x",)}, Part.DESTINATION),
        ({"objects": ("x.y",)}, Part.OBJECT),
        ({"objects": ("y",)}, Part.PLAIN),
        ({"objects": ("x.z",)}, Part.PLAIN),
    ],
)
def test_a_field_plays_the_part_declared_of_it_or_of_the_argument_it_stands_in(
    declared: dict[str, Any], part: Part
) -> None:
    assert part_of(changed(SEND, **{"destinations": (), "paths": (), **declared}), "x", "y") is part


def test_destinations_are_what_an_action_leads_to_and_no_blanks() -> None:
    said = (
        Argument(Part.DESTINATION, "to", OTHER),
        Argument(Part.DESTINATION, "to", "  "),
        Argument(Part.OBJECT, "record", "d-1"),
        Argument(Part.DESTINATION, "channel", 7),
    )
    assert destinations(said) == (OTHER, "7")


@pytest.mark.parametrize(
    ("address", "inside"),
    [
        (OWN, True),
        (f" <{OWN.upper()}> ", True),
        (OTHER, False),
        ("bob@jane@acme.example", False),
        ("acme.example", False),
        ("@acme.example", True),
        ("bob@sub.acme.example", False),
    ],
)
def test_an_address_is_inside_if_its_domain_is_one_of_the_organisations(
    address: str, inside: bool
) -> None:
    assert inside_organisation(address, POLICY) is inside


@pytest.mark.parametrize(
    ("reach", "effect", "to", "seen"),
    [
        (Reach.OUTSIDE, Effect.READ, [OWN], Audience.OUTSIDE),
        (Reach.OUTSIDE, Effect.MUTATION, [], Audience.OUTSIDE),
        (Reach.INSIDE, Effect.MUTATION, [OTHER], Audience.INSIDE),
        (Reach.INSIDE, Effect.MUTATION, [], Audience.NONE),
        (Reach.INSIDE, Effect.READ, [], Audience.NONE),
        (Reach.INSIDE, Effect.PAYMENT, [], Audience.NONE),
        (Reach.INSIDE, Effect.COMMUNICATION, [], Audience.INSIDE),
        (Reach.INSIDE, Effect.EGRESS, [], Audience.INSIDE),
        (Reach.BY_ADDRESS, Effect.READ, [], Audience.NONE),
        (Reach.BY_ADDRESS, Effect.MUTATION, [], Audience.NONE),
        (Reach.BY_ADDRESS, Effect.PAYMENT, [], Audience.OUTSIDE),
        (Reach.BY_ADDRESS, Effect.COMMUNICATION, [], Audience.OUTSIDE),
        (Reach.BY_ADDRESS, Effect.COMMUNICATION, [OWN], Audience.INSIDE),
        (Reach.BY_ADDRESS, Effect.COMMUNICATION, [OWN, OTHER], Audience.OUTSIDE),
    ],
)
def test_who_sees_an_effect_follows_from_its_reach_then_from_where_it_leads(
    reach: Reach, effect: Effect, to: list[str], seen: Audience
) -> None:
    declared = tool(reach=reach, effect=effect)
    assert audience(declared, tuple(parts(declared, {"to": to})), POLICY) is seen
