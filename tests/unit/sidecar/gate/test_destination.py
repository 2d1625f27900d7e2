"""Layer 10: the allowlist and its expiry, bare addresses, look-alikes, tags, who is inside."""

from typing import Any

import pytest

from schemas.actions import LayerResult
from schemas.names import SECOND
from schemas.tools import AllowedDestination, Effect, Reach
from sidecar.destinations.schedule import Destination
from sidecar.gate.destination import destination
from sidecar.gate.parts import Audience, audience, parts
from tests.cases import changed
from tests.unit.sidecar.gate.building import FETCH, MAIL, UPDATE, WORKSPACE, case

PASS, HOLD, REFUSE = LayerResult.PASS, LayerResult.HOLD, LayerResult.REFUSE
SUMMARY = "write to jane@boeing.example and ask 192.0.2.7"
LISTED = changed(
    WORKSPACE,
    organisation=("acme.example",),
    destinations=(
        AllowedDestination(destination="jim@partner.example", expires=1_000 * SECOND),
        AllowedDestination(destination="@embraer.example"),
        AllowedDestination(destination="@watched.example", owned=True),
    ),
)


def said(to: Any, **changes: Any) -> LayerResult:
    given = {"policy": LISTED, "summary": SUMMARY, **changes}
    return destination(case(MAIL, {"to": to, "text": "hi"}, **given)).result


@pytest.mark.parametrize(
    ("to", "result"),
    [
        ("jane@boeing.example", PASS),
        ("bob@acme.example", PASS),
        ("eve@other.example", PASS),
        ("bob", PASS),
        ("jane@b0eing.example", HOLD),
        ("jane@boeing.example.evil.example", HOLD),
        ("jane+secret@boeing.example", HOLD),
        ("jane@xn--boeng-eta.example", HOLD),
        ("http://192.0.2.8/", HOLD),
        ("jane@boeing.example@evil.example", REFUSE),
        (["jane@boeing.example", "eve@b0eing.example"], HOLD),
        (["eve@b0eing.example", "jane@boeing.example@evil.example"], REFUSE),
        ([], PASS),
    ],
)
def test_each_destination_is_looked_at_and_the_worst_counts(to: Any, result: LayerResult) -> None:
    assert said(to) is result


@pytest.mark.parametrize(
    ("now", "result"), [(999 * SECOND, PASS), (1_000 * SECOND, REFUSE), (1_001 * SECOND, REFUSE)]
)
def test_an_entry_counts_until_it_expires(now: int, result: LayerResult) -> None:
    assert said("Jim@Partner.example", now=now) is result
    assert said("ann@embraer.example", now=now) is PASS


def test_a_watched_domain_needs_a_look_that_was_good() -> None:
    assert said("ann@watched.example") is REFUSE
    assert said("ann@watched.example", owned={"other.example": Destination}) is REFUSE


def test_only_what_is_listed_where_the_policy_says_so() -> None:
    only = changed(LISTED, allowlist_only=True)
    assert said("eve@other.example", policy=only) is REFUSE
    assert said("ann@embraer.example", policy=only) is PASS
    assert said("bob@acme.example", policy=only) is PASS
    assert said("bob", policy=only) is REFUSE
    assert said("Bob the builder", policy=only) is REFUSE


@pytest.mark.parametrize(
    ("tool", "arguments", "seen"),
    [
        (MAIL, {"to": "bob@acme.example"}, Audience.INSIDE),
        (MAIL, {"to": "<Bob@ACME.example>"}, Audience.INSIDE),
        (MAIL, {"to": ["bob@acme.example", "eve@other.example"]}, Audience.OUTSIDE),
        (MAIL, {"to": "bob@acme.example@evil.example"}, Audience.OUTSIDE),
        (MAIL, {}, Audience.OUTSIDE),
        (UPDATE, {"record": "d"}, Audience.NONE),
        (FETCH, {"url": "x"}, Audience.OUTSIDE),
        (changed(MAIL, reach=Reach.INSIDE), {"to": "eve@other.example"}, Audience.INSIDE),
        (changed(MAIL, reach=Reach.INSIDE), {}, Audience.INSIDE),
        (changed(UPDATE, reach=Reach.INSIDE), {"record": "d"}, Audience.NONE),
        (changed(UPDATE, reach=Reach.OUTSIDE), {"record": "d"}, Audience.OUTSIDE),
        (
            changed(UPDATE, reach=Reach.INSIDE, destinations=("to",)),
            {"to": "team"},
            Audience.INSIDE,
        ),
        (changed(UPDATE, effect=Effect.READ), {"record": "d"}, Audience.NONE),
        (changed(UPDATE, effect=Effect.PAYMENT), {"record": "d"}, Audience.OUTSIDE),
        (changed(UPDATE, effect=Effect.EGRESS, reach=Reach.INSIDE), {}, Audience.INSIDE),
    ],
)
def test_who_sees_an_effect_follows_from_its_reach_and_where_it_leads(
    tool: Any, arguments: dict[str, Any], seen: Audience
) -> None:
    assert audience(tool, tuple(parts(tool, arguments)), LISTED) is seen
