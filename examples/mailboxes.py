"""The IMAP side of the example mail server: pymap over a Maildir on disk.

A Maildir (D. J. Bernstein) is what lets two servers share a mailbox: the SMTP side drops a
message in, the IMAP side finds it there, and a crash of either loses nothing that it answered
for. One account; its folders are made when it is.
"""

import argparse
import asyncio
import mailbox
import socket
import ssl
import uuid
from contextlib import AsyncExitStack, closing
from pathlib import Path
from typing import Any, Final

from proxyprotocol.reader import ProxyProtocolReader
from proxyprotocol.sock import SocketInfo
from pymap.backend.maildir import Config, Identity, Login
from pymap.backend.maildir.uidlist import UidList
from pymap.context import connection_exit
from pymap.imap import IMAPConnection, IMAPServer
from pymap.imap.state import ConnectionState
from pymap.parsing.response import CommandResponse, ResponseOk
from pymap.user import UserMetadata

from examples.service import say

FOLDERS: Final = ("Sent", "Drafts", "AnyTeam Outbox")


class Maildirs:
    """One account's folders under `root`."""

    def __init__(self, root: Path, user: str) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self._inbox = mailbox.Maildir(root / user)
        uids = root / user / UidList.FILE_NAME
        if not uids.exists():
            # UIDVALIDITY 1, so that a message's name is known before it is listed.
            uids.write_text(f"3 V1 N1 G{uuid.uuid4().hex}\r\n")
        for folder in FOLDERS:
            if folder not in self._inbox.list_folders():
                self._inbox.add_folder(folder)

    def deliver(self, data: bytes, folder: str = "") -> None:
        """Put a message into the inbox or a folder, synced."""
        into = self._inbox.get_folder(folder) if folder else self._inbox
        into.add(mailbox.MaildirMessage(data))

    def take_inbox(self, messages: Path) -> None:
        """Deliver the .eml files of a folder, in the order of their names, once."""
        if not len(self._inbox):
            for path in sorted(messages.glob("*.eml")):
                self.deliver(path.read_bytes())


class Faults:
    """What goes wrong with messages that clients file among the sent mail."""

    def __init__(self, *, drop_copies: bool, hold_copies: bool) -> None:
        self.drop_copies, self.hold_copies = drop_copies, hold_copies


class _Faulty(ConnectionState):
    """A connection that lies or falls silent about copies as it is told."""

    def __init__(self, login: Login, config: Config, faults: Faults) -> None:
        super().__init__(login, config)
        self._faults = faults

    async def do_append(self, cmd: Any) -> Any:
        """Keep a message, or say so."""
        if cmd.mailbox != "Sent":
            return await super().do_append(cmd)
        if self._faults.drop_copies:
            said: CommandResponse = ResponseOk(cmd.tag, b"APPEND completed.")
            return said, None
        kept = await super().do_append(cmd)
        if self._faults.hold_copies:
            say("held a copy")
            await asyncio.Event().wait()
        return kept


class _Server(IMAPServer):
    """pymap's server, each connection with the faults."""

    def __init__(self, login: Login, config: Config, faults: Faults) -> None:
        super().__init__(login, config)
        self._ours = (login, config, faults)

    async def __call__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sock_info: SocketInfo
    ) -> None:
        login, config, faults = self._ours
        connection = IMAPConnection(self.commands, config, reader, writer, sock_info)
        async with AsyncExitStack() as stack:
            connection_exit.set(stack)
            stack.enter_context(closing(connection))
            await connection.run(_Faulty(login, config, faults))


async def serve(
    opened: socket.socket,
    root: Path,
    user: str,
    password: str,
    *,
    context: ssl.SSLContext | None,
    faults: Faults,
) -> asyncio.Server:
    """Serve the account's mailbox over IMAP; over TLS from the first byte with a `context`."""
    config = Config.from_args(
        argparse.Namespace(
            host=None,
            port=0,
            debug=False,
            cert=None,
            key=None,
            tls=False,
            proxy_protocol=None,
            passlib_cfg=None,
            base_dir=str(root),
            layout="++",
            colon=None,
            concurrency=4,
        ),
        invalid_user_sleep=0.0,
    )
    config.apply_context()
    login = Login(config)
    known = config.hash_context.hash(password)
    account = Identity(config, login.tokens, user, None, {"admin"})
    await account.set(UserMetadata(config, user, password=known))
    answer = ProxyProtocolReader(config.proxy_protocol).get_callback(_Server(login, config, faults))
    return await asyncio.start_server(answer, sock=opened, ssl=context)
