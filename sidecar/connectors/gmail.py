"""The mail connector over the Gmail API: the same tools, by REST.

Sending has no idempotency key, but drafts do: a message is kept as a draft under the Message-ID
of its key, and the draft is sent, which ends it. Whoever sends it again finds no draft, so that
one key is one message. A draft that is still there was not sent, on the server's word. Search
may lag behind the mailbox, so the newest sent mail and drafts are looked through besides, and
that nothing is found counts only once the key is old enough.
"""

from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from typing import Any, Final

import msgspec
from tenacity import AsyncRetrying, retry_if_result, stop_after_delay, wait_exponential

from schemas.connectors import GmailSettings
from schemas.tools import Tool
from sidecar.connectors.composing import (
    DraftMail,
    SendMail,
    check_sender,
    compose,
    message_id_of,
    recipients,
    same_message,
)
from sidecar.connectors.connector import (
    Finding,
    Found,
    Outcome,
    arguments_as,
    check_key,
    confirmed,
    failed,
    key_milliseconds,
    unknown,
)
from sidecar.connectors.gmail_api import Draft, GmailApi, Message
from sidecar.connectors.http import HttpService
from sidecar.connectors.mail_tools import (
    MAIL_TOOLS,
    ListMail,
    MarkMail,
    ReadMail,
    SearchMail,
    day_of,
)
from sidecar.connectors.message import heading, said
from sidecar.errors import (
    BadArguments,
    BadTarget,
    ConnectorError,
    Denied,
    Garbled,
    TargetRefused,
    Unanswered,
    Unreachable,
)

_LABELS: Final = {
    "read": ("UNREAD", False),
    "unread": ("UNREAD", True),
    "flagged": ("STARRED", True),
    "unflagged": ("STARRED", False),
}


class GmailConnector:
    """See the module's docstring. Times are in seconds. Raises `BadConnector`.

    `settle_s` is how long what the service lists may lag behind.
    """

    tools: tuple[Tool, ...] = MAIL_TOOLS

    def __init__(
        self,
        settings: GmailSettings,
        token: str,
        *,
        timeout_s: float = 15.0,
        settle_s: float = 20.0,
    ) -> None:
        self._sender = check_sender(settings.sender, "connectors.gmail.sender")
        self._api = GmailApi(HttpService(settings.url, token, timeout_s=timeout_s))
        self._settle_s = settle_s

    async def execute(self, tool: str, arguments: dict[str, Any], key: str) -> Outcome:
        check_key(key)
        if tool == "mail.list":
            return await self._list("", arguments_as(ListMail, arguments).limit)
        if tool == "mail.search":
            search = arguments_as(SearchMail, arguments)
            return await self._list(_query(search), search.limit)
        if tool == "mail.read":
            return await self._read(arguments_as(ReadMail, arguments).message)
        if tool == "mail.send":
            return await self._send(arguments_as(SendMail, arguments), key)
        if tool == "mail.draft":
            return await self._draft(arguments_as(DraftMail, arguments), key)
        if tool == "mail.mark":
            return await self._mark(arguments_as(MarkMail, arguments))
        raise BadArguments("this connector does not serve that tool")

    async def reconcile(self, tool: str, arguments: dict[str, Any], key: str) -> Found:
        check_key(key)
        asked: SendMail | DraftMail
        try:
            if tool == "mail.send":
                asked = arguments_as(SendMail, arguments)
                found = await self._settled(key)
                sent = [one for one in found if "SENT" in one.label_ids]
                done = self._compared(sent, asked, key) if sent else None
            elif tool == "mail.draft":
                asked = arguments_as(DraftMail, arguments)
                found = await self._settled(key)
                # One that a person has sent since was drafted all the same.
                done = self._compared(found, asked, key) if found else None
            elif tool == "mail.mark":
                done = await self._marked(arguments_as(MarkMail, arguments))
            else:
                return Found(Finding.NOT_DONE)
        except BadArguments:
            raise
        except ConnectorError as error:
            return Found(Finding.UNKNOWN, detail=str(error))
        return Found(Finding.NOT_DONE) if done is None else Found(Finding.DONE, done)

    async def _list(self, query: str, limit: int) -> Outcome:
        found = await self._api.heads(query, limit)
        listed = [_line(message) for message in found]
        return confirmed(
            msgspec.json.encode(listed), f"{len(listed)} messages", {"messages": listed}
        )

    async def _read(self, name: str) -> Outcome:
        message = await self._api.message(name)
        data = message.data or _head(message).as_bytes(policy=policy.SMTP)
        told = said(data, len(data) if message.raw else message.size_estimate)
        size = {"message": name, "bytes": message.size_estimate}
        return confirmed(data, f"read {len(data)} bytes", {**size, **told})

    async def _send(self, asked: SendMail, key: str) -> Outcome:
        found = await self._found(key)
        sent = [one for one in found if "SENT" in one.label_ids]
        if sent:
            return self._compared(sent, asked, key)
        draft = await self._own_draft(found, asked, key)
        if draft is None:
            return unknown("the draft under this key reads otherwise, or was sent meanwhile")
        try:
            message = await self._api.send_draft(draft)
        except (Unanswered, Garbled) as error:
            return unknown(str(error))
        except BadTarget:
            return unknown("the draft was gone when it was to be sent: sent, or thrown away")
        except (Denied, TargetRefused):
            await self._discard(draft)
            raise
        try:
            copy = await self._api.message(message.id)
        except ConnectorError as error:
            return unknown(f"accepted, but it could not be read back: {error}")
        if "SENT" not in copy.label_ids:
            return unknown("accepted, but it is not among the sent mail", copy.data)
        return self._compared([copy], asked, key)

    async def _own_draft(
        self, found: tuple[Message, ...], asked: SendMail, key: str
    ) -> Draft | None:
        """The draft under this key, made where there is none; None where it is another's text,
        or was there and is gone.
        """
        for one in found:
            if "DRAFT" in one.label_ids:
                # One that was there and is gone was sent, or thrown away: not for us to repeat.
                same = same_message(one.data, asked, self._sender, key)
                return await self._api.draft_of(one.id) if same else None
        try:
            return await self._api.create_draft(self._composed(asked, key))
        except (Unanswered, Garbled) as error:
            raise Unreachable(
                f"nothing was sent, though a draft may be left: {error.what}"
            ) from error

    async def _discard(self, draft: Draft) -> None:
        try:
            await self._api.delete_draft(draft)
        except ConnectorError:
            # It was not sent, whether or not the draft stays.
            pass

    async def _draft(self, asked: DraftMail, key: str) -> Outcome:
        found = await self._found(key)
        if found:
            return self._compared(found, asked, key)
        try:
            draft = await self._api.create_draft(self._composed(asked, key))
        except (Unanswered, Garbled) as error:
            return unknown(str(error))
        try:
            copy = await self._api.message(draft.message.id)
        except BadTarget:
            return failed("accepted, but there is no such draft")
        except ConnectorError as error:
            return unknown(f"accepted, but it could not be read back: {error}")
        return self._compared([copy], asked, key)

    async def _mark(self, asked: MarkMail) -> Outcome:
        label, on = _LABELS[asked.state]
        await self._api.labels(asked.message)
        add, remove = ([label], []) if on else ([], [label])
        try:
            await self._api.relabel(asked.message, add=add, remove=remove)
        except (Unanswered, Garbled) as error:
            return unknown(str(error))
        try:
            done = await self._marked(asked)
        except ConnectorError as error:
            return unknown(f"accepted, but it could not be read back: {error}")
        return done or failed("accepted, but the message is not marked so")

    async def _marked(self, asked: MarkMail) -> Outcome | None:
        label, on = _LABELS[asked.state]
        labels = (await self._api.labels(asked.message)).label_ids
        if (label in labels) is not on:
            return None
        shown = {"message": asked.message, "labels": sorted(labels)}
        said_so = {"message": asked.message, "state": asked.state}
        return confirmed(msgspec.json.encode(shown), "the message is marked so", said_so)

    async def _found(self, key: str) -> tuple[Message, ...]:
        return await self._api.find(message_id_of(key, self._sender))

    async def _settled(self, key: str) -> tuple[Message, ...]:
        """What there is under the key, once search has caught up with when it was made."""
        left = self._settle_s - (datetime.now(UTC).timestamp() - key_milliseconds(key) / 1000)
        looking = AsyncRetrying(
            retry=retry_if_result(lambda found: not found),
            stop=stop_after_delay(max(0.0, min(left, self._settle_s))),
            wait=wait_exponential(multiplier=0.2, max=2.0),
            retry_error_callback=lambda state: state.outcome.result() if state.outcome else (),
        )
        return await looking(self._found, key)

    def _composed(self, asked: SendMail | DraftMail, key: str) -> bytes:
        return compose(asked, self._sender, key).as_bytes(policy=policy.SMTP)

    def _compared(
        self, copies: list[Message] | tuple[Message, ...], asked: SendMail | DraftMail, key: str
    ) -> Outcome:
        for copy in copies:
            if same_message(copy.data, asked, self._sender, key):
                result = {"message_id": message_id_of(key, self._sender)}
                if isinstance(asked, DraftMail):
                    return confirmed(copy.data, "drafted, and read back", result)
                count = len(recipients(asked))
                return confirmed(
                    copy.data,
                    f"sent to {count} recipients, copy read back",
                    {**result, "recipients": count},
                )
        return unknown("there is a message under this key, but it reads otherwise", copies[0].data)


def _query(asked: SearchMail) -> str:
    """Fields and quoted words, which hold no quotation mark."""
    terms = []
    if asked.sender:
        terms.append(f'from:"{asked.sender}"')
    if asked.subject:
        terms.append(f'subject:"{asked.subject}"')
    since = day_of(asked)
    if since is not None:
        begun = datetime(since.year, since.month, since.day, tzinfo=UTC)
        terms.append(f"after:{int(begun.timestamp())}")
    if asked.unread:
        terms.append("is:unread")
    return " ".join(terms)


def _line(message: Message) -> dict[str, Any]:
    arrived = message.internal_date
    received = datetime.fromtimestamp(int(arrived) / 1000, UTC) if arrived.isdecimal() else None
    return {
        "message": message.id,
        "bytes": message.size_estimate,
        "received": received.isoformat() if received else "",
        "unread": "UNREAD" in message.label_ids,
        "flagged": "STARRED" in message.label_ids,
        **heading(_head(message)),
    }


def _head(message: Message) -> EmailMessage:
    """The message's head as one that says no more."""
    head = EmailMessage()
    for field in message.payload.headers:
        if field.name.lower() in ("from", "to", "cc", "subject", "date") and field.name not in head:
            head[field.name] = " ".join(field.value.split())
    return head
