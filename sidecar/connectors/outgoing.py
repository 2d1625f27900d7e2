"""Sending one message over SMTP (RFC 5321), step by step, so that a failure tells its phase.

Until the server is handed the message's data nothing can have been sent; from then until
it answers, only the server knows. All recipients are accepted, or nothing is sent. The
message is made from its arguments and key alone: the same key makes the same message.
"""

import re
import ssl
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime, getaddresses
from typing import Annotated, Final

import aiosmtplib
from msgspec import Meta, Struct

from sidecar.connectors.connector import ONE_LINE, key_milliseconds
from sidecar.connectors.http import is_this_machine
from sidecar.connectors.mailbox import TRIPPED, field, parse, text_of
from sidecar.errors import (
    BadArguments,
    BadConnector,
    Denied,
    TargetRefused,
    Unanswered,
    Unreachable,
)

MAX_ADDRESSES: Final = 20

# A dot-string at a domain name (RFC 5321 section 4.1.2): no quoting, no literal, no comment.
_ADDRESS: Final = (
    r"^[A-Za-z0-9_%+-]{1,64}(\.[A-Za-z0-9_%+-]{1,64}){0,8}"
    r"@[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
    r"(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?){0,8}$(?!\n)"
)
Address = Annotated[str, Meta(pattern=_ADDRESS, max_length=254)]


class SendMail(Struct, frozen=True, forbid_unknown_fields=True):
    """One message in plain text."""

    to: Annotated[tuple[Address, ...], Meta(min_length=1, max_length=MAX_ADDRESSES)]
    subject: Annotated[str, Meta(pattern=ONE_LINE, max_length=200)]
    body: Annotated[str, Meta(pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*$", max_length=20_000)]
    cc: Annotated[tuple[Address, ...], Meta(max_length=MAX_ADDRESSES)] = ()


class SmtpServer:
    """Where mail goes out, from `user`, who is the sender too. Times are in seconds.

    Raises `BadConnector` where a password would travel in the clear, or `user` is no address.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        user: str,
        password: str,
        starttls: bool,
        timeout_s: float,
        context: ssl.SSLContext | None = None,
    ) -> None:
        if not re.fullmatch(_ADDRESS, user):
            raise BadConnector(
                f"the sender {user!r} is no mail address", fix="set connectors.mail.sender"
            )
        if password and not starttls and not is_this_machine(host):
            raise BadConnector(
                "the mail password would travel in the clear", fix="set connectors.mail.starttls"
            )
        self._host, self._port = host, port
        self._user, self._password = user, password
        self._starttls = starttls
        self._timeout_s = timeout_s
        self._context = context

    async def send(self, message: EmailMessage, sender: str, recipients: tuple[str, ...]) -> None:
        """Return once the server has taken the message for all recipients.

        Raises `Unreachable`, `Denied` or `TargetRefused` where nothing was sent, `Unanswered`
        where it may have been.
        """
        client = aiosmtplib.SMTP(
            hostname=self._host,
            port=self._port,
            start_tls=self._starttls,
            tls_context=self._context,
            timeout=self._timeout_s,
        )
        try:
            await self._prepare(client, sender, recipients)
            await _hand_over(client, message.as_bytes(policy=policy.SMTP))
            await _part(client)
        finally:
            client.close()

    async def _prepare(
        self, client: aiosmtplib.SMTP, sender: str, recipients: tuple[str, ...]
    ) -> None:
        try:
            await client.connect()
            if self._password:
                await client.login(self._user, self._password)
            await client.mail(sender)
            for recipient in recipients:
                await client.rcpt(recipient)
        except aiosmtplib.SMTPNotSupported as error:
            raise Denied("the mail server offers no login that we know") from error
        except aiosmtplib.SMTPResponseException as error:
            if error.code in (454, 530, 534, 535, 538):
                raise Denied(
                    f"the mail server wants another credential ({error.code})",
                    fix="renew the credential `mail` in the vault",
                ) from error
            if isinstance(error, aiosmtplib.SMTPConnectResponseError):
                raise Unreachable(f"the mail server is not open ({error.code})") from error
            raise TargetRefused(f"the mail server refused ({error.code})") from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise Unreachable(
                f"the mail server cannot be reached: {type(error).__name__}"
            ) from error


async def _hand_over(client: aiosmtplib.SMTP, data: bytes) -> None:
    try:
        await client.data(data)
    except aiosmtplib.SMTPResponseException as error:
        if 400 <= error.code < 600:
            raise TargetRefused(f"the mail server refused the message ({error.code})") from error
        raise Unanswered("the mail server's answer is no reply") from error
    except (aiosmtplib.SMTPException, OSError) as error:
        raise Unanswered(f"sent, but not answered: {type(error).__name__}") from error


async def _part(client: aiosmtplib.SMTP) -> None:
    """Say goodbye; the message is taken, however that ends."""
    try:
        await client.quit()
    except (aiosmtplib.SMTPException, OSError):
        pass


def message_id_of(key: str, sender: str) -> str:
    """`<key@organisation>`."""
    return f"<{key}@{sender.rpartition('@')[2]}>"


def compose(asked: SendMail, sender: str, key: str) -> EmailMessage:
    """The message, dated by its key. Raises `BadArguments`."""
    message = EmailMessage(policy=policy.SMTP)
    date = datetime.fromtimestamp(key_milliseconds(key) / 1000, UTC)
    try:
        message["From"] = sender
        message["To"] = ", ".join(asked.to)
        if asked.cc:
            message["Cc"] = ", ".join(asked.cc)
        message["Subject"] = asked.subject
        message["Date"] = format_datetime(date)
        message["Message-ID"] = message_id_of(key, sender)
        message["X-Idempotency-Key"] = key
        message.set_content(asked.body, cte="quoted-printable")
        message.as_bytes()
    except TRIPPED as error:
        # A line break in a header, or text that no charset can carry.
        raise BadArguments("the arguments make no message") from error
    return message


def same_message(copy: bytes, asked: SendMail, sender: str, key: str) -> bool:
    """Whether a copy says what was asked: sender, recipients, subject, body and key."""
    found, sent = parse(copy), compose(asked, sender, key)
    return (
        _addresses(field(found, "From")) == [sender.lower()]
        and _addresses(field(found, "To")) == _lower(asked.to)
        and _addresses(field(found, "Cc")) == _lower(asked.cc)
        and field(found, "Subject").strip() == field(sent, "Subject").strip()
        and field(found, "X-Idempotency-Key") == key
        and text_of(found).rstrip("\n") == text_of(sent).rstrip("\n")
    )


def _addresses(listed: str) -> list[str]:
    return sorted(address.lower() for _, address in getaddresses([listed]) if address)


def _lower(addresses: tuple[str, ...]) -> list[str]:
    return sorted(address.lower() for address in addresses)
