"""The mail connector: a mailbox over IMAP, and sending over SMTP.

A message is named `UIDVALIDITY-UID` (RFC 3501 section 2.3.1.1), which never comes to mean
another one. What is filed under a key has the Message-ID that the key makes, and is confirmed
by fetching it again. Marking is confirmed by the flags: it is done where they read so.
"""

import asyncio
import ssl
from collections.abc import Awaitable
from email import policy
from typing import Any, Final

import msgspec

from schemas.connectors import MailSettings
from schemas.tools import Tool
from sidecar.connectors.composing import (
    DraftMail,
    SendMail,
    compose,
    message_id_of,
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
    unknown,
)
from sidecar.connectors.imap import ImapServer
from sidecar.connectors.mail_tools import (
    MAIL_TOOLS,
    ListMail,
    MarkMail,
    ReadMail,
    SearchMail,
    day_of,
)
from sidecar.connectors.mailbox import Criteria, Folder, Mailbox, Stored
from sidecar.connectors.message import heading, parse, said
from sidecar.connectors.outgoing import SmtpServer
from sidecar.connectors.sending import Sender
from sidecar.errors import BadArguments, BadTarget, ConnectorError, Unanswered

_FLAGS: Final = {
    "read": ("\\Seen", True),
    "unread": ("\\Seen", False),
    "flagged": ("\\Flagged", True),
    "unflagged": ("\\Flagged", False),
}


class MailConnector:
    """See the module's docstring. Times are in seconds. Raises `BadConnector`.

    `password` is for the login of both servers; `settle_s` is how long a copy among the sent
    mail may take to appear; `context` is the TLS context where the system's roots do not do.
    """

    tools: tuple[Tool, ...] = MAIL_TOOLS

    def __init__(
        self,
        settings: MailSettings,
        password: str,
        *,
        timeout_s: float = 15.0,
        settle_s: float = 20.0,
        context: ssl.SSLContext | None = None,
    ) -> None:
        smtp, imap = settings.smtp, settings.imap
        login = settings.user or settings.sender
        self._address = settings.sender
        self._folders = imap
        self._imap = ImapServer(
            imap.host,
            imap.port,
            user=login,
            password=password,
            tls=imap.tls,
            timeout_s=timeout_s,
            context=context,
        )
        server = SmtpServer(
            smtp.host,
            smtp.port,
            sender=settings.sender,
            user=login,
            password=password,
            tls=smtp.tls,
            timeout_s=timeout_s,
            context=context,
        )
        self._sender = Sender(server, self._imap, imap, sender=settings.sender, settle_s=settle_s)

    async def execute(self, tool: str, arguments: dict[str, Any], key: str) -> Outcome:
        check_key(key)
        if tool == "mail.list":
            asked = arguments_as(ListMail, arguments)
            return await self._list(asked.limit, None)
        if tool == "mail.search":
            search = arguments_as(SearchMail, arguments)
            return await self._list(search.limit, _criteria(search))
        if tool == "mail.read":
            return await self._read(arguments_as(ReadMail, arguments).message)
        if tool == "mail.send":
            return await self._sender.send(arguments_as(SendMail, arguments), key)
        if tool == "mail.draft":
            return await self._draft(arguments_as(DraftMail, arguments), key)
        if tool == "mail.mark":
            return await self._mark(arguments_as(MarkMail, arguments))
        raise BadArguments("this connector does not serve that tool")

    async def reconcile(self, tool: str, arguments: dict[str, Any], key: str) -> Found:
        check_key(key)
        if tool == "mail.send":
            return await self._sender.reconcile(arguments_as(SendMail, arguments), key)
        if tool == "mail.draft":
            return await _found(self._drafted(arguments_as(DraftMail, arguments), key))
        if tool == "mail.mark":
            mark = arguments_as(MarkMail, arguments)
            _named(mark.message)
            return await _found(self._marked(mark))
        return Found(Finding.NOT_DONE)

    async def _list(self, limit: int, criteria: Criteria | None) -> Outcome:
        found = await self._imap.run(
            lambda mailbox: mailbox.heads(self._folders.inbox, limit, criteria)
        )
        listed = [_line(found, stored) for stored in reversed(found.messages)]
        evidence = msgspec.json.encode(listed)
        return confirmed(evidence, f"{len(listed)} messages", {"messages": listed})

    async def _read(self, name: str) -> Outcome:
        validity, uid = _named(name)
        stored = await self._imap.run(
            lambda mailbox: mailbox.message(self._folders.inbox, validity, uid)
        )
        # A hostile message can take seconds to parse.
        told = await asyncio.to_thread(said, stored.data, stored.size)
        result = {"message": name, "bytes": stored.size, **told}
        return confirmed(stored.data, f"read {len(stored.data)} bytes", result)

    async def _draft(self, asked: DraftMail, key: str) -> Outcome:
        data = compose(asked, self._address, key).as_bytes(policy=policy.SMTP)
        drafts, message_id = self._folders.drafts, message_id_of(key, self._address)

        def file(mailbox: Mailbox) -> None:
            if not mailbox.find(drafts, message_id):
                mailbox.append(drafts, data, ("\\Draft", "\\Seen"))

        try:
            await self._imap.run(file)
        except Unanswered as error:
            return unknown(str(error))
        try:
            done = await self._drafted(asked, key)
        except ConnectorError as error:
            return unknown(f"accepted, but it could not be read back: {error}")
        return done or failed("accepted, but there is no such draft")

    async def _drafted(self, asked: DraftMail, key: str) -> Outcome | None:
        """The outcome where there is a draft under the key."""
        drafts, message_id = self._folders.drafts, message_id_of(key, self._address)
        copies = await self._imap.run(lambda mailbox: mailbox.find(drafts, message_id))
        for copy in copies:
            if same_message(copy, asked, self._address, key):
                return confirmed(copy, "drafted, and read back", {"message_id": message_id})
        if copies:
            return unknown("there is a draft under this key, but it reads otherwise", copies[0])
        return None

    async def _mark(self, asked: MarkMail) -> Outcome:
        validity, uid = _named(asked.message)
        flag, on = _FLAGS[asked.state]
        try:
            await self._imap.run(
                lambda mailbox: mailbox.flag(self._folders.inbox, validity, uid, flag, on=on)
            )
        except Unanswered as error:
            return unknown(str(error))
        try:
            done = await self._marked(asked)
        except ConnectorError as error:
            return unknown(f"accepted, but it could not be read back: {error}")
        return done or failed("accepted, but the message is not marked so")

    async def _marked(self, asked: MarkMail) -> Outcome | None:
        """The outcome where the message's flags read as asked."""
        validity, uid = _named(asked.message)
        flag, on = _FLAGS[asked.state]
        flags = await self._imap.run(
            lambda mailbox: mailbox.flags(self._folders.inbox, validity, uid)
        )
        if (flag in flags) is not on:
            return None
        shown = {"message": asked.message, "flags": sorted(flags)}
        return confirmed(
            msgspec.json.encode(shown),
            "the message is marked so",
            {"message": asked.message, "state": asked.state},
        )


async def _found(looking: Awaitable[Outcome | None]) -> Found:
    """What the mailbox shows; what hinders it is a doubt."""
    try:
        done = await looking
    except ConnectorError as error:
        return Found(Finding.UNKNOWN, detail=str(error))
    return Found(Finding.NOT_DONE) if done is None else Found(Finding.DONE, done)


def _criteria(asked: SearchMail) -> Criteria:
    criteria: Criteria = []
    if asked.sender:
        criteria += ["FROM", asked.sender]
    if asked.subject:
        criteria += ["SUBJECT", asked.subject]
    since = day_of(asked)
    if since is not None:
        criteria += ["SINCE", since]
    if asked.unread:
        criteria += ["UNSEEN"]
    return criteria


def _line(folder: Folder, stored: Stored) -> dict[str, Any]:
    try:
        told = heading(parse(stored.data))
    except BadTarget:
        told = {}
    return {
        "message": f"{folder.validity}-{stored.uid}",
        "bytes": stored.size,
        "received": stored.received.isoformat() if stored.received else "",
        "unread": "\\Seen" not in stored.flags,
        "flagged": "\\Flagged" in stored.flags,
        **told,
    }


def _named(name: str) -> tuple[int, int]:
    """UIDVALIDITY and UID of a message's name. Raises `BadTarget`."""
    validity, _, uid = name.partition("-")
    if not (validity.isdecimal() and uid.isdecimal() and name.isascii()):
        raise BadTarget("that is no message's name", fix="use a name from mail.list")
    return int(validity), int(uid)
