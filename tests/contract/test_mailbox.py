"""What a mailbox over IMAP owes: reading leaves no trace, names hold, and each crash is told."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from schemas.actions import ActionOutcome
from sidecar.connectors.composing import SendMail, compose, mark_of
from sidecar.connectors.connector import Finding, Outcome
from sidecar.errors import BadArguments, BadTarget, Denied, Garbled, TargetRefused, Unreachable
from tests.contract.mail_benches import DraftBench, FilingMailBench, MailBench
from tests.contract.services import DEADLINE_S, new_key

pytestmark = pytest.mark.asyncio

OUTBOX = "AnyTeam Outbox"


def eml(number: int, sender: str, subject: str) -> str:
    return (
        f"From: {sender}\nSubject: {subject}\nMessage-ID: <{number}@x.example>\n\nnumber {number}\n"
    )


async def listed(bench: MailBench, tool: str = "mail.list", **asked: Any) -> list[dict[str, Any]]:
    outcome = await bench.connector().execute(tool, asked, new_key())
    found: list[dict[str, Any]] = outcome.result["messages"]
    return found


@pytest.fixture
async def full(tmp_path: Path) -> AsyncIterator[MailBench]:
    """A mailbox of three messages."""
    made = MailBench(tmp_path)
    await made.start()
    await listed(made)
    for number, sender in ((2, "Sam Ortiz <sam@airbus.example>"), (3, "Zoë <zoe@boeing.example>")):
        path = made.account / "new" / f"{number}.eml"
        path.write_text(eml(number, sender, f"Grüße {number}"))
        await listed(made)
    yield made
    await made.down()


async def test_the_newest_messages_are_listed_first(full: MailBench) -> None:
    found = await listed(full)
    assert [one["message"] for one in found] == ["1-3", "1-2", "1-1"]
    arrived = [datetime.fromisoformat(one["received"]) for one in found]
    assert all(abs(datetime.now(UTC) - time) < timedelta(minutes=5) for time in arrived)
    assert [one["from"] for one in await listed(full, limit=1)] == ["Zoë <zoe@boeing.example>"]


async def test_reading_searching_and_listing_leave_every_message_unread(full: MailBench) -> None:
    await listed(full, "mail.search", sender="example")
    for name in ("1-1", "1-2", "1-3"):
        await full.connector().execute("mail.read", {"message": name}, new_key())
    assert all(one["unread"] for one in await listed(full))
    assert not [path.name for path in full.account.glob("*/*:2,*S*")]


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({"sender": "boeing"}, ["1-3", "1-1"]),
        ({"sender": "Zoë"}, ["1-3"]),
        ({"subject": "pilot"}, ["1-1"]),
        ({"sender": "boeing", "subject": "pilot"}, ["1-1"]),
        ({"sender": "NOT"}, []),
        ({"sender": "ALL"}, []),
        ({"since": "2999-01-01"}, []),
        ({"unread": True, "limit": 1}, ["1-3"]),
    ],
)
async def test_a_search_finds_what_meets_all_of_its_fields(
    full: MailBench, asked: dict[str, Any], names: list[str]
) -> None:
    assert [one["message"] for one in await listed(full, "mail.search", **asked)] == names


@pytest.mark.parametrize(
    "asked",
    [
        {"sender": 'x" ALL "'},
        {"sender": "x) UNSEEN"},
        {"subject": "{3}"},
        {"subject": "x\r\nA1 LOGOUT"},
        {"subject": "back\\slash"},
        {"since": "1-Jan-2026"},
        {"since": "2026-02-30"},
        {"query": "ALL"},
    ],
)
async def test_no_field_of_a_search_is_more_than_words(
    full: MailBench, asked: dict[str, Any]
) -> None:
    with pytest.raises(BadArguments):
        await listed(full, "mail.search", **asked)


@pytest.mark.parametrize("name", ["2-1", "1-9", "1-99999999999", "1", "0-0", "abc"])
async def test_a_name_of_another_mailbox_or_of_no_message_reads_nothing(
    full: MailBench, name: str
) -> None:
    for tool, more in (("mail.read", {}), ("mail.mark", {"state": "read"})):
        with pytest.raises((BadTarget, TargetRefused)) as raised:
            await full.connector().execute(tool, {"message": name, **more}, new_key())
        assert raised.value.before_effect


async def test_each_mark_can_be_set_and_taken_back(full: MailBench) -> None:
    for state, unread, flagged in (
        ("read", False, False),
        ("flagged", False, True),
        ("unread", True, True),
        ("unflagged", True, False),
    ):
        asked, key = {"message": "1-2", "state": state}, new_key()
        before = await full.connector().reconcile("mail.mark", asked, key)
        assert before.finding is Finding.NOT_DONE
        outcome = await full.connector().execute("mail.mark", asked, key)
        assert outcome.status is ActionOutcome.CONFIRMED
        found = await listed(full)
        assert [(one["unread"], one["flagged"]) for one in found] == [
            (True, False),
            (unread, flagged),
            (True, False),
        ]


async def test_an_outbox_is_made_where_there_is_none_and_holds_no_word_of_the_message(
    mail: MailBench,
) -> None:
    await mail.start()
    for path in sorted((mail.account / f".{OUTBOX}").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    (mail.account / f".{OUTBOX}").rmdir()
    key = new_key()
    doubt = await mail.connector().reconcile(mail.tool, mail.arguments, key)
    assert doubt.finding is Finding.UNKNOWN
    outcome = await mail.connector().execute(mail.tool, mail.arguments, key)
    assert outcome.status is ActionOutcome.CONFIRMED
    [mark] = mail.filed(OUTBOX)
    assert key.encode() in mark
    for word in (b"jane.doe", b"pilot", b"Dear"):
        assert word not in mark


async def test_a_mark_goes_after_its_time_and_what_is_older_is_not_known_not_to_be_sent(
    mail: MailBench,
) -> None:
    await mail.start()
    old, asked = f"01900000-0000-{new_key()[14:]}", SendMail(**mail.arguments)
    marks = mail.account / f".{OUTBOX}" / "cur"
    for name, data in (("1", mark_of(asked, "ann@acme.example", old)), ("2", b"Subject: x\n\nx")):
        (marks / f"{name}:2,S").write_bytes(data)
        long_ago(marks / f"{name}:2,S")
    await mail.connector().execute(mail.tool, mail.arguments, new_key())
    left = mail.filed(OUTBOX)
    assert len(left) == 2
    assert any(b"Subject: x" in one for one in left)
    found = await mail.connector().reconcile(mail.tool, mail.arguments, old)
    assert found.finding is Finding.UNKNOWN


def long_ago(path: Path) -> None:
    os.utime(path, (1_600_000_000, 1_600_000_000))


async def begun(bench: MailBench, key: str, *flags: str, until: str) -> Outcome:
    """An execution whose far side is killed at a point it says it has reached."""
    await bench.start(*flags)
    assert bench.service is not None
    doing = asyncio.ensure_future(bench.connector().execute(bench.tool, bench.arguments, key))
    await bench.service.says(until)
    await bench.down()
    return await doing


async def test_a_server_killed_once_the_copy_is_filed_is_found_out_to_have_sent(
    mail: MailBench,
) -> None:
    key = new_key()
    outcome = await begun(mail, key, "--hold-copies", until="held a copy")
    assert outcome.status is ActionOutcome.UNKNOWN
    await mail.start()
    found = await mail.connector().reconcile(mail.tool, mail.arguments, key)
    assert found.finding is Finding.DONE
    again = await mail.connector().execute(mail.tool, mail.arguments, key)
    assert again.status is ActionOutcome.CONFIRMED
    assert mail.asked(key) == 1
    assert len(mail.filed("Sent")) == 1


async def test_a_refused_message_leaves_no_doubt_behind(mail: MailBench) -> None:
    await mail.start("--refuse-data")
    key = new_key()
    with pytest.raises(TargetRefused):
        await mail.connector().execute(mail.tool, mail.arguments, key)
    assert mail.filed(OUTBOX) == []
    found = await mail.connector().reconcile(mail.tool, mail.arguments, key)
    assert found.finding is Finding.NOT_DONE


async def test_a_sender_that_is_cancelled_while_it_waits_is_never_sent_again(
    mail: MailBench,
) -> None:
    await mail.start("--hold-answers")
    assert mail.service is not None
    key = new_key()
    doing = asyncio.ensure_future(mail.connector().execute(mail.tool, mail.arguments, key))
    await mail.service.says("held")
    doing.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await doing
    found = await mail.connector().reconcile(mail.tool, mail.arguments, key)
    assert found.finding is Finding.UNKNOWN
    again = await mail.connector().execute(mail.tool, mail.arguments, key)
    assert again.status is ActionOutcome.UNKNOWN
    assert mail.asked(key) == 1


async def test_a_copy_that_a_server_files_late_is_waited_for(tmp_path: Path) -> None:
    bench = FilingMailBench(tmp_path)
    await bench.start("--drop-writes")
    try:
        key = new_key()
        outcome = await bench.connector().execute(bench.tool, bench.arguments, key)
        assert outcome.status is ActionOutcome.UNKNOWN
        late = compose(SendMail(**bench.arguments), "ann@acme.example", key).as_bytes()
        (bench.account / ".Sent" / "new" / "late").write_bytes(late)
        found = await bench.connector().reconcile(bench.tool, bench.arguments, key)
        assert found.finding is Finding.DONE
    finally:
        await bench.down()


async def test_a_draft_that_was_changed_since_is_not_confirmed(tmp_path: Path) -> None:
    bench = DraftBench(tmp_path)
    await bench.start()
    try:
        key = new_key()
        await bench.connector().execute(bench.tool, bench.arguments, key)
        other = {**bench.arguments, "body": "by another hand"}
        found = await bench.connector().reconcile(bench.tool, other, key)
        assert found.finding is Finding.DONE
        assert found.outcome is not None
        assert found.outcome.status is ActionOutcome.UNKNOWN
    finally:
        await bench.down()


HONEST = {
    "CAPABILITY": b"* CAPABILITY IMAP4rev1\r\nTAG OK done\r\n",
    "LOGIN": b"TAG OK in\r\n",
    "EXAMINE": b"* 1 EXISTS\r\n* OK [UIDVALIDITY 1] x\r\nTAG OK [READ-ONLY] examined\r\n",
    "SEARCH": b"* SEARCH 1\r\nTAG OK found\r\n",
}


@contextlib.asynccontextmanager
async def far_side(home: Path, answers: dict[str, bytes]) -> AsyncIterator[MailBench]:
    """An IMAP server that answers as it is told, and what it is not told with silence."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            writer.write(b"* OK ready\r\n")
            while words := (await reader.readuntil(b"\r\n")).split():
                verb = words[2] if words[1:2] == [b"UID"] else b"".join(words[1:2])
                answer = {**HONEST, **answers}.get(verb.decode(), b"")
                writer.write(answer.replace(b"TAG", words[0]))
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    bench = MailBench(home)
    await bench.start()
    (home / "imap.port").write_text(str(server.sockets[0].getsockname()[1]))
    try:
        yield bench
    finally:
        server.close()
        await bench.down()


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        ({"LOGIN": b"TAG NO who are you\r\n"}, Denied),
        ({"LOGIN": b"* BYE overloaded\r\n"}, Unreachable),
        ({"EXAMINE": b"TAG NO [NONEXISTENT] no\r\n"}, BadTarget),
        ({"EXAMINE": b"TAG OK examined, but what\r\n"}, Garbled),
        ({"SEARCH": b"TAG BAD what\r\n"}, TargetRefused),
        ({"SEARCH": b"* SEARCH x\r\nTAG OK done\r\n"}, Garbled),
        ({"SEARCH": b"* SEARCH" + b" 1" * 600_000}, Garbled),
        ({"FETCH": b"* 1 FETCH (UID 1 BODY[] {9999999999}\r\n"}, Unreachable),
        ({"FETCH": b"* 1 FETCH (((((((\r\nTAG OK done\r\n"}, Garbled),
        ({"FETCH": b"* 1 FETCH (UID 1)\r\nTAG OK done\r\n"}, Garbled),
        ({}, Unreachable),
    ],
)
async def test_an_answer_that_is_none_is_told_and_nothing_is_done(
    tmp_path: Path, answers: dict[str, bytes], error: type[Exception]
) -> None:
    async with far_side(tmp_path, answers) as bench, asyncio.timeout(DEADLINE_S):
        with pytest.raises(error):
            await bench.connector(timeout_s=2.0).execute("mail.list", {}, new_key())


async def test_a_draft_whose_filing_is_not_answered_for_is_unknown(tmp_path: Path) -> None:
    answers = {"SEARCH": b"* SEARCH\r\nTAG OK none\r\n", "APPEND": b"+ go on\r\n"}
    async with far_side(tmp_path, answers) as bench:
        drafting = bench.connector(timeout_s=2.0)
        outcome = await drafting.execute("mail.draft", DraftBench.arguments, new_key())
    assert outcome.status is ActionOutcome.UNKNOWN


async def test_nothing_is_sent_where_the_mark_is_not_answered_for(tmp_path: Path) -> None:
    answers = {
        "SEARCH": b"* SEARCH\r\nTAG OK none\r\n",
        "LIST": b'* LIST () "/" "AnyTeam Outbox"\r\nTAG OK done\r\n',
        "SELECT": HONEST["EXAMINE"],
        "APPEND": b"+ go on\r\n",
    }
    async with far_side(tmp_path, answers) as bench:
        with pytest.raises(Unreachable):
            await bench.connector(timeout_s=2.0).execute(bench.tool, bench.arguments, new_key())
        assert bench.entries() == []
