"""Sending one message over SMTP (RFC 5321, RFC 6409), step by step: a failure tells its phase.

Until the server is handed the message's data nothing can have been sent; from then until
it answers, only the server knows. All recipients are accepted, or nothing is sent. Between
the two the caller is given a chance to note that the second phase begins.
"""

import ssl
from collections.abc import Awaitable, Callable

import aiosmtplib

from schemas.sections import Tls
from sidecar.connectors.composing import check_sender
from sidecar.connectors.http import is_this_machine
from sidecar.errors import BadConnector, Denied, TargetRefused, Unanswered, Unreachable


class SmtpServer:
    """Where mail goes out, from `sender`. Times are in seconds.

    Raises `BadConnector` where a password would travel in the clear, or `sender` is no address.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        sender: str,
        user: str,
        password: str,
        tls: Tls,
        timeout_s: float,
        context: ssl.SSLContext | None = None,
    ) -> None:
        if password and tls == "none" and not is_this_machine(host):
            raise BadConnector(
                "the mail password would travel in the clear",
                fix='set connectors.mail.smtp.tls to "implicit" or "starttls"',
            )
        self._host, self._port = host, port
        self._sender = check_sender(sender, "connectors.mail.sender")
        self._user, self._password = user, password
        self._tls = tls
        self._timeout_s = timeout_s
        self._context = context

    async def send(
        self,
        data: bytes,
        recipients: tuple[str, ...],
        *,
        before: Callable[[], Awaitable[None]],
    ) -> None:
        """Return once the server has taken the message for all recipients.

        `before` is awaited when all of them are accepted and no data is sent; what it raises
        ends the attempt. Raises `Unreachable`, `Denied` or `TargetRefused` where nothing was
        sent, `Unanswered` where it may have been.
        """
        client = aiosmtplib.SMTP(
            hostname=self._host,
            port=self._port,
            start_tls=self._tls == "starttls",
            use_tls=self._tls == "implicit",
            tls_context=self._context,
            timeout=self._timeout_s,
        )
        try:
            await self._prepare(client, recipients)
            await before()
            await _hand_over(client, data)
            await _part(client)
        finally:
            client.close()

    async def _prepare(self, client: aiosmtplib.SMTP, recipients: tuple[str, ...]) -> None:
        try:
            await client.connect()
            if self._password:
                await client.login(self._user, self._password)
            await client.mail(self._sender)
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
