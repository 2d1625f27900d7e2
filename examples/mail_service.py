"""A small mail server for one account: submission over SMTP, its mailbox over IMAP.

    python -m examples.mail_service --mail DIR --port-file P --imap-port-file Q --log L

The log has one line for each message taken, synced before the server answers 250, so that a
message sent twice shows as two. With `--files-copies` a copy is among the account's sent mail
by then. SMTP wants a login where there is a `--password-file`, IMAP always does. With `--cert`
and `--key`, IMAP speaks TLS at once, SMTP after STARTTLS, or at once with `--implicit-tls`.
"""

import argparse
import asyncio
import hashlib
import hmac
import ssl
import sys
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from examples.mailboxes import Faults, Maildirs, serve
from examples.service import (
    announce,
    append_durably,
    common_arguments,
    ending,
    listening_socket,
    say,
    write_durably,
)

NO_PASSWORD = b"no-password"


class Deliveries:
    """What becomes of a message: a line in `log`, and perhaps a copy in the mailbox."""

    def __init__(
        self,
        maildirs: Maildirs,
        log: Path,
        *,
        refused: str,
        refuse_data: bool,
        files_copies: bool,
        drop_writes: bool,
        hold_answers: bool,
    ) -> None:
        self._maildirs, self._log = maildirs, log
        self._refused, self._refuse_data = refused, refuse_data
        self._files_copies = files_copies
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
        if self._refuse_data:
            return "554 5.6.0 not such a message"
        if self._files_copies and not self._drop_writes:
            await asyncio.to_thread(self._maildirs.deliver, data, "Sent")
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


def _authenticator(password: bytes) -> Any:
    def check(
        server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: Any
    ) -> AuthResult:
        right = isinstance(given, LoginPassword) and hmac.compare_digest(given.password, password)
        return AuthResult(success=right, handled=False)

    return check


async def _serve() -> None:
    options = _options()
    maildirs = Maildirs(options.mail, options.user)
    if options.inbox is not None:
        maildirs.take_inbox(options.inbox)
    handler = Deliveries(
        maildirs,
        options.log,
        refused=options.refuse,
        refuse_data=options.refuse_data,
        files_copies=options.files_copies,
        drop_writes=options.drop_writes,
        hold_answers=options.hold_answers,
    )
    context = None
    if options.cert is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(options.cert, options.key)
    password = options.password_file.read_bytes().strip() if options.password_file else None
    starttls = context is not None and not options.implicit_tls

    def session() -> SMTP:
        return SMTP(
            handler,
            hostname="mail.example",
            tls_context=context if starttls else None,
            require_starttls=starttls,
            auth_required=password is not None,
            auth_require_tls=starttls,
            authenticator=_authenticator(password) if password is not None else None,
        )

    loop = asyncio.get_running_loop()
    opened, mailbox = listening_socket(options.port), listening_socket(options.imap_port)
    server = await loop.create_server(
        session, sock=opened, ssl=context if options.implicit_tls else None
    )
    await serve(
        mailbox,
        options.mail,
        options.user,
        (password or NO_PASSWORD).decode(),
        context=context,
        faults=Faults(drop_copies=options.drop_copies, hold_copies=options.hold_copies),
    )
    told = ending(options.lifeline)
    write_durably(options.imap_port_file, f"{mailbox.getsockname()[1]}\n".encode())
    announce(opened, options.port_file)
    await told.wait()
    server.close()


def _options() -> argparse.Namespace:
    parser = common_arguments("examples.mail_service")
    parser.add_argument("--mail", type=Path, required=True, help="folder for the mailboxes")
    parser.add_argument("--imap-port", type=int, default=0, help="0 lets the system choose")
    parser.add_argument("--imap-port-file", type=Path, required=True, help="written when ready")
    parser.add_argument("--user", default="ann@acme.example", help="the account")
    parser.add_argument("--inbox", type=Path, help=".eml files to find an empty inbox with")
    parser.add_argument("--password-file", type=Path, help="the account's password")
    parser.add_argument("--files-copies", action="store_true", help="file what was sent")
    parser.add_argument("--refuse", default="", help="an address that has no mailbox here")
    parser.add_argument("--refuse-data", action="store_true", help="refuse each message's data")
    parser.add_argument("--drop-copies", action="store_true", help="lie about filing sent mail")
    parser.add_argument("--hold-copies", action="store_true", help="never answer for filing it")
    parser.add_argument("--cert", type=Path, help="certificate for TLS, which is required then")
    parser.add_argument("--key", type=Path, help="its key")
    parser.add_argument("--implicit-tls", action="store_true", help="SMTP over TLS at once")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(asyncio.run(_serve()))
