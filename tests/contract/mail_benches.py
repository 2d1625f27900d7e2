"""Benches of the mail tools: IMAP and SMTP with and without a server that files copies, and Gmail.

What each says after a crash differs by what its protocol can know: `kept` and `unkept` are the
findings once the far side died without an answer, with the effect and without; `after_lie` the
one after a far side that accepted and kept nothing.
"""

import base64
import json
import shutil
import ssl
from pathlib import Path
from typing import Any, Literal

from schemas.actions import ActionOutcome
from schemas.connectors import (
    GmailSettings,
    ImapSettings,
    MailSettings,
    SmtpSettings,
)
from schemas.sections import Tls
from sidecar.connectors.connector import Connector, Finding
from sidecar.connectors.gmail import GmailConnector
from sidecar.connectors.mail import MailConnector
from tests.contract.services import DEADLINE_S, RemoteBench, Service


class MailBench(RemoteBench):
    """The example mail server, with a login. The connector files the copies of what it sends."""

    tool = "mail.send"
    arguments: dict[str, Any] = {
        "to": ["jane.doe@boeing.example", "sam.ortiz@boeing.example"],
        "cc": ["ann@acme.example"],
        "subject": "Summary of our pilot – next step",
        "body": "Dear Jane,\n\n.see you in Zürich\n\nBest, Ann\n",
    }
    reads: dict[str, dict[str, Any]] = {
        "mail.list": {},
        "mail.search": {"sender": "boeing.example", "subject": "pilot", "unread": True},
        "mail.read": {"message": "1-1"},
    }
    lie = ActionOutcome.UNKNOWN
    unkept = after_lie = Finding.UNKNOWN
    kept = Finding.UNKNOWN
    drops: tuple[str, ...] = ("--drop-copies",)
    sent_copy: Literal["server", "append"] = "append"
    flags: tuple[str, ...] = ()
    credential = "not-a-real-password"

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.mail, self.inbox = home / "mail", home / "inbox"
        self.account = self.mail / "ann@acme.example"
        self.inbox.mkdir()
        (self.inbox / "0001-boeing.eml").write_text(
            "From: Jane Doe <jane.doe@boeing.example>\nTo: ann@acme.example\n"
            "Subject: pilot\n\nHi Ann,\nit went well.\n"
        )

    async def start(self, *flags: str) -> None:
        password_file = self.home / "password"
        password_file.write_text("not-a-real-password\n")
        self.service = await Service.start(
            "examples.mail_service",
            self.home / "port",
            f"--imap-port-file={self.home / 'imap.port'}",
            f"--mail={self.mail}",
            f"--inbox={self.inbox}",
            f"--password-file={password_file}",
            f"--log={self.log}",
            *self.flags,
            *flags,
        )

    def blind(self) -> None:
        shutil.rmtree(self.account / ".Sent")

    def connector(
        self,
        *,
        timeout_s: float = DEADLINE_S,
        context: ssl.SSLContext | None = None,
        smtp_tls: Tls = "none",
        imap_tls: Tls = "none",
    ) -> Connector:
        imap_port = int((self.home / "imap.port").read_text())
        return MailConnector(
            MailSettings(
                sender="ann@acme.example",
                smtp=SmtpSettings(port=self.port, tls=smtp_tls),
                imap=ImapSettings(port=imap_port, tls=imap_tls, sent_copy=self.sent_copy),
            ),
            self.credential,
            timeout_s=timeout_s,
            settle_s=0.5,
            context=context,
        )

    def effects(self, key: str) -> list[object]:
        return [e for e in self._of(key) if e["effect"] == "delivered"]

    def asked(self, key: str) -> int:
        """How often the far side was handed the message, kept or not."""
        return len(self._of(key))

    def filed(self, folder: str) -> list[bytes]:
        """The messages on disk in one of the mailbox's folders."""
        paths = sorted((self.account / f".{folder}").glob("[cn][ue][rw]/*"))
        return [path.read_bytes() for path in paths]

    def _of(self, key: str) -> list[dict[str, Any]]:
        return [e for e in self.entries() if e["message_id"] == f"<{key}@acme.example>"]


class FilingMailBench(MailBench):
    """The same, with a server that files the copies itself before it answers."""

    kept = Finding.DONE
    drops = ("--drop-writes",)
    sent_copy = "server"
    flags = ("--files-copies",)


class DraftBench(MailBench):
    """Drafting at the example mail server."""

    tool = "mail.draft"
    arguments: dict[str, Any] = {
        "to": ["jane.doe@boeing.example"],
        "subject": "Our pilot – a draft",
        "body": "Dear Jane,\n\nmore soon from Zürich.\n",
    }

    def blind(self) -> None:
        shutil.rmtree(self.account / ".Drafts")

    def effects(self, key: str) -> list[object]:
        return [found for found in self.filed("Drafts") if key.encode() in found]


class MarkBench(MailBench):
    """Marking a message of the example mail server's."""

    tool = "mail.mark"
    arguments: dict[str, Any] = {"message": "1-1", "state": "flagged"}

    def blind(self) -> None:
        (self.account / "dovecot-uidlist").write_text("this is no list\n")

    def effects(self, key: str) -> list[object]:
        return [path.name for path in self.account.glob("cur/*:2,*F*")]


class GmailBench(RemoteBench):
    """The example mailbox behind the Gmail API's shape."""

    tool = "mail.send"
    arguments: dict[str, Any] = MailBench.arguments
    reads: dict[str, dict[str, Any]] = {
        "mail.list": {},
        "mail.search": {"sender": "boeing.example", "subject": "pilot", "unread": True},
        "mail.read": {"message": "0000000000000001"},
    }
    lie = ActionOutcome.UNKNOWN
    # A draft that is gone and no message: it is as if nothing had been asked for.
    unkept = after_lie = Finding.NOT_DONE
    kept = Finding.DONE
    drops: tuple[str, ...] = ("--drop-writes",)
    credential = "not-a-real-token"
    port_override: int | None = None

    async def start(self, *flags: str) -> None:
        token_file, inbox = self.home / "token", self.home / "inbox"
        token_file.write_text("not-a-real-token\n")
        inbox.mkdir(exist_ok=True)
        (inbox / "0001-boeing.eml").write_text(
            "From: Jane Doe <jane.doe@boeing.example>\nTo: ann@acme.example\n"
            "Subject: pilot\n\nHi Ann,\nit went well.\n"
        )
        self.service = await Service.start(
            "examples.gmail_service",
            self.home / "port",
            f"--data={self.home / 'gmail.json'}",
            f"--inbox={inbox}",
            f"--token-file={token_file}",
            f"--log={self.log}",
            *flags,
        )

    def blind(self) -> None:
        self.port_override = 1

    def connector(self, *, timeout_s: float = DEADLINE_S) -> Connector:
        port = self.port_override or self.port
        settings = GmailSettings(sender="ann@acme.example", url=f"http://127.0.0.1:{port}")
        return GmailConnector(settings, self.credential, timeout_s=timeout_s, settle_s=0.5)

    def effects(self, key: str) -> list[object]:
        return [e for e in self._of(key) if e["effect"] == "sent"]

    def asked(self, key: str) -> int:
        """How often the far side was asked to send it, kept or not."""
        return len(self._of(key))

    def mailbox(self) -> dict[str, Any]:
        """What the service has on disk."""
        kept: dict[str, Any] = json.loads((self.home / "gmail.json").read_text())
        return kept

    def _of(self, key: str) -> list[dict[str, Any]]:
        return [e for e in self.entries() if e["message_id"] == f"<{key}@acme.example>"]


class GmailDraftBench(GmailBench):
    """Drafting there."""

    tool = "mail.draft"
    arguments: dict[str, Any] = DraftBench.arguments

    def effects(self, key: str) -> list[object]:
        raws = [base64.urlsafe_b64decode(m["raw"]) for m in self.mailbox()["messages"].values()]
        return [data for data in raws if key.encode() in data]


class GmailMarkBench(GmailBench):
    """Marking there."""

    tool = "mail.mark"
    arguments: dict[str, Any] = {"message": "0000000000000001", "state": "flagged"}

    def effects(self, key: str) -> list[object]:
        messages = self.mailbox()["messages"]
        return [name for name, message in messages.items() if "STARRED" in message["labelIds"]]
