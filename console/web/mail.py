"""Mail: over SMTP where a server is configured; sign-in links else into a folder.

A message in the folder is for whoever runs this machine (`anyteam console link`); it is the first
admin's way in, before there is a mail server. SMTP: RFC 5321, message form: RFC 5322.
"""

import secrets
import ssl
import time
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path
from typing import Final

import aiosmtplib

from crypto.keyfile import read_secret, write_secret
from schemas.webconsole import ConsoleMail

TIMEOUT_S: Final = 15.0
KEPT_S: Final = 600
UNDELIVERED: Final = (aiosmtplib.SMTPException, OSError)
"""What is raised where a server does not take a message."""


class Post:
    """Sends mail. `folder` is the console's own; the password is its secret `mail`."""

    def __init__(self, settings: ConsoleMail | None, folder: Path) -> None:
        self._settings = settings
        self._folder = folder

    @property
    def notices(self) -> bool:
        """Whether people are told by mail that a question waits."""
        return self._settings is not None and self._settings.notices

    @property
    def by_mail(self) -> bool:
        """Whether links travel by mail."""
        return self._settings is not None

    async def send(self, address: str, url: str, workspace: str) -> None:
        """Bring a link to an address. Raises `aiosmtplib.SMTPException` or `OSError`."""
        if self._settings is None:
            self._drop(address, url)
            return
        await self.bring(link_message(self._settings.sender, address, url, workspace))

    @property
    def sender(self) -> str:
        """Whom mail comes from, empty where there is no server."""
        return self._settings.sender if self._settings is not None else ""

    async def bring(self, message: EmailMessage) -> None:
        """Hand a message to the mail server, which must be there. Raises as `send` does."""
        settings = self._settings
        assert settings is not None
        password = (
            read_secret(self._folder / "mail.secret").decode().strip() if settings.user else None
        )
        await aiosmtplib.send(
            message,
            hostname=settings.host,
            port=settings.port,
            username=settings.user or None,
            password=password,
            use_tls=settings.tls == "implicit",
            start_tls=settings.tls == "starttls",
            tls_context=ssl.create_default_context() if settings.tls != "none" else None,
            timeout=TIMEOUT_S,
        )

    def _drop(self, address: str, url: str) -> None:
        place = self._folder / "links"
        for old in place.glob("*.link"):
            if old.stat().st_mtime < time.time() - KEPT_S:
                old.unlink(missing_ok=True)
        name = f"{time.time_ns():020d}-{secrets.token_hex(4)}.link"
        write_secret(place / name, f"{address}\n{url}\n".encode())


def dropped(folder: Path) -> list[tuple[str, str]]:
    """(address, link) of the messages in the folder that may still open, the latest first."""
    fresh = time.time() - KEPT_S
    files = sorted((folder / "links").glob("*.link"), reverse=True)
    texts = [read_secret(file).decode() for file in files if file.stat().st_mtime > fresh]
    pairs = [text.splitlines() for text in texts]
    return [(address, url) for address, url in pairs]


def link_message(sender: str, address: str, url: str, workspace: str) -> EmailMessage:
    """The mail that carries a link."""
    message = EmailMessage()
    message["From"] = sender
    message["To"] = address
    message["Subject"] = f"Sign in to AnyTeam Trust ({workspace})"
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(
        f"Open this in the browser in which you asked for it:\n\n{url}\n\n"
        "It works once, for ten minutes. If you did not ask for it, do nothing:"
        " it opens nothing in any other browser.\n"
    )
    return message
