"""A small mail server: takes messages over SMTP and keeps each as a file.

    python -m examples.mail_service --sent DIR --port-file P --log L

A message is in DIR as <message-id>.eml, synced, before the server answers 250; the log
has one line for each delivery, so that a message sent twice shows as two. With
`--password-file` a login is required; with `--cert` and `--key`, STARTTLS first.
"""

import asyncio
import hashlib
import hmac
import re
import ssl
import sys
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from examples.service import (
    announce,
    append_durably,
    common_arguments,
    ending,
    listening_socket,
    say,
    write_durably,
)


class Deliveries:
    """What becomes of a message: a file in `sent`, and a line in `log`."""

    def __init__(
        self, sent: Path, log: Path, *, refused: str, drop_writes: bool, hold_answers: bool
    ) -> None:
        self._sent, self._log, self._refused = sent, log, refused
        self._drop_writes, self._hold_answers = drop_writes, hold_answers

    async def handle_RCPT(
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        """Take a recipient, or not."""
        if address == self._refused:
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Keep one message; its answer is the reply to the sender."""
        content = envelope.content
        data = content if isinstance(content, bytes) else (content or "").encode()
        message_id = message_id_of(data)
        if not self._drop_writes:
            write_durably(self._sent / file_name(message_id, data), data)
        append_durably(
            self._log,
            {
                "message_id": message_id,
                "from": envelope.mail_from,
                "to": envelope.rcpt_tos,
                "bytes": len(data),
                "sha256": hashlib.sha256(data).hexdigest(),
                "effect": "dropped" if self._drop_writes else "delivered",
            },
        )
        if self._hold_answers:
            say(f"held {message_id}")
            await asyncio.Event().wait()
        return "250 2.0.0 kept"


def message_id_of(data: bytes) -> str:
    """The message's Message-ID, empty where it has none."""
    head = BytesHeaderParser().parsebytes(data)
    return "".join(str(head.get("Message-ID", "")).split())


def file_name(message_id: str, data: bytes) -> str:
    """A file name for the message; one Message-ID always has the same."""
    plain = message_id.strip("<>")
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9@._+-]{0,180}", plain):
        return f"{plain}.eml"
    return f"{hashlib.sha256(message_id.encode() or data).hexdigest()}.eml"


def _authenticator(password: bytes) -> Any:
    def check(
        server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: Any
    ) -> AuthResult:
        right = isinstance(given, LoginPassword) and hmac.compare_digest(given.password, password)
        return AuthResult(success=right, handled=False)

    return check


async def _serve() -> None:
    parser = common_arguments("examples.mail_service")
    parser.add_argument("--sent", type=Path, required=True, help="folder for the messages")
    parser.add_argument("--password-file", type=Path, help="require a login with this password")
    parser.add_argument("--refuse", default="", help="an address that has no mailbox here")
    parser.add_argument("--cert", type=Path, help="certificate for STARTTLS, which is required")
    parser.add_argument("--key", type=Path, help="its key")
    options = parser.parse_args()
    options.sent.mkdir(parents=True, exist_ok=True)
    handler = Deliveries(
        options.sent,
        options.log,
        refused=options.refuse,
        drop_writes=options.drop_writes,
        hold_answers=options.hold_answers,
    )
    context = None
    if options.cert is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(options.cert, options.key)
    password = options.password_file.read_bytes().strip() if options.password_file else None

    def session() -> SMTP:
        return SMTP(
            handler,
            hostname="mail.example",
            tls_context=context,
            require_starttls=context is not None,
            auth_required=password is not None,
            auth_require_tls=context is not None,
            authenticator=_authenticator(password) if password is not None else None,
        )

    opened = listening_socket(options.port)
    server = await asyncio.get_running_loop().create_server(session, sock=opened)
    told = ending(options.lifeline)
    announce(opened, options.port_file)
    await told.wait()
    server.close()


if __name__ == "__main__":
    sys.exit(asyncio.run(_serve()))
