"""A mailbox over IMAP (RFC 3501, RFC 9051): a connection for each call, to a deadline.

The protocol is IMAPClient's; this is what a careful caller adds. Reading examines folders and
peeks at bodies, so that it leaves no trace. Answers are bounded. A failure tells whether the
server may have changed anything: only while a change was on its way. The password travels over
TLS, or to this machine only. IMAPClient blocks, so the work is a thread's; a deadline or a
cancellation shuts its connection.
"""

import asyncio
import re
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import date, datetime
from typing import Any, Final, TypeVar

from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientAbortError, IMAPClientError, LoginError
from msgspec import Struct

from schemas.settings import Tls
from sidecar.connectors.http import is_this_machine
from sidecar.connectors.message import MAX_MESSAGE_BYTES, message_id_in
from sidecar.errors import (
    BadConnector,
    BadTarget,
    ConnectorError,
    Denied,
    Garbled,
    TargetRefused,
    Unanswered,
    Unreachable,
)

Criteria = list[str | date]

MAX_SEARCHED: Final = 10_000
"""How many messages, counted from the newest, a search looks at."""

MAX_ANSWER_BYTES: Final = 16 * 1024 * 1024
MAX_HEAD_BYTES: Final = 8 * 1024
MAX_COPIES: Final = 5

_HEAD: Final = f"BODY.PEEK[HEADER.FIELDS (FROM SUBJECT DATE)]<0.{MAX_HEAD_BYTES}>"
_WHOLE: Final = f"BODY.PEEK[]<0.{MAX_MESSAGE_BYTES}>"

# What IMAPClient and imaplib let through from answers that are none.
_TRIPPED: Final = (ValueError, LookupError, TypeError, AttributeError, AssertionError)

Result = TypeVar("Result")


class Stored(Struct, frozen=True):
    """A message as its folder has it; `data` is what was fetched of its bytes."""

    uid: int
    size: int
    received: datetime | None
    flags: frozenset[str]
    data: bytes


class Folder(Struct, frozen=True):
    """Some of a folder's messages, oldest first. UIDs hold under this `validity` only."""

    validity: int
    messages: tuple[Stored, ...]


class ImapServer:
    """Where the mailbox is. Times are in seconds. Raises `BadConnector`."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        user: str,
        password: str,
        tls: Tls,
        timeout_s: float,
        context: ssl.SSLContext | None = None,
    ) -> None:
        if tls == "none" and not is_this_machine(host):
            raise BadConnector(
                "the mailbox's password would travel in the clear",
                fix='set connectors.mail.imap.tls to "implicit" or "starttls"',
            )
        self._host, self._port = host, port
        self._user, self._password = user, password
        self._tls = tls
        self._timeout_s = timeout_s
        self._context = context or ssl.create_default_context()

    async def run(self, work: Callable[["Mailbox"], Result]) -> Result:
        """What `work` does with the mailbox, in a thread.

        Raises `Denied`, `BadTarget`, `TargetRefused`, `Unreachable` or `Garbled` where nothing
        was changed, `Unanswered` where something may have been.
        """
        if not re.fullmatch(r"[ -~]+", self._password):
            # LOGIN carries ASCII, and a line break in it would begin another command.
            raise Denied(
                "the vault has no password for the mailbox, or none that LOGIN can carry",
                fix="anyteam credential mail",
            )
        held = _Held()
        try:
            async with asyncio.timeout(self._timeout_s):
                return await asyncio.to_thread(self._worked, work, held)
        except TimeoutError:
            held.cut()
            raise _silent(held, "TimeoutError") from None
        finally:
            held.cut()

    def _worked(self, work: Callable[["Mailbox"], Result], held: "_Held") -> Result:
        try:
            with self._opened(held) as client:
                return work(Mailbox(client, held))
        except ConnectorError:
            raise
        except (IMAPClientAbortError, OSError) as error:
            raise _silent(held, type(error).__name__) from error
        except (IMAPClientError, *_TRIPPED) as error:
            if _is_refusal(error):
                raise TargetRefused("the mail server refused the command") from error
            if held.changing:
                raise Unanswered("the mail server's answer cannot be read") from error
            raise Garbled("the mail server's answer cannot be read") from error

    @contextmanager
    def _opened(self, held: "_Held") -> Iterator[IMAPClient]:
        client = _BoundedClient(
            self._host,
            self._port,
            ssl=self._tls == "implicit",
            ssl_context=self._context,
            timeout=self._timeout_s,
        )
        try:
            held.begin(client)
            if self._tls == "starttls":
                client.starttls(self._context)
            try:
                client.login(self._user, self._password)
            except LoginError as error:
                if isinstance(error.__context__, IMAPClientAbortError):
                    raise error.__context__ from None
                raise Denied(
                    "the mail server refused the password",
                    fix="renew the credential `mail` in the vault",
                ) from error
            yield client
            # What was asked is answered; how the server says goodbye changes nothing.
            with suppress(IMAPClientError, OSError):
                client.logout()
        finally:
            with suppress(IMAPClientError, OSError):
                client.shutdown()


class Mailbox:
    """An open mailbox; its methods block. They raise as `ImapServer.run` says."""

    def __init__(self, client: IMAPClient, held: "_Held") -> None:
        self._client = client
        self._held = held

    def heads(self, folder: str, limit: int, criteria: Criteria | None = None) -> Folder:
        """The newest messages that meet `criteria`, by their heads.

        Words in `criteria` hold none of `"\\(){}%*[]`: the library quotes blanks only.
        """
        status = self._examine(folder)
        among = limit if criteria is None else MAX_SEARCHED
        newest = status[b"EXISTS"]
        if not newest:
            return Folder(status[b"UIDVALIDITY"], ())
        asked = [f"{max(1, newest - among + 1)}:{newest}", *(criteria or [])]
        plain = all(not isinstance(word, str) or word.isascii() for word in asked)
        found = sorted(self._client.search(asked, charset=None if plain else "UTF-8"))
        return Folder(status[b"UIDVALIDITY"], self._fetched(found[-limit:], _HEAD))

    def message(self, folder: str, validity: int, uid: int) -> Stored:
        """One message, its first `MAX_MESSAGE_BYTES`. Raises `BadTarget` too."""
        if self._examine(folder)[b"UIDVALIDITY"] == validity:
            for stored in self._fetched([uid], _WHOLE):
                return stored
        raise _no_message()

    def find(self, folder: str, message_id: str) -> tuple[bytes, ...]:
        """The messages with exactly that Message-ID, which holds no blank or quote."""
        self._examine(folder)
        found = self._client.search(["HEADER", "Message-ID", message_id])
        stored = self._fetched(sorted(found)[:MAX_COPIES], _WHOLE)
        return tuple(one.data for one in stored if message_id_in(one.data) == message_id)

    def exists(self, folder: str) -> bool:
        """Whether there is such a folder."""
        return bool(self._client.folder_exists(folder))

    def create(self, folder: str) -> None:
        """Make a folder."""
        with self._change():
            self._client.create_folder(folder)

    def append(self, folder: str, data: bytes, flags: tuple[str, ...]) -> None:
        """File a message."""
        with self._change():
            self._client.append(folder, data, flags)

    def flag(self, folder: str, validity: int, uid: int, flag: str, *, on: bool) -> None:
        """Set or clear one flag of a message. Raises `BadTarget` too."""
        self.flags(folder, validity, uid)
        self._client.select_folder(folder)
        with self._change():
            change = self._client.add_flags if on else self._client.remove_flags
            change([uid], [flag])

    def flags(self, folder: str, validity: int, uid: int) -> frozenset[str]:
        """The flags of a message. Raises `BadTarget` too."""
        if self._examine(folder)[b"UIDVALIDITY"] == validity:
            answer = self._client.get_flags([uid])
            if uid in answer:
                return frozenset(flag.decode("ascii", "replace") for flag in answer[uid])
        raise _no_message()

    def remove(self, folder: str, criteria: Criteria) -> None:
        """Expunge the messages of a folder that is ours alone."""
        self._client.select_folder(folder)
        found = self._client.search(criteria)
        if not found:
            return
        with self._change():
            self._client.delete_messages(found)
            if self._client.has_capability("UIDPLUS"):
                self._client.uid_expunge(found)
            else:
                self._client.expunge()

    def _examine(self, folder: str) -> dict[bytes, Any]:
        try:
            status: dict[bytes, Any] = self._client.select_folder(folder, readonly=True)
        except IMAPClientError as error:
            if not _is_refusal(error):
                raise
            raise BadTarget("the mailbox has no such folder", fix="check the settings") from error
        return status

    def _fetched(self, uids: list[int], body: str) -> tuple[Stored, ...]:
        if not uids:
            return ()
        items = ["RFC822.SIZE", "INTERNALDATE", "FLAGS", body]
        answers = self._client.fetch(uids, items)
        return tuple(_stored(uid, answers[uid]) for uid in uids if uid in answers)

    @contextmanager
    def _change(self) -> Iterator[None]:
        """From here on silence may be an effect. A refusal is none."""
        self._held.change()
        try:
            yield
        except IMAPClientError as error:
            self._held.changing = not _is_refusal(error)
            raise
        self._held.changing = False


class _Held:
    """What a caller keeps of a thread's connection: where it stands, and how to end it.

    Once it was cut nothing is changed any more: whoever cut it has said how it ended.
    """

    def __init__(self) -> None:
        self.changing = False
        self._client: IMAPClient | None = None
        self._ended = False

    def begin(self, client: IMAPClient) -> None:
        """The thread has a connection."""
        self._client = client
        self._check()

    def change(self) -> None:
        """The thread is about to change something. Noted first, and only then checked."""
        self.changing = True
        self._check()

    def cut(self) -> None:
        """Wake the thread. Closing would wait for the read that it is in."""
        self._ended = True
        if self._client is not None:
            with suppress(OSError):
                self._client.socket().shutdown(socket.SHUT_RDWR)

    def _check(self) -> None:
        if self._ended:
            self.changing = False
            raise IMAPClientAbortError("nobody waits for this any more")


class _BoundedClient(IMAPClient):  # type: ignore[misc]
    """imaplib reads as many bytes as a server announces; this one reads so many and no more."""

    def _create_IMAP4(self) -> Any:  # noqa: N802
        connection = super()._create_IMAP4()
        read, left = connection.read, MAX_ANSWER_BYTES

        def bounded(size: int) -> bytes:
            nonlocal left
            left -= size
            if left < 0:
                raise IMAPClientAbortError("the answer is too large")
            return bytes(read(size))

        connection.read = bounded
        return connection


def _stored(uid: int, answer: dict[bytes, Any]) -> Stored:
    body = next((value for key, value in answer.items() if key.startswith(b"BODY[")), b"")
    return Stored(
        uid=uid,
        size=int(answer[b"RFC822.SIZE"]),
        received=answer.get(b"INTERNALDATE"),
        flags=frozenset(flag.decode("ascii", "replace") for flag in answer.get(b"FLAGS", ())),
        data=bytes(body or b""),
    )


def _is_refusal(error: Exception) -> bool:
    """Whether the server answered NO or BAD; the libraries have one class for that and more."""
    return (
        isinstance(error, IMAPClientError)
        and not isinstance(error, IMAPClientAbortError)
        and re.search(r" failed: | command error: BAD", str(error)) is not None
    )


def _no_message() -> BadTarget:
    return BadTarget("there is no such message", fix="list the messages again")


def _silent(held: _Held, kind: str) -> ConnectorError:
    if held.changing:
        return Unanswered(f"the mailbox was to be changed, and did not answer: {kind}")
    return Unreachable(f"the mailbox cannot be reached: {kind}")
