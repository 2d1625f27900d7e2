"""What the mail connector owes besides: hostile messages, faithful copies, TLS on the way out."""

import ssl
from email import policy
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bus.tls import ensure_tls
from schemas.actions import ActionOutcome
from sidecar.connectors.connector import MAX_RESULT_BYTES, Finding, bounded
from sidecar.connectors.mail import MailConnector
from sidecar.connectors.mailbox import read_message
from sidecar.connectors.outgoing import MAX_ADDRESSES, SendMail, compose, same_message
from sidecar.errors import BadArguments, BadConnector, BadTarget, ConnectorError, Unreachable
from tests.contract.services import MailBench, new_key

SENDER = "ann@acme.example"

LETTERS = st.characters(exclude_categories=["Cc", "Cs"])
ADDRESSES = st.from_regex(
    r"[a-zA-Z0-9_%+-]{1,20}(\.[a-z0-9_]{1,9}){0,3}@[a-z0-9]{1,20}\.example", fullmatch=True
)
MESSAGES = st.builds(
    SendMail,
    to=st.lists(ADDRESSES, min_size=1, max_size=MAX_ADDRESSES).map(tuple),
    subject=st.text(LETTERS, max_size=200),
    body=st.text(LETTERS | st.sampled_from("\n\t."), max_size=2000),
    cc=st.lists(ADDRESSES, max_size=3).map(tuple),
)


@given(asked=MESSAGES)
@settings(deadline=None, max_examples=60)
def test_a_copy_of_any_message_is_recognised_as_what_was_asked(asked: SendMail) -> None:
    key = new_key()
    try:
        copy = compose(asked, SENDER, key).as_bytes(policy=policy.SMTP)
    except BadArguments:
        # A subject with a Unicode line separator makes no header.
        assert len(asked.subject.splitlines()) > 1 or not asked.subject.isprintable()
        return
    assert same_message(b"Received: by mail.example\r\n" + copy, asked, SENDER, key)


CHANGES: dict[str, dict[str, Any]] = {
    "recipient": {"to": ("eve@evil.example",)},
    "copy": {"cc": ("eve@evil.example",)},
    "subject": {"subject": "another"},
    "body": {"body": "another"},
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_copy_that_says_anything_else_is_told_apart(change: str) -> None:
    key = new_key()
    asked = SendMail(to=("jane.doe@boeing.example",), subject="pilot", body="it went well")
    sent = msgspec.structs.replace(asked, **CHANGES[change])
    copy = compose(sent, SENDER, key).as_bytes(policy=policy.SMTP)
    assert not same_message(copy, asked, SENDER, key)
    assert not same_message(copy, sent, "eve@evil.example", key)
    assert not same_message(copy, sent, SENDER, new_key())


@pytest.mark.parametrize(
    "arguments",
    [
        {"subject": "hello\nBcc: eve@evil.example"},
        {"subject": "hello\n"},
        {"subject": "hello\u2028Bcc: eve@evil.example"},
        {"to": ["jane.doe@boeing.example\n"]},
        {"to": ["jane.doe@boeing.example, eve@evil.example"]},
        {"to": ["Jane <jane.doe@boeing.example>"]},
        {"to": []},
        {"to": [".@boeing.example"]},
        {"to": ["jane..doe@boeing.example"]},
        {"to": ["@boeing.example"]},
        {"cc": ["jane.doe@boeing.example>\r\nRCPT TO:<eve@evil.example"]},
        {"body": "hello\r\n.\r\nMAIL FROM:<eve@evil.example>"},
    ],
)
@pytest.mark.asyncio
async def test_no_argument_can_add_a_header_a_recipient_or_a_command(
    mail: MailBench, arguments: dict[str, str | list[str]]
) -> None:
    await mail.start()
    key = new_key()
    with pytest.raises(BadArguments):
        await mail.connector().execute(mail.tool, {**mail.arguments, **arguments}, key)
    assert mail.entries() == []


@pytest.mark.asyncio
async def test_a_line_with_a_lone_dot_ends_nothing(mail: MailBench) -> None:
    await mail.start()
    key, body = new_key(), "one\n.\nRCPT TO:<eve@evil.example>\n..\n"
    outcome = await mail.connector().execute(mail.tool, {**mail.arguments, "body": body}, key)
    assert outcome.status is ActionOutcome.CONFIRMED
    assert [entry["to"] for entry in mail.entries()] == [
        [*mail.arguments["to"], *mail.arguments["cc"]]
    ]


HOSTILE = [
    b"",
    b"\r\n\r\n",
    b"Subject",
    b'From: "\x80\xff\n\nbody',
    b"Content-Type: text/plain; charset=no-such\n\n\xff",
    b"Content-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: multipart/mixed\n\n--x",
    b"Content-Type: text/html; charset=utf-8\n\n<p>hello<!-- hidden --><script>x</script>",
    b"Content-Transfer-Encoding: base64\n\n!!!!",
    b"To: (((((((\nSubject: =?utf-8?q?=ff?= =?x?y?z?=\n\n",
    b"Content-Type: message/rfc822\n\nContent-Type: message/rfc822\n\n",
    b'Content-Type: multipart/mixed; boundary="a"\n\n--a\n'
    b"Content-Disposition: attachment; filename*=utf-8''%ff%00\n\nx\n--a--\n",
]


@settings(
    deadline=None, max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    data=st.one_of(
        st.binary(max_size=400),
        st.lists(st.sampled_from(HOSTILE) | st.binary(max_size=60), max_size=5).map(b"\n".join),
    )
)
@example(data=HOSTILE[0])
@example(data=HOSTILE[3])
@example(data=HOSTILE[4])
@example(data=HOSTILE[5])
@example(data=HOSTILE[7])
@example(data=HOSTILE[8])
@example(data=HOSTILE[10])
def test_no_message_breaks_the_reader(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "m.eml").write_bytes(data)
    try:
        evidence, said = read_message(tmp_path, "m.eml")
    except ConnectorError:
        return
    assert evidence == data
    assert len(msgspec.json.encode(said)) <= MAX_RESULT_BYTES


def test_text_hidden_in_html_is_shown(tmp_path: Path) -> None:
    (tmp_path / "m.eml").write_bytes(HOSTILE[6])
    assert read_message(tmp_path, "m.eml")[1]["text"] == "hello\nhidden\nx"


def test_a_message_over_the_bound_is_cut_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "m.eml").write_text("Subject: large\n\n" + "é" * 500_000)
    said = read_message(tmp_path, "m.eml")[1]
    assert said["truncated"]
    assert len(msgspec.json.encode(said)) <= MAX_RESULT_BYTES


@given(value=st.recursive(st.text() | st.integers() | st.none(), st.lists, max_leaves=20))
@example(value='"\\\x00' * MAX_RESULT_BYTES)
@example(value="é" * MAX_RESULT_BYTES)
def test_a_bounded_result_is_whole_or_says_that_it_is_not(value: object) -> None:
    shown = bounded(value)
    assert len(msgspec.json.encode(shown)) <= MAX_RESULT_BYTES
    assert shown == value or (isinstance(shown, dict) and shown["truncated"])


@pytest.mark.asyncio
async def test_the_newest_messages_are_listed_first_and_stray_files_not_at_all(
    mail: MailBench,
) -> None:
    await mail.start()
    (mail.inbox / "0002-later.eml").write_text("Subject: later\n\n")
    (mail.inbox / "notes.txt").write_text("Subject: no message\n\n")
    (mail.inbox / "link.eml").symlink_to(mail.inbox / "notes.txt")
    listed = await mail.connector().execute("mail.list", {}, new_key())
    assert [found["message"] for found in listed.result["messages"]] == [
        "0002-later.eml",
        "0001-boeing.eml",
    ]


@pytest.mark.asyncio
async def test_a_key_that_stands_for_another_message_sends_nothing(mail: MailBench) -> None:
    await mail.start()
    key, other = new_key(), {**mail.arguments, "to": ["luc.martin@airbus.example"]}
    await mail.connector().execute(mail.tool, mail.arguments, key)
    outcome = await mail.connector().execute(mail.tool, other, key)
    assert outcome.status is ActionOutcome.UNKNOWN
    assert len(mail.effects(key)) == 1
    found = await mail.connector().reconcile(mail.tool, other, key)
    assert found.outcome is not None
    assert found.outcome.status is ActionOutcome.UNKNOWN


@pytest.mark.asyncio
async def test_nothing_is_sent_where_the_sent_folder_cannot_be_read(mail: MailBench) -> None:
    await mail.start()
    connector, key = mail.connector(), new_key()
    mail.blind()
    with pytest.raises(Unreachable):
        await connector.execute(mail.tool, mail.arguments, key)
    assert mail.entries() == []


@pytest.mark.asyncio
async def test_one_refused_recipient_means_that_nothing_is_sent(mail: MailBench) -> None:
    await mail.start("--refuse", "sam.ortiz@boeing.example")
    key = new_key()
    with pytest.raises(ConnectorError) as raised:
        await mail.connector().execute(mail.tool, mail.arguments, key)
    assert raised.value.before_effect
    assert mail.entries() == []


@pytest.mark.asyncio
async def test_mail_leaves_over_tls_and_only_to_a_server_that_is_vouched_for(
    mail: MailBench, tmp_path: Path
) -> None:
    tls = ensure_tls(tmp_path / "tls")
    await mail.start("--cert", str(tls.server[0]), "--key", str(tls.server[1]))
    vouched = ssl.create_default_context(cafile=str(tls.ca))
    key = new_key()
    with pytest.raises(Unreachable):
        await mail.connector(starttls=True).execute(mail.tool, mail.arguments, key)
    with pytest.raises(ConnectorError):
        await mail.connector().execute(mail.tool, mail.arguments, key)
    assert mail.entries() == []
    sending = mail.connector(starttls=True, context=vouched)
    assert (await sending.reconcile(mail.tool, mail.arguments, key)).finding is Finding.NOT_DONE
    outcome = await sending.execute(mail.tool, mail.arguments, key)
    assert outcome.status is ActionOutcome.CONFIRMED


def test_a_sender_that_is_no_address_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadConnector, match="no mail address"):
        MailConnector(
            host="127.0.0.1",
            port=25,
            sender="Ann <ann@acme.example>",
            inbox=tmp_path,
            sent=tmp_path,
        )


@pytest.mark.parametrize("name", ["m.txt", ".m.eml", "m.eml\n", "../m.eml", ""])
def test_only_a_messages_own_name_names_it(tmp_path: Path, name: str) -> None:
    (tmp_path / "m.eml").write_text("Subject: m\n\n")
    with pytest.raises(BadTarget):
        read_message(tmp_path, name)
