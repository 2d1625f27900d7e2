"""What the HubSpot connector owes besides: keys that survive later changes, and told doubts."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from schemas.actions import ActionOutcome
from sidecar.connectors.connector import Finding
from sidecar.connectors.hubspot import HubSpotConnector
from sidecar.connectors.hubspot_api import HISTORY_SHOWN
from sidecar.errors import (
    BadArguments,
    BadConnector,
    BadTarget,
    Busy,
    ConnectorError,
    Denied,
    Garbled,
    TargetRefused,
    Unreachable,
)
from tests.contract.services import HubSpotBench, HubSpotContactBench, HubSpotNoteBench, new_key
from tests.contract.test_http import answer, canned, elsewhere

pytestmark = pytest.mark.asyncio

EFFECTS: list[type[HubSpotBench]] = [HubSpotBench, HubSpotNoteBench, HubSpotContactBench]


def problem(status: str, category: str, *headers: str) -> bytes:
    """HubSpot's error body."""
    body = json.dumps({"status": "error", "message": "no", "category": category}).encode()
    return answer(status, body, *headers)


async def test_a_key_that_a_later_change_overwrote_is_still_found(hubspot: HubSpotBench) -> None:
    await hubspot.start()
    first, connector = new_key(), hubspot.connector()
    await connector.execute(hubspot.tool, hubspot.arguments, first)
    later = {"id": "301", "fields": {"dealstage": "closedlost"}}
    await connector.execute(hubspot.tool, later, new_key())
    found = await connector.reconcile(hubspot.tool, hubspot.arguments, first)
    assert found.finding is Finding.DONE
    assert found.outcome is not None
    assert found.outcome.status is ActionOutcome.UNKNOWN
    again = await connector.execute(hubspot.tool, hubspot.arguments, first)
    assert again.status is ActionOutcome.UNKNOWN
    assert len(hubspot.effects(first)) == 1


async def test_a_key_older_than_the_history_that_hubspot_shows_is_unknown(
    hubspot: HubSpotBench,
) -> None:
    await hubspot.start()
    key, connector = new_key(), hubspot.connector()
    await connector.execute(hubspot.tool, hubspot.arguments, key)
    for count in range(HISTORY_SHOWN):
        fields = {"id": "301", "fields": {"hs_next_step": f"step {count}"}}
        await connector.execute(hubspot.tool, fields, new_key())
    found = await connector.reconcile(hubspot.tool, hubspot.arguments, key)
    assert found.finding is Finding.UNKNOWN
    fresh = await connector.reconcile(hubspot.tool, hubspot.arguments, new_key())
    assert fresh.finding is Finding.NOT_DONE


async def test_a_note_that_somebody_archived_is_not_made_again(hubspot: HubSpotBench) -> None:
    await hubspot.start()
    key, tool, arguments = new_key(), HubSpotNoteBench.tool, HubSpotNoteBench.arguments
    await hubspot.connector().execute(tool, arguments, key)
    await hubspot.down()
    kept = json.loads((hubspot.home / "hubspot.json").read_text())
    for note in kept["notes"].values():
        note["_archived"] = True
    (hubspot.home / "hubspot.json").write_text(json.dumps(kept))
    await hubspot.start()
    found = await hubspot.connector().reconcile(tool, arguments, key)
    assert found.finding is Finding.DONE
    await hubspot.connector().execute(tool, arguments, key)
    assert len(hubspot.effects(key)) == 1


async def test_a_contact_whose_address_another_has_is_refused(hubspot: HubSpotBench) -> None:
    await hubspot.start()
    key = new_key()
    taken = {"email": "jane.doe@boeing.example", "lastname": "Other"}
    with pytest.raises(TargetRefused) as raised:
        await hubspot.connector().execute("hubspot.create_contact", taken, key)
    assert raised.value.before_effect
    assert hubspot.effects(key) == []
    found = await hubspot.connector().reconcile("hubspot.create_contact", taken, key)
    assert found.finding is Finding.NOT_DONE


async def test_two_makings_that_race_under_one_key_make_one_note(hubspot: HubSpotBench) -> None:
    await hubspot.start()
    key, tool, arguments = new_key(), HubSpotNoteBench.tool, HubSpotNoteBench.arguments
    outcomes = await asyncio.gather(
        *(hubspot.connector().execute(tool, arguments, key) for _ in range(4))
    )
    assert {outcome.status for outcome in outcomes} == {ActionOutcome.CONFIRMED}
    assert len(hubspot.effects(key)) == 1


async def test_markup_in_a_note_is_kept_as_text(hubspot: HubSpotBench) -> None:
    await hubspot.start()
    connector = hubspot.connector()
    asked = {"type": "deals", "id": "301", "body": "<img src=x>\nand more"}
    made = await connector.execute("hubspot.add_note", asked, new_key())
    assert made.status is ActionOutcome.CONFIRMED
    read = await connector.execute(
        "hubspot.read", {"type": "notes", "id": made.result["id"]}, new_key()
    )
    assert read.result["properties"]["hs_note_body"] == "&lt;img src=x&gt;<br>and more"
    notes = {"type": "deals", "id": "301", "to": "notes"}
    related = await connector.execute("hubspot.related", notes, new_key())
    assert related.result["results"] == [{"id": made.result["id"]}]


async def test_reads_show_the_listed_properties_and_say_when_there_is_more(
    hubspot: HubSpotBench,
) -> None:
    await hubspot.start()
    connector = hubspot.connector()
    by_word = {"type": "companies", "property": "name", "operator": "CONTAINS_TOKEN"}
    found = await connector.execute("hubspot.find", {**by_word, "value": "company"}, new_key())
    assert [one["id"] for one in found.result["results"]] == ["201"]
    assert found.result["more"] is False
    deal = await connector.execute("hubspot.read", {"type": "deals", "id": "301"}, new_key())
    assert "never shown" not in str((found.result, deal.result))
    asked = {"type": "deals", "property": "pipeline", "value": "default", "limit": 1}
    one = await connector.execute("hubspot.find", asked, new_key())
    assert len(one.result["results"]) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        {"type": "companies", "property": "email", "value": "x"},
        {"type": "companies", "property": "hs_object_id", "value": "x"},
        {"type": "companies", "property": "name", "operator": "NOT_IN", "value": "x"},
        {"type": "companies", "property": "name", "value": "x", "limit": 101},
        {"type": "tickets", "property": "name", "value": "x"},
        {"type": "companies", "property": "name", "value": "x", "after": "10"},
    ],
)
async def test_no_search_goes_beyond_one_listed_property(
    hubspot: HubSpotBench, arguments: dict[str, Any]
) -> None:
    await hubspot.start()
    with pytest.raises(BadArguments):
        await hubspot.connector().execute("hubspot.find", arguments, new_key())


async def test_what_was_turned_away_for_its_rate_is_asked_again(hubspot: HubSpotBench) -> None:
    await hubspot.start("--busy=2")
    key = new_key()
    outcome = await hubspot.connector().execute(hubspot.tool, hubspot.arguments, key)
    assert outcome.status is ActionOutcome.CONFIRMED
    assert len(hubspot.effects(key)) == 1


async def test_a_rate_limit_that_does_not_end_is_told_and_nothing_was_done(
    hubspot: HubSpotBench,
) -> None:
    await hubspot.start("--busy=3")
    key = new_key()
    with pytest.raises(Busy) as raised:
        await hubspot.connector().execute(hubspot.tool, hubspot.arguments, key)
    assert raised.value.before_effect
    assert hubspot.asked(key) == 0


@pytest.mark.parametrize("wait", ["3600", "Wed, 21 Oct 2026 07:28:00 GMT", "-1", "9" * 400])
async def test_a_long_wait_is_told_and_not_waited_for(wait: str) -> None:
    busy = problem("429 Too Many Requests", "RATE_LIMITS", f"Retry-After: {wait}")
    async with canned(lambda _: busy) as (port, heads):
        connector = HubSpotConnector(f"http://127.0.0.1:{port}", "not-a-real-token")
        with pytest.raises(Busy):
            await connector.execute("hubspot.read", {"type": "deals", "id": "301"}, new_key())
    assert len(heads) == 1


async def test_a_deal_that_is_not_there_is_no_doubt(hubspot: HubSpotBench) -> None:
    await hubspot.start()
    missing = {**hubspot.arguments, "id": "999"}
    with pytest.raises(BadTarget):
        await hubspot.connector().execute(hubspot.tool, missing, new_key())
    about = {**HubSpotNoteBench.arguments, "id": "999"}
    key = new_key()
    with pytest.raises(BadTarget):
        await hubspot.connector().execute(HubSpotNoteBench.tool, about, key)
    assert hubspot.effects(key) == []


CASES: dict[str, tuple[Callable[[int], bytes], type[ConnectorError]]] = {
    "no JSON": (lambda _: answer("200 OK", b"<html>"), Garbled),
    "other JSON": (lambda _: answer("200 OK", b'{"results": 1}'), Garbled),
    "redirect": (elsewhere, Garbled),
    "nothing": (lambda _: b"", Unreachable),
    "failure": (lambda _: problem("502 Bad Gateway", "INTERNAL_ERROR"), Unreachable),
    "forbidden": (lambda _: problem("403 Forbidden", "MISSING_SCOPES"), Denied),
    "expired": (lambda _: problem("401 Unauthorized", "EXPIRED_AUTHENTICATION"), Denied),
    "invalid": (lambda _: problem("400 Bad Request", "VALIDATION_ERROR"), TargetRefused),
    "404 by something between": (lambda _: answer("404 Not Found", b"<html>"), Garbled),
    "404 of no record": (lambda _: problem("404 Not Found", "NO_SUCH_ROUTE"), Garbled),
}


@pytest.mark.parametrize("case", CASES)
async def test_a_read_that_is_not_answered_properly_is_an_error(case: str) -> None:
    reply, error = CASES[case]
    async with canned(reply) as (port, _):
        connector = HubSpotConnector(f"http://127.0.0.1:{port}", "not-a-real-token")
        with pytest.raises(error):
            await connector.execute("hubspot.read", {"type": "deals", "id": "301"}, new_key())


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("effect", EFFECTS)
async def test_a_key_that_is_not_answered_for_properly_reconciles_as_unknown(
    case: str, effect: type[HubSpotBench]
) -> None:
    async with canned(CASES[case][0]) as (port, _):
        connector = HubSpotConnector(f"http://127.0.0.1:{port}", "not-a-real-token")
        found = await connector.reconcile(effect.tool, effect.arguments, new_key())
    assert found.finding is Finding.UNKNOWN


@pytest.mark.parametrize("case", ["no JSON", "404 by something between", "failure", "nothing"])
@pytest.mark.parametrize("effect", EFFECTS)
async def test_a_change_that_is_not_answered_properly_is_unknown(
    case: str, effect: type[HubSpotBench]
) -> None:
    """The reads before it are answered; what follows is not."""
    absent = problem("404 Not Found", "OBJECT_NOT_FOUND")
    deal = answer("200 OK", json.dumps({"id": "301", "properties": {}}).encode())
    reads = [deal] if effect is HubSpotBench else [absent, absent]
    replies = iter(reads)
    broken = CASES[case][0]
    async with canned(lambda port: next(replies, broken(port))) as (port, heads):
        connector = HubSpotConnector(f"http://127.0.0.1:{port}", "not-a-real-token")
        outcome = await connector.execute(effect.tool, effect.arguments, new_key())
    assert outcome.status is ActionOutcome.UNKNOWN
    assert sum(not head.startswith(b"GET") for head in heads) == 1


async def test_the_token_is_not_configured_to_travel_in_the_clear() -> None:
    with pytest.raises(BadConnector, match="in the clear"):
        HubSpotConnector("http://api.example", "not-a-real-token")
