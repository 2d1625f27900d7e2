"""What is done with a mailbox over an open connection. Everything here blocks.

Reading examines folders and peeks at bodies, so that it leaves no trace; searches look at so
many messages and no more. From when a change is on its way until it is answered for, silence
may be an effect, and that is noted for whoever waits.
"""

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date, datetime
from typing import Any, Final

from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientAbortError, IMAPClientError, InvalidCriteriaError
from msgspec import Struct

from sidecar.connectors.message import MAX_MESSAGE_BYTES, message_id_in
from sidecar.errors import BadTarget

Criteria = list[str | date]

MAX_SEARCHED: Final = 10_000
"""How many messages, counted from the newest, a search looks at."""

MAX_HEAD_BYTES: Final = 8 * 1024
MAX_COPIES: Final = 5

# What IMAPClient and imaplib let through from answers that are none.
TRIPPED: Final = (ValueError, LookupError, TypeError, AttributeError, AssertionError)

_HEAD: Final = f"BODY.PEEK[HEADER.FIELDS (FROM SUBJECT DATE)]<0.{MAX_HEAD_BYTES}>"
_WHOLE: Final = f"BODY.PEEK[]<0.{MAX_MESSAGE_BYTES}>"


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


class Mailbox:
    """An open mailbox; its methods block. They raise as `ImapServer.run` says."""

    def __init__(self, client: IMAPClient, held: "Held") -> None:
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
            if not is_refusal(error):
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
            self._held.changing = not is_refusal(error)
            raise
        self._held.changing = False


class Held:
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


def is_refusal(error: Exception) -> bool:
    """Whether the server answered NO or BAD; the libraries have one class for that and more."""
    return isinstance(error, InvalidCriteriaError) or (
        isinstance(error, IMAPClientError)
        and not isinstance(error, IMAPClientAbortError)
        and re.search(r" failed: | command error: BAD", str(error)) is not None
    )


def _stored(uid: int, answer: dict[bytes, Any]) -> Stored:
    body = next((value for key, value in answer.items() if key.startswith(b"BODY[")), b"")
    return Stored(
        uid=uid,
        size=int(answer[b"RFC822.SIZE"]),
        received=answer.get(b"INTERNALDATE"),
        flags=frozenset(flag.decode("ascii", "replace") for flag in answer.get(b"FLAGS", ())),
        data=bytes(body or b""),
    )


def _no_message() -> BadTarget:
    return BadTarget("there is no such message", fix="list the messages again")
