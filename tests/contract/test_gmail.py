"""What the mail connector owes over the Gmail API: one draft is one message, come what may."""

import asyncio
import base64
import json
from typing import Any

import pytest

from schemas.actions import ActionOutcome
from schemas.connectors import GmailSettings
from sidecar.connectors.connector import MAX_RESULT_BYTES, Finding
from sidecar.connectors.gmail import GmailConnector
from sidecar.errors import BadArguments, BadConnector, BadTarget, ConnectorError, Denied
from tests.contract.mail_benches import GmailBench
from tests.contract.services import new_key
from tests.contract.test_http import answer, canned

pytestmark = pytest.mark.asyncio


async def test_a_search_that_lags_neither_sends_twice_nor_hides_what_was_sent(
    gmail: GmailBench,
) -> None:
    await gmail.start("--lagging")
    key = new_key()
    for _ in range(2):
        outcome = await gmail.connector().execute(gmail.tool, gmail.arguments, key)
        assert outcome.status is ActionOutcome.CONFIRMED
    found = await gmail.connector().reconcile(gmail.tool, gmail.arguments, key)
    assert found.finding is Finding.DONE
    assert gmail.asked(key) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 429])
async def test_a_refused_sending_sends_nothing_and_leaves_no_draft(
    gmail: GmailBench, status: int
) -> None:
    await gmail.start(f"--send-status={status}")
    key = new_key()
    with pytest.raises(ConnectorError) as raised:
        await gmail.connector().execute(gmail.tool, gmail.arguments, key)
    assert raised.value.before_effect
    assert gmail.mailbox()["drafts"] == {}
    found = await gmail.connector().reconcile(gmail.tool, gmail.arguments, key)
    assert found.finding is Finding.NOT_DONE


@pytest.mark.parametrize("status", [500, 503])
async def test_a_failure_while_sending_is_unknown_until_the_draft_is_seen_to_be_there(
    gmail: GmailBench, status: int
) -> None:
    await gmail.start(f"--send-status={status}")
    key = new_key()
    outcome = await gmail.connector().execute(gmail.tool, gmail.arguments, key)
    assert outcome.status is ActionOutcome.UNKNOWN
    found = await gmail.connector().reconcile(gmail.tool, gmail.arguments, key)
    assert found.finding is Finding.NOT_DONE
    await gmail.down()
    await gmail.start()
    again = await gmail.connector().execute(gmail.tool, gmail.arguments, key)
    assert again.status is ActionOutcome.CONFIRMED
    assert len(gmail.effects(key)) == 1
    assert gmail.mailbox()["drafts"] == {}


async def test_an_answer_that_is_none_is_unknown_and_found_out_to_have_sent(
    gmail: GmailBench,
) -> None:
    await gmail.start("--garble")
    key = new_key()
    outcome = await gmail.connector().execute(gmail.tool, gmail.arguments, key)
    assert outcome.status is ActionOutcome.UNKNOWN
    found = await gmail.connector().reconcile(gmail.tool, gmail.arguments, key)
    assert found.finding is Finding.DONE
    assert gmail.asked(key) == 1


async def test_two_that_send_under_one_key_at_once_send_one_message(gmail: GmailBench) -> None:
    await gmail.start("--send-status=503")
    key = new_key()
    await gmail.connector().execute(gmail.tool, gmail.arguments, key)
    await gmail.down()
    await gmail.start()
    sending = [gmail.connector().execute(gmail.tool, gmail.arguments, key) for _ in range(2)]
    statuses = {outcome.status for outcome in await asyncio.gather(*sending)}
    assert ActionOutcome.CONFIRMED in statuses
    assert len(gmail.effects(key)) == 1


async def test_a_draft_that_somebody_rewrote_is_not_sent(gmail: GmailBench) -> None:
    await gmail.start("--send-status=503")
    key = new_key()
    await gmail.connector().execute(gmail.tool, gmail.arguments, key)
    await gmail.down()
    await gmail.start()
    other = {**gmail.arguments, "body": "by another hand"}
    outcome = await gmail.connector().execute(gmail.tool, other, key)
    assert outcome.status is ActionOutcome.UNKNOWN
    assert gmail.effects(key) == []


async def test_a_draft_that_a_person_has_sent_since_was_drafted(gmail: GmailBench) -> None:
    await gmail.start()
    key = new_key()
    await gmail.connector().execute("mail.draft", gmail.arguments, key)
    await gmail.connector().execute("mail.send", gmail.arguments, key)
    found = await gmail.connector().reconcile("mail.draft", gmail.arguments, key)
    assert found.finding is Finding.DONE
    assert len(gmail.effects(key)) == 1


async def test_each_mark_can_be_set_and_taken_back(gmail: GmailBench) -> None:
    await gmail.start()
    for state, labels in (
        ("read", {"INBOX"}),
        ("flagged", {"INBOX", "STARRED"}),
        ("unread", {"INBOX", "STARRED", "UNREAD"}),
        ("unflagged", {"INBOX", "UNREAD"}),
    ):
        asked = {"message": "0000000000000001", "state": state}
        outcome = await gmail.connector().execute("mail.mark", asked, new_key())
        assert outcome.status is ActionOutcome.CONFIRMED
        assert set(gmail.mailbox()["messages"]["0000000000000001"]["labelIds"]) == labels


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        ({"sender": "boeing"}, 1),
        ({"sender": "airbus"}, 0),
        ({"subject": "OR pilot"}, 0),
        ({"since": "2999-01-01"}, 0),
        ({"unread": True}, 1),
    ],
)
async def test_a_search_finds_what_meets_all_of_its_fields(
    gmail: GmailBench, asked: dict[str, Any], count: int
) -> None:
    await gmail.start()
    found = await gmail.connector().execute("mail.search", asked, new_key())
    assert len(found.result["messages"]) == count


@pytest.mark.parametrize("words", ['x" OR "y', "{a b}", "(a)", "a\nb"])
async def test_no_field_of_a_search_is_more_than_words(gmail: GmailBench, words: str) -> None:
    await gmail.start()
    for field in ("sender", "subject"):
        with pytest.raises(BadArguments):
            await gmail.connector().execute("mail.search", {field: words}, new_key())


async def test_a_message_over_the_bound_is_told_by_its_head(gmail: GmailBench) -> None:
    await gmail.start()
    await gmail.down()
    kept = gmail.mailbox()
    large = b"From: jane@boeing.example\nSubject: large\n\n" + b"x" * 2_000_000
    kept["messages"]["0000000000000001"]["raw"] = base64.urlsafe_b64encode(large).decode()
    (gmail.home / "gmail.json").write_text(json.dumps(kept))
    await gmail.start()
    asked = {"message": "0000000000000001"}
    outcome = await gmail.connector().execute("mail.read", asked, new_key())
    assert outcome.result["truncated"]
    assert outcome.result["subject"] == "large"
    assert len(json.dumps(outcome.result)) <= MAX_RESULT_BYTES


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"messages": [{"id": "../../x"}]}',
        b'{"messages": [{"id": 1}]}',
        b'{"messages": {}}',
        b'{"messages": [{"id": "a"}], "messages": 1}',
    ],
)
async def test_an_answer_of_another_shape_is_told(body: bytes) -> None:
    async with canned(lambda _: answer("200 OK", body)) as (port, _):
        settings = GmailSettings(sender="ann@acme.example", url=f"http://127.0.0.1:{port}")
        connector = GmailConnector(settings, "not-a-real-token", settle_s=0.0)
        with pytest.raises(ConnectorError):
            await connector.execute("mail.list", {}, new_key())
        found = await connector.reconcile("mail.send", GmailBench.arguments, new_key())
        assert found.finding is Finding.UNKNOWN


async def test_a_message_of_no_name_or_of_none_reads_nothing(gmail: GmailBench) -> None:
    await gmail.start()
    with pytest.raises(BadTarget):
        await gmail.connector().execute("mail.read", {"message": "ffff"}, new_key())
    with pytest.raises(BadArguments):
        await gmail.connector().execute("mail.read", {"message": "../drafts"}, new_key())
    gmail.credential = ""
    with pytest.raises(Denied):
        await gmail.connector().execute("mail.read", {"message": "ffff"}, new_key())


async def test_a_sender_that_is_no_address_is_refused() -> None:
    with pytest.raises(BadConnector, match=r"connectors\.gmail\.sender"):
        GmailConnector(GmailSettings(sender="Ann"), "not-a-real-token")
