"""Messages made from their arguments and key alone, and told apart from any other.

The same key makes the same message (RFC 5322), under a Message-ID that is the key's: by it
a copy is found again, and compared with what was asked. Addresses are dot-strings at domain
names, so that no argument can add a recipient, a header or a command.
"""

import hashlib
import re
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime, getaddresses
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from sidecar.connectors.connector import ONE_LINE, key_milliseconds
from sidecar.connectors.message import TRIPPED, field, parse, text_of
from sidecar.errors import BadArguments, BadConnector, BadTarget

MAX_ADDRESSES: Final = 20

# A dot-string at a domain name (RFC 5321 section 4.1.2): no quoting, no literal, no comment.
ADDRESS: Final = (
    r"^[A-Za-z0-9_%+-]{1,64}(\.[A-Za-z0-9_%+-]{1,64}){0,8}"
    r"@[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
    r"(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?){0,8}$(?!\n)"
)
Address = Annotated[str, Meta(pattern=ADDRESS, max_length=254)]
Addresses = Annotated[tuple[Address, ...], Meta(max_length=MAX_ADDRESSES)]
Subject = Annotated[str, Meta(pattern=ONE_LINE, max_length=200)]
Body = Annotated[str, Meta(pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*$", max_length=20_000)]

MARK_HEADER: Final = "X-AnyTeam-Mark"


class SendMail(Struct, frozen=True, forbid_unknown_fields=True):
    """One message in plain text."""

    to: Annotated[tuple[Address, ...], Meta(min_length=1, max_length=MAX_ADDRESSES)]
    subject: Subject
    body: Body
    cc: Addresses = ()


class DraftMail(Struct, frozen=True, forbid_unknown_fields=True):
    """One message in plain text, which may lack its recipients."""

    subject: Subject
    body: Body
    to: Addresses = ()
    cc: Addresses = ()


def check_sender(sender: str, setting: str) -> str:
    """`sender` if it is an address. Raises `BadConnector`, naming the setting."""
    if not re.fullmatch(ADDRESS, sender):
        raise BadConnector(f"the sender {sender!r} is no mail address", fix=f"set {setting}")
    return sender


def recipients(asked: SendMail | DraftMail) -> tuple[str, ...]:
    """Everybody once, in order."""
    return tuple(dict.fromkeys((*asked.to, *asked.cc)))


def message_id_of(key: str, sender: str) -> str:
    """`<key@organisation>`."""
    return f"<{key}@{sender.rpartition('@')[2]}>"


def compose(asked: SendMail | DraftMail, sender: str, key: str) -> EmailMessage:
    """The message, dated by its key. Raises `BadArguments`."""
    message = _headed(sender, key)
    try:
        if asked.to:
            message["To"] = ", ".join(asked.to)
        if asked.cc:
            message["Cc"] = ", ".join(asked.cc)
        message["Subject"] = asked.subject
        message["X-Idempotency-Key"] = key
        message.set_content(asked.body, cte="quoted-printable")
        message.as_bytes()
    except TRIPPED as error:
        # A line break in a header, or text that no charset can carry.
        raise BadArguments("the arguments make no message") from error
    return message


def same_message(copy: bytes, asked: SendMail | DraftMail, sender: str, key: str) -> bool:
    """Whether a copy says what was asked: sender, recipients, subject, body and key."""
    try:
        found = parse(copy)
    except BadTarget:
        return False
    sent = compose(asked, sender, key)
    return (
        _addresses(field(found, "From")) == [sender.lower()]
        and _addresses(field(found, "To")) == _lower(asked.to)
        and _addresses(field(found, "Cc")) == _lower(asked.cc)
        and field(found, "Subject").strip() == field(sent, "Subject").strip()
        and field(found, "X-Idempotency-Key") == key
        and text_of(found).rstrip("\n") == text_of(sent).rstrip("\n")
    )


def mark_of(asked: SendMail, sender: str, key: str) -> bytes:
    """The note that this message is about to be sent: its digest, and nothing of what it says."""
    digest = hashlib.sha256(msgspec.json.encode(asked, order="deterministic")).hexdigest()
    mark = _headed(sender, key)
    mark["Subject"] = "A message is being sent"
    mark[MARK_HEADER] = digest
    mark.set_content(
        "This notes that a message is handed to the mail server, under its Message-ID. Leave it"
        " here: it is what keeps the message from being sent twice. It is removed by itself.\n"
    )
    return mark.as_bytes(policy=policy.SMTP)


def _headed(sender: str, key: str) -> EmailMessage:
    message = EmailMessage(policy=policy.SMTP)
    message["From"] = sender
    message["Date"] = format_datetime(datetime.fromtimestamp(key_milliseconds(key) / 1000, UTC))
    message["Message-ID"] = message_id_of(key, sender)
    return message


def _addresses(listed: str) -> list[str]:
    return sorted(address.lower() for _, address in getaddresses([listed]) if address)


def _lower(addresses: tuple[str, ...]) -> list[str]:
    return sorted(address.lower() for address in addresses)
