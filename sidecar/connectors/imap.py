"""A mailbox's server over IMAP (RFC 3501, RFC 9051): a connection for each call, to a deadline.

The protocol is IMAPClient's; this is what a careful caller adds. Answers are bounded. A
failure tells whether the server may have changed anything: only while a change was on its
way. The password travels over TLS, or to this machine only. IMAPClient blocks, so the work is
a thread's; a deadline or a cancellation shuts its connection.
"""

import asyncio
import re
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, TypeVar

from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientAbortError, IMAPClientError, LoginError

from schemas.sections import Tls
from sidecar.connectors.http import is_this_machine
from sidecar.connectors.mailbox import TRIPPED, Held, Mailbox, is_refusal
from sidecar.connectors.tls import system_roots
from sidecar.errors import (
    BadConnector,
    ConnectorError,
    Denied,
    Garbled,
    TargetRefused,
    Unanswered,
    Unreachable,
)

MAX_ANSWER_BYTES: Final = 16 * 1024 * 1024

Result = TypeVar("Result")


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
        self._context = context or system_roots()

    async def run(self, work: Callable[[Mailbox], Result]) -> Result:
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
        held = Held()
        try:
            async with asyncio.timeout(self._timeout_s):
                return await asyncio.to_thread(self._worked, work, held)
        except TimeoutError:
            held.cut()
            raise _silent(held, "TimeoutError") from None
        finally:
            held.cut()

    def _worked(self, work: Callable[[Mailbox], Result], held: Held) -> Result:
        try:
            with self._opened(held) as client:
                return work(Mailbox(client, held))
        except ConnectorError:
            raise
        except (IMAPClientAbortError, OSError) as error:
            raise _silent(held, type(error).__name__) from error
        except (IMAPClientError, *TRIPPED) as error:
            if is_refusal(error):
                raise TargetRefused("the mail server refused the command") from error
            if held.changing:
                raise Unanswered("the mail server's answer cannot be read") from error
            raise Garbled("the mail server's answer cannot be read") from error

    @contextmanager
    def _opened(self, held: Held) -> Iterator[IMAPClient]:
        client = _BoundedClient(
            self._host,
            self._port,
            ssl=self._tls == "implicit",
            ssl_context=self._context,
            timeout=self._timeout_s,
        )
        try:
            held.begin(client)
            # Or times come in this machine's zone, and do not say so.
            client.normalise_times = False
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


def _silent(held: Held, kind: str) -> ConnectorError:
    if held.changing:
        return Unanswered(f"the mailbox was to be changed, and did not answer: {kind}")
    return Unreachable(f"the mailbox cannot be reached: {kind}")
