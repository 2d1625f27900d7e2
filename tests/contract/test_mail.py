"""What the mail connector owes besides: hostile messages, truth at each crash point, TLS."""

import ssl
import time
from email import policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bus.tls import ensure_tls
from schemas.actions import ActionOutcome
from schemas.connectors import ImapSettings, MailSettings, SmtpSettings
from schemas.sections import Tls
from sidecar.connectors.composing import MAX_ADDRESSES, SendMail, compose, same_message
from sidecar.connectors.connector import MAX_RESULT_BYTES, Finding, bounded
from sidecar.connectors.mail import MailConnector
from sidecar.connectors.message import MAX_MESSAGE_BYTES, said
from sidecar.errors import BadArguments, BadConnector, BadTarget, ConnectorError, Unreachable
from tests.contract.mail_benches import MailBench
from tests.contract.services import new_key

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


@settings(deadline=None, max_examples=80)
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
def test_no_message_breaks_the_reader(data: bytes) -> None:
    try:
        told = said(data, len(data))
    except ConnectorError:
        return
    assert len(msgspec.json.encode(told)) <= MAX_RESULT_BYTES


def test_text_hidden_in_html_is_shown() -> None:
    assert said(HOSTILE[6], len(HOSTILE[6]))["text"] == "hello\nhidden\nx"


def test_a_message_over_the_bound_is_cut_and_says_so() -> None:
    data = b"Subject: large\n\n" + "é".encode() * 500_000
    told = said(data, len(data))
    assert told["truncated"]
    assert len(msgspec.json.encode(told)) <= MAX_RESULT_BYTES
    assert said(b"Subject: small\n\nx", 10_000)["truncated"]


def _nested(depth: int) -> bytes:
    parts = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(depth)
    )
    return parts + b"x\n" * 500_000


FIELD = b";a=b" * (MAX_MESSAGE_BYTES // 4)
BOMBS = {
    "parts in parts in parts": _nested(900),
    "parts in parts, as deep as is read": _nested(30),
    "a million parts": b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\n" * 800_000,
    "many parts with long fields": b"Content-Type: multipart/mixed; boundary=b\n\n"
    + (b"--b\nContent-Type: text/plain" + b";a=b" * 500 + b"\n\n") * 2_000,
    "one field as long as the message": b"Content-Type: text/plain" + FIELD,
    "one address list as long as the message": b"From: " + b"a," * (MAX_MESSAGE_BYTES // 2),
    "tags that never end": b"Content-Type: text/html\n\n" + b"<a " * (MAX_MESSAGE_BYTES // 3),
    "tags in tags in tags": b"Content-Type: text/html\n\n" + b"<div><b>" * 100_000,
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_no_message_keeps_the_reader_busy_for_long(bomb: str) -> None:
    data = BOMBS[bomb]
    before = time.process_time()
    try:
        said(data, len(data))
    except BadTarget:
        pass
    assert time.process_time() - before < 20


def test_attachments_are_told_by_name_type_and_size_and_not_given() -> None:
    message = EmailMessage()
    message["Subject"] = "the plan"
    message.set_content("see the plan\n")
    message.add_alternative("<p>see the plan</p>", subtype="html")
    message.add_attachment(b"\x00" * 3000, "application", "pdf", filename="plän.pdf")
    message.add_attachment("a,b\n", subtype="csv", filename="../../x\t.csv")
    data = message.as_bytes()
    told = said(data, len(data))
    assert told["text"] == "see the plan\n"
    assert told["attachments"] == [
        {"name": "plän.pdf", "type": "application/pdf", "bytes": 3000},
        {"name": "../../x .csv", "type": "text/csv", "bytes": 4},
    ]


@given(value=st.recursive(st.text() | st.integers() | st.none(), st.lists, max_leaves=20))
@example(value='"\\\x00' * MAX_RESULT_BYTES)
@example(value="é" * MAX_RESULT_BYTES)
def test_a_bounded_result_is_whole_or_says_that_it_is_not(value: object) -> None:
    shown = bounded(value)
    assert len(msgspec.json.encode(shown)) <= MAX_RESULT_BYTES
    assert shown == value or (isinstance(shown, dict) and shown["truncated"])


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
    with pytest.raises(BadTarget):
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


@pytest.mark.parametrize("smtp_tls", ["starttls", "implicit"])
@pytest.mark.asyncio
async def test_mail_leaves_over_tls_and_only_to_a_server_that_is_vouched_for(
    mail: MailBench, tmp_path: Path, smtp_tls: Tls
) -> None:
    tls = ensure_tls(tmp_path / "tls")
    flags = ["--implicit-tls"] if smtp_tls == "implicit" else []
    await mail.start("--cert", str(tls.server[0]), "--key", str(tls.server[1]), *flags)
    vouched = ssl.create_default_context(cafile=str(tls.ca))
    key = new_key()
    with pytest.raises(Unreachable):
        await mail.connector(smtp_tls=smtp_tls, imap_tls="implicit").execute(
            mail.tool, mail.arguments, key
        )
    with pytest.raises(ConnectorError):
        await mail.connector(timeout_s=2.0).execute(mail.tool, mail.arguments, key)
    with pytest.raises(ConnectorError):
        await mail.connector(timeout_s=2.0, imap_tls="implicit", context=vouched).execute(
            mail.tool, mail.arguments, key
        )
    assert mail.entries() == []
    sending = mail.connector(smtp_tls=smtp_tls, imap_tls="implicit", context=vouched)
    assert (await sending.reconcile(mail.tool, mail.arguments, key)).finding is Finding.NOT_DONE
    outcome = await sending.execute(mail.tool, mail.arguments, key)
    assert outcome.status is ActionOutcome.CONFIRMED


def test_a_sender_that_is_no_address_is_refused() -> None:
    settings = MailSettings(
        sender="Ann <ann@acme.example>", smtp=SmtpSettings(port=25), imap=ImapSettings(port=993)
    )
    with pytest.raises(BadConnector, match="no mail address"):
        MailConnector(settings, "not-a-real-password")
