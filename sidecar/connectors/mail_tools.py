"""The mail tools as declared: one set, whatever protocol serves them.

Whoever writes a message chooses its sender's address, subject, date and text, so those are
nobody's word. What the server keeps by itself is trusted: a message's name, size, time of
arrival and flags. A search has named fields and no query language.
"""

from datetime import date
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from schemas.tools import Effect, Reach, Tool, Trust
from sidecar.connectors.composing import DraftMail, SendMail
from sidecar.connectors.connector import schema_of
from sidecar.errors import BadArguments

MAX_LISTED: Final = 25

MESSAGE_NAME: Final = r"^[0-9A-Za-z]{1,20}(-[0-9A-Za-z]{1,20})?$(?!\n)"

Limit = Annotated[int, Meta(ge=1, le=MAX_LISTED)]
Message = Annotated[str, Meta(pattern=MESSAGE_NAME, max_length=41)]
# Nothing that a server's query could take for more than words.
Words = Annotated[str, Meta(pattern=r'^[^\x00-\x1f\x7f"\\(){}%*\[\]]*$(?!\n)', max_length=100)]
Day = Annotated[str, Meta(pattern=r"^(\d{4}-\d{2}-\d{2})?$(?!\n)", max_length=10)]
State = Literal["read", "unread", "flagged", "unflagged"]


class ListMail(Struct, frozen=True, forbid_unknown_fields=True):
    """The newest `limit` messages."""

    limit: Limit = MAX_LISTED


class SearchMail(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The newest messages that meet all that is said.

    `sender` and `subject` are words of these fields, `since` is a day (YYYY-MM-DD).
    """

    sender: Words = ""
    subject: Words = ""
    since: Day = ""
    unread: bool = False
    limit: Limit = MAX_LISTED


class ReadMail(Struct, frozen=True, forbid_unknown_fields=True):
    """`message` is a name from `mail.list` or `mail.search`."""

    message: Message


class MarkMail(Struct, frozen=True, forbid_unknown_fields=True):
    """`message` is a name from `mail.list` or `mail.search`."""

    message: Message
    state: State


def day_of(asked: SearchMail) -> date | None:
    """The first day that is searched. Raises `BadArguments`."""
    try:
        return date.fromisoformat(asked.since) if asked.since else None
    except ValueError:
        raise BadArguments("`since` is no day", fix="write it as YYYY-MM-DD") from None


_OF_THE_SERVER: Final = ("message", "bytes", "received", "unread", "flagged")

MAIL_TOOLS: Final = (
    Tool(
        name="mail.list",
        summary="List the newest messages of the inbox",
        arguments=schema_of(ListMail),
        effect=Effect.READ,
        trust=Trust.UNTRUSTED,
        trusted=_OF_THE_SERVER,
    ),
    Tool(
        name="mail.search",
        summary="Search the inbox by sender, subject, day or whether it was read",
        arguments=schema_of(SearchMail),
        effect=Effect.READ,
        trust=Trust.UNTRUSTED,
        trusted=_OF_THE_SERVER,
    ),
    Tool(
        name="mail.read",
        summary="Read one message of the inbox as text",
        arguments=schema_of(ReadMail),
        effect=Effect.READ,
        objects=("message",),
        trust=Trust.UNTRUSTED,
        trusted=("message",),
    ),
    Tool(
        name="mail.send",
        summary="Send one message in plain text",
        arguments=schema_of(SendMail),
        effect=Effect.COMMUNICATION,
        destinations=("to", "cc"),
        contents=("subject", "body"),
        confirm="accepted by the server; the copy among the sent mail has its Message-ID and text",
    ),
    Tool(
        name="mail.draft",
        summary="Draft one message, which a person may send",
        arguments=schema_of(DraftMail),
        effect=Effect.MUTATION,
        destinations=("to", "cc"),
        contents=("subject", "body"),
        reach=Reach.INSIDE,
        confirm="the draft is found by its Message-ID among the drafts and compared",
    ),
    Tool(
        name="mail.mark",
        summary="Mark one message as read, unread, flagged or unflagged",
        arguments=schema_of(MarkMail),
        effect=Effect.MUTATION,
        objects=("message",),
        contents=("state",),
        reach=Reach.INSIDE,
        confirm="the message is fetched again and marked so",
    ),
)
