"""The mail connector: an inbox of .eml files, and sending over SMTP.

SMTP has no way to read back, so a message is CONFIRMED by its copy in the outgoing
server's sent folder, found by the Message-ID that its key makes. The server keeps the copy
before it answers; so, after a wait for a message still on its way, a copy's absence
means that the message was not taken.
"""

import asyncio
import ssl
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from schemas.tools import Effect, Tool, Trust
from sidecar.connectors.connector import (
    Finding,
    Found,
    Outcome,
    arguments_as,
    check_key,
    confirmed,
    schema_of,
    unknown,
)
from sidecar.connectors.mailbox import (
    MAX_LISTED,
    MESSAGE_NAME,
    SentFolder,
    newest,
    read_message,
)
from sidecar.connectors.outgoing import (
    SendMail,
    SmtpServer,
    compose,
    message_id_of,
    same_message,
)
from sidecar.errors import BadArguments, BadTarget, ConnectorError, Unanswered

POLL_S: Final = 0.05


class ListMail(Struct, frozen=True, forbid_unknown_fields=True):
    """The newest `limit` messages."""

    limit: Annotated[int, Meta(ge=1, le=MAX_LISTED)] = MAX_LISTED


class ReadMail(Struct, frozen=True, forbid_unknown_fields=True):
    """`message` is a name from `mail.list`."""

    message: Annotated[str, Meta(pattern=MESSAGE_NAME, max_length=204)]


MAIL_TOOLS: Final = (
    Tool(
        name="mail.list",
        summary="List the newest messages of the inbox",
        arguments=schema_of(ListMail),
        effect=Effect.READ,
        trust=Trust.UNTRUSTED,
    ),
    Tool(
        name="mail.read",
        summary="Read one message of the inbox as text",
        arguments=schema_of(ReadMail),
        effect=Effect.READ,
        paths=("message",),
        trust=Trust.UNTRUSTED,
    ),
    Tool(
        name="mail.send",
        summary="Send one message in plain text",
        arguments=schema_of(SendMail),
        effect=Effect.COMMUNICATION,
        destinations=("to", "cc"),
        contents=("subject", "body"),
        confirm="the copy in the sent folder is found by its Message-ID and compared",
    ),
)


class MailConnector:
    """See the module's docstring. Times are in seconds. Raises `BadConnector`.

    `password` is for `sender`'s login, empty for none; `settle_s` is how long a copy may
    take to appear; `context` is the TLS context where the system's roots do not do.
    """

    tools: tuple[Tool, ...] = MAIL_TOOLS

    def __init__(
        self,
        *,
        host: str,
        port: int,
        sender: str,
        inbox: Path,
        sent: Path,
        starttls: bool = False,
        password: str = "",
        timeout_s: float = 15.0,
        settle_s: float = 3.0,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._sender = sender
        self._inbox = inbox
        self._sent = SentFolder(sent)
        self._settle_s = settle_s
        self._server = SmtpServer(
            host,
            port,
            user=sender,
            password=password,
            starttls=starttls,
            timeout_s=timeout_s,
            context=context,
        )

    async def execute(self, tool: str, arguments: dict[str, Any], key: str) -> Outcome:
        check_key(key)
        if tool == "mail.list":
            limit = arguments_as(ListMail, arguments).limit
            return await asyncio.to_thread(self._list, limit)
        if tool == "mail.read":
            name = arguments_as(ReadMail, arguments).message
            return await asyncio.to_thread(self._read, name)
        if tool == "mail.send":
            return await self._send(arguments_as(SendMail, arguments), key)
        raise BadArguments("this connector does not serve that tool")

    async def reconcile(self, tool: str, arguments: dict[str, Any], key: str) -> Found:
        if tool != "mail.send":
            return Found(Finding.NOT_DONE)
        asked = arguments_as(SendMail, arguments)
        try:
            copy = await self._await_copy(check_key(key))
        except ConnectorError as error:
            return Found(Finding.UNKNOWN, detail=str(error))
        if copy is None:
            return Found(Finding.NOT_DONE)
        return Found(Finding.DONE, self._compared(copy, asked, key))

    def _list(self, limit: int) -> Outcome:
        listed = newest(self._inbox, limit)
        return confirmed(
            msgspec.json.encode(listed), f"{len(listed)} messages", {"messages": listed}
        )

    def _read(self, name: str) -> Outcome:
        data, said = read_message(self._inbox, name)
        return confirmed(data, f"read {len(data)} bytes", said)

    async def _send(self, asked: SendMail, key: str) -> Outcome:
        message = compose(asked, self._sender, key)
        copy = await asyncio.to_thread(self._sent.find, message_id_of(key, self._sender))
        if copy is None:
            try:
                await self._server.send(message, self._sender, _recipients(asked))
            except Unanswered as error:
                return unknown(str(error))
            try:
                copy = await self._await_copy(key)
            except ConnectorError as error:
                return unknown(f"accepted, but the sent folder cannot be read: {error}")
        if copy is None:
            return unknown("accepted, but there is no copy in the sent folder")
        return self._compared(copy, asked, key)

    async def _await_copy(self, key: str) -> bytes | None:
        message_id = message_id_of(key, self._sender)
        clock = asyncio.get_running_loop()
        deadline = clock.time() + self._settle_s
        while True:
            copy = await asyncio.to_thread(self._sent.find, message_id)
            if copy is not None or clock.time() >= deadline:
                return copy
            await asyncio.sleep(POLL_S)

    def _compared(self, copy: bytes, asked: SendMail, key: str) -> Outcome:
        try:
            same = same_message(copy, asked, self._sender, key)
        except BadTarget:
            same = False
        if not same:
            return unknown("a message was sent under this key, but its copy reads otherwise", copy)
        count = len(_recipients(asked))
        result = {"message_id": message_id_of(key, self._sender), "recipients": count}
        return confirmed(copy, f"sent to {count} recipients, copy read back", result)


def _recipients(asked: SendMail) -> tuple[str, ...]:
    """Everybody once, in order."""
    return tuple(dict.fromkeys((*asked.to, *asked.cc)))
