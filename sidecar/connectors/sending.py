"""Sending over SMTP so that the mailbox can say afterwards what became of it.

SMTP has no idempotency and nothing to read back. So a mark goes into a folder of our own, the
outbox, before the data does: no mark, no mail. The copy among the sent mail is there only
once the server took the message: it files one itself, or we do. `docs/decisions/0024` has
what is known after a crash at each step.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email import policy
from typing import Final, TypeVar

from msgspec import Struct
from tenacity import AsyncRetrying, retry_if_result, stop_after_delay, wait_exponential

from schemas.connectors import ImapSettings
from sidecar.connectors.composing import (
    MARK_HEADER,
    SendMail,
    compose,
    mark_of,
    message_id_of,
    recipients,
    same_message,
)
from sidecar.connectors.connector import (
    Finding,
    Found,
    Outcome,
    confirmed,
    key_milliseconds,
    unknown,
)
from sidecar.connectors.imap import ImapServer
from sidecar.connectors.mailbox import Mailbox
from sidecar.connectors.outgoing import SmtpServer
from sidecar.errors import ConnectorError, TargetRefused, Unanswered, Unreachable

KEPT: Final = timedelta(days=30)
"""How long a mark stays. What has none and is older than that is not known not to be sent."""


Seen = TypeVar("Seen")


class Trace(Struct, frozen=True):
    """What the mailbox holds of a key: whether there is an outbox, a mark in it, and copies."""

    outbox: bool
    marked: bool
    copies: tuple[bytes, ...]


class Sender:
    """Sends for one account. `settle_s` is how long the server may take to file its copy."""

    def __init__(
        self,
        smtp: SmtpServer,
        imap: ImapServer,
        folders: ImapSettings,
        *,
        sender: str,
        settle_s: float,
    ) -> None:
        self._smtp = smtp
        self._imap = imap
        self._folders = folders
        self._sender = sender
        self._settle_s = settle_s

    async def send(self, asked: SendMail, key: str) -> Outcome:
        """Send it, unless the mailbox holds a trace of the key. Raises `ConnectorError`."""
        data = compose(asked, self._sender, key).as_bytes(policy=policy.SMTP)
        trace = await self._trace(key)
        if trace.copies:
            return self._compared(trace.copies, asked, key)
        if trace.marked:
            return unknown("it was being sent before; nothing shows whether the server took it")
        try:
            await self._smtp.send(data, recipients(asked), before=lambda: self._mark(asked, key))
        except TargetRefused:
            await self._unmark(key)
            raise
        except Unanswered as error:
            return unknown(str(error))
        try:
            copies = await self._filed(data, key)
        except ConnectorError as error:
            return unknown(f"accepted by the mail server, but no copy was read back: {error}")
        if not copies:
            return unknown("accepted by the mail server, but there is no copy in the sent folder")
        return self._compared(copies, asked, key)

    async def reconcile(self, asked: SendMail, key: str) -> Found:
        """What the mailbox says of the key."""
        try:
            trace = await self._trace(key)
            if trace.marked and not trace.copies and self._folders.sent_copy == "server":
                trace = await self._awaited(lambda: self._trace(key), lambda seen: seen.copies)
        except ConnectorError as error:
            return Found(Finding.UNKNOWN, detail=str(error))
        if trace.copies:
            return Found(Finding.DONE, self._compared(trace.copies, asked, key))
        if trace.marked:
            return _doubt("it was being sent; nothing shows whether the mail server took it")
        if not trace.outbox:
            return _doubt("the mailbox has no outbox, which would say whether it was being sent")
        if datetime.now(UTC) - _made(key) >= KEPT:
            return _doubt(f"the outbox says nothing of what is older than {KEPT.days} days")
        # Without a mark no data was handed over, and whoever would have done it is gone.
        return Found(Finding.NOT_DONE, settled=True)

    async def _trace(self, key: str) -> Trace:
        message_id = message_id_of(key, self._sender)

        def look(mailbox: Mailbox) -> Trace:
            # The mark first: a copy is filed while the mark is there.
            outbox = mailbox.exists(self._folders.outbox)
            marked = outbox and bool(mailbox.find(self._folders.outbox, message_id))
            return Trace(outbox, marked, mailbox.find(self._folders.sent, message_id))

        return await self._imap.run(look)

    async def _mark(self, asked: SendMail, key: str) -> None:
        """Note that the data is about to be handed over, and see that the note is kept."""
        outbox, mark = self._folders.outbox, mark_of(asked, self._sender, key)

        def note(mailbox: Mailbox) -> bool:
            if not mailbox.exists(outbox):
                mailbox.create(outbox)
            old = (_made(key) - KEPT).date()
            mailbox.remove(outbox, ["BEFORE", old, "HEADER", MARK_HEADER, ""])
            mailbox.append(outbox, mark, ("\\Seen",))
            return bool(mailbox.find(outbox, message_id_of(key, self._sender)))

        try:
            kept = await self._imap.run(note)
        except Unanswered as error:
            raise Unreachable(f"nothing was sent: {error.what}") from error
        if not kept:
            raise Unreachable("nothing was sent: the outbox does not keep what is put into it")

    async def _unmark(self, key: str) -> None:
        message_id = message_id_of(key, self._sender)
        try:
            await self._imap.run(
                lambda mailbox: mailbox.remove(
                    self._folders.outbox, ["HEADER", "Message-ID", message_id]
                )
            )
        except ConnectorError:
            # The refusal is known all the same; the mark only makes a later question doubtful.
            pass

    async def _filed(self, data: bytes, key: str) -> tuple[bytes, ...]:
        """The copies among the sent mail, once there is one."""
        sent, message_id = self._folders.sent, message_id_of(key, self._sender)

        def file(mailbox: Mailbox) -> None:
            if not mailbox.find(sent, message_id):
                mailbox.append(sent, data, ("\\Seen",))

        if self._folders.sent_copy == "append":
            try:
                await self._imap.run(file)
            except Unanswered:
                # It may be there all the same: looking tells.
                pass
            return await self._imap.run(lambda mailbox: mailbox.find(sent, message_id))
        return await self._awaited(
            lambda: self._imap.run(lambda mailbox: mailbox.find(sent, message_id)),
            lambda copies: copies,
        )

    async def _awaited(
        self, look: Callable[[], Awaitable[Seen]], there: Callable[[Seen], object]
    ) -> Seen:
        """What was seen last: something, or nothing until now."""
        looking = AsyncRetrying(
            retry=retry_if_result(lambda seen: not there(seen)),
            stop=stop_after_delay(self._settle_s),
            wait=wait_exponential(multiplier=0.1, max=2.0),
            retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
        )

        async def once() -> Seen:
            return await look()

        return await looking(once)

    def _compared(self, copies: tuple[bytes, ...], asked: SendMail, key: str) -> Outcome:
        for copy in copies:
            if same_message(copy, asked, self._sender, key):
                count = len(recipients(asked))
                result = {"message_id": message_id_of(key, self._sender), "recipients": count}
                return confirmed(copy, f"sent to {count} recipients, copy read back", result)
        return unknown("a message was sent under this key, but its copy reads otherwise", copies[0])


def _made(key: str) -> datetime:
    return datetime.fromtimestamp(key_milliseconds(key) / 1000, UTC)


def _doubt(detail: str) -> Found:
    return Found(Finding.UNKNOWN, detail=detail)
