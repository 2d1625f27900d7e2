"""Layer 10: the allowlist and its expiry, bare addresses, look-alikes, tags, who is inside."""

from typing import Any

import pytest

from schemas.actions import LayerResult
from schemas.names import SECOND
from schemas.tools import AllowedDestination, Effect, Reach
from sidecar.destinations.schedule import Destination
from sidecar.gate.destination import destination
from sidecar.gate.parts import Audience, audience, parts
from tests.cases import NOW, changed
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


def watched(**changes: Any) -> Destination:
    seen = Destination(
        domain="watched.example",
        added=NOW - 10 * SECOND,
        expires=NOW + 10 * SECOND,
        fingerprint=b"f" * 32,
        checked=NOW,
    )
    return changed(seen, **changes)


@pytest.mark.parametrize(
    ("seen", "result", "why"),
    [
        (watched(), PASS, ""),
        (watched(checked=NOW - 60 * SECOND), PASS, ""),
        (watched(checked=NOW - 61 * SECOND), HOLD, "not looked up again"),
        (watched(unseen="no answer"), HOLD, "no answer"),
        (watched(changed="another registrant"), REFUSE, "another registrant"),
        (watched(changed="x" * 400), REFUSE, "x" * 300),
        (watched(expires=NOW), REFUSE, "an instant now past"),
    ],
)
def test_a_watched_domain_counts_while_its_owner_is_the_same(
    seen: Destination, result: LayerResult, why: str
) -> None:
    policy = changed(LISTED, revalidate_s=60)
    given = {"to": "ann@watched.example"}
    word = destination(case(MAIL, given, policy=policy, owned={"watched.example": seen}))
    assert word.result is result
    assert why in word.evidence
    assert len(word.evidence) <= 300


@pytest.mark.parametrize("lacking", ["tool", "arguments", "lease", "policy"])
def test_what_cannot_be_looked_at_is_refused(lacking: str) -> None:
    word = destination(changed(case(MAIL, {"to": "bob"}), **{lacking: None}))
    assert word.result is REFUSE
    assert "no destination to look at" in word.reason


@pytest.mark.parametrize(
    ("to", "result"),
    [
        ("Dr. Bob Builder", PASS),
        ("bob.", PASS),
        ("who@knows where.example", REFUSE),
        ("https://who knows", REFUSE),
        ("//who knows", REFUSE),
    ],
)
def test_a_persons_name_leads_to_no_host_and_what_should_and_does_not_is_refused(
    to: str, result: LayerResult
) -> None:
    assert said(to) is result
    only = changed(LISTED, allowlist_only=True)
    assert said(to, policy=only) is REFUSE
    inside = changed(MAIL, reach=Reach.INSIDE)
    word = destination(case(inside, {"to": to}, policy=only, summary=SUMMARY))
    assert word.result is result


@pytest.mark.parametrize(
    ("to", "named", "result"),
    [
        ("jane@xn--bcher-kva.example", "", HOLD),
        ("jane@mail.xn--bcher-kva.example", "", HOLD),
        ("jane@b\u00fccher.example", "", HOLD),
        ("jane@p\u0430yp\u0430l.example", "", HOLD),
        ("jane@xn--bcher-kva.example", "jane@xn--bcher-kva.example", PASS),
        ("http://192.0.2.8/", "http://192.0.2.8/", PASS),
        ("https://www.falcon.example/a", "", PASS),
    ],
)
def test_letters_and_numbers_that_hide_a_name_are_held_unless_the_intent_names_it(
    to: str, named: str, result: LayerResult
) -> None:
    assert said(to, summary=f"write to {named}") is result


@pytest.mark.parametrize(
    ("to", "summary", "result"),
    [
        ("jane+a@falcon.example", "write to jane@falcon.example", HOLD),
        ("jane+a@falcon.example", "write to Jane+A@falcon.example", PASS),
        ("jane+b@falcon.example", "write to jane+a@falcon.example", HOLD),
        ("jane+a@falcon.example", "write to somebody", PASS),
        ("jane+a@falcon.example", "write to ann@falcon.example", PASS),
    ],
)
def test_a_tag_is_held_where_the_intent_names_the_address_without_it(
    to: str, summary: str, result: LayerResult
) -> None:
    assert said(to, summary=summary) is result


@pytest.mark.parametrize(
    ("to", "result"),
    [
        ("jane@partnr.example", HOLD),
        ("jane@boelng.example", HOLD),
        ("jane@acrne.example", HOLD),
        ("jane@embraer.example", PASS),
        ("jane@partner.example", PASS),
        ("https://www.boeing.example/", PASS),
        ("https://www.embraer.example/", PASS),
    ],
)
def test_what_looks_like_the_lists_the_intents_or_the_organisations_own_is_held(
    to: str, result: LayerResult
) -> None:
    every = f"{SUMMARY}, bob@acme.example, ann@embraer.example and jim@partner.example"
    assert said(to) is result
    assert said(to, summary=every) is result
    listed = (*LISTED.destinations, AllowedDestination(destination="@acme.example"))
    assert said(to, policy=changed(LISTED, destinations=listed)) is result


def test_destinations_that_pass_are_counted() -> None:
    given = {"to": ["jane@boeing.example", "eve@other.example"]}
    word = destination(case(MAIL, given, policy=LISTED, summary=SUMMARY))
    assert (word.result, word.evidence) == (PASS, "2 destinations")


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
