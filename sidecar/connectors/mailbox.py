"""Folders of messages: reading an inbox's .eml files, and finding a sent copy.

A message is written by strangers. It is parsed with the standard library, only as much of
it as is bounded, and whatever that parser trips over makes the message unreadable, not
the sidecar. HTML is reduced to its text, hidden text included: what a machine reads must
be what is shown to the person and to the gate.
"""

import re
from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from heapq import nlargest
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final, TypeVar

from sidecar.connectors.connector import cut
from sidecar.connectors.folder import list_folder, read_file
from sidecar.errors import BadTarget, OutsideFolder

MAX_MESSAGE_BYTES: Final = 4 * 1024 * 1024
MAX_HEAD_BYTES: Final = 64 * 1024
MAX_TEXT_BYTES: Final = 40 * 1024
MAX_HTML: Final = 256 * 1024
MAX_LINE_BYTES: Final = 1000
MAX_LISTED: Final = 25

MESSAGE_NAME: Final = r"^[A-Za-z0-9][A-Za-z0-9._@+=,-]{0,199}\.eml$(?!\n)"

# The standard parser raises these on hostile messages (bpo-27257, bpo-30681, bpo-33972).
TRIPPED: Final = (
    ValueError,
    LookupError,
    AttributeError,
    TypeError,
    AssertionError,
    RecursionError,
)

Read = TypeVar("Read")


def newest(root: Path, limit: int) -> list[dict[str, Any]]:
    """The heads of the newest messages, newest first."""
    entries = [
        entry
        for entry in list_folder(root, "")
        if not entry.folder and re.fullmatch(MESSAGE_NAME, entry.name)
    ]
    listed = []
    for entry in nlargest(limit, entries, key=lambda entry: (entry.modified, entry.name)):
        try:
            head = parse(_head_of(read_file(root, entry.name, MAX_HEAD_BYTES).data))
        except BadTarget:
            # Filed elsewhere since the listing, or nothing that can be read.
            continue
        listed.append(
            {
                "message": entry.name,
                "bytes": entry.size,
                "from": header(head, "From"),
                "subject": header(head, "Subject"),
                "date": header(head, "Date"),
            }
        )
    return listed


def read_message(root: Path, name: str) -> tuple[bytes, dict[str, Any]]:
    """A message's bytes and what it says. Raises `BadTarget`."""
    if not re.fullmatch(MESSAGE_NAME, name):
        raise OutsideFolder("that is no message's name", fix="use a name from mail.list")
    file = read_file(root, name, MAX_MESSAGE_BYTES)
    message = parse(file.data)
    text, shortened = cut(text_of(message), MAX_TEXT_BYTES)
    said = {
        "message": name,
        "from": header(message, "From"),
        "to": header(message, "To"),
        "cc": header(message, "Cc"),
        "subject": header(message, "Subject"),
        "date": header(message, "Date"),
        "text": text,
        "attachments": _attempt(lambda: _attachments(message), list[str]()),
        "truncated": shortened or file.size > len(file.data),
    }
    return file.data, said


def parse(data: bytes) -> EmailMessage:
    """The message in `data`. Raises `BadTarget`."""
    try:
        message = message_from_bytes(data, policy=policy.default)
    except TRIPPED as error:
        raise BadTarget("the message cannot be parsed") from error
    assert isinstance(message, EmailMessage)
    return message


def header(message: EmailMessage, name: str) -> str:
    """A header as one line of text, empty where it is missing or cannot be parsed."""
    return cut(field(message, name), MAX_LINE_BYTES)[0]


def field(message: EmailMessage, name: str) -> str:
    """A header in full, as `header` has it cut."""
    return _clean(_attempt(lambda: str(message[name] or ""), ""))


def text_of(message: EmailMessage) -> str:
    """The body as text: the plain part, or the HTML part without its markup."""
    return _clean(_attempt(lambda: _body(message), ""), keep="\n\t")


class SentFolder:
    """The outgoing server's own copies, one .eml file each, searched by Message-ID."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._ids: dict[str, str] = {}

    def find(self, message_id: str) -> bytes | None:
        """The copy with that Message-ID, or None. Raises a `ConnectorError`."""
        names = {
            entry.name
            for entry in list_folder(self._root, "")
            if not entry.folder and entry.name.endswith(".eml")
        }
        self._ids = {name: known for name, known in self._ids.items() if name in names}
        for name in sorted(names - self._ids.keys()):
            found = self._message_id(name)
            if found:
                self._ids[name] = found
        for name, known in self._ids.items():
            if known == message_id and self._message_id(name) == message_id:
                return read_file(self._root, name, MAX_MESSAGE_BYTES).data
        return None

    def _message_id(self, name: str) -> str:
        try:
            data = read_file(self._root, name, MAX_HEAD_BYTES).data
        except BadTarget:
            return ""
        # compat32 leaves the field as it stands; only its folding is undone.
        head = BytesHeaderParser(policy=policy.compat32).parsebytes(_head_of(data))
        return "".join(str(head.get("Message-ID", "")).split())


def _head_of(data: bytes) -> bytes:
    match = re.search(rb"\r?\n\r?\n", data)
    return data[: match.end()] if match else data


def _body(message: EmailMessage) -> str:
    part = message.get_body(preferencelist=("plain", "html"))
    if part is None:
        return ""
    content = part.get_content()
    if not isinstance(content, str):
        return ""
    if part.get_content_subtype() != "html":
        return content.replace("\r\n", "\n")
    reader = _TextOfHtml()
    reader.feed(content[:MAX_HTML])
    reader.close()
    return "\n".join(line for line in map(str.strip, reader.text.splitlines()) if line)


def _attachments(message: EmailMessage) -> list[str]:
    names = [part.get_filename() or "unnamed" for part in message.iter_attachments()]
    return [cut(_clean(name), 200)[0] for name in names[:20]]


class _TextOfHtml(HTMLParser):
    """Collects text, comments too, and breaks lines at block elements."""

    _BLOCKS: Final = frozenset(["br", "div", "p", "li", "tr", "h1", "h2", "h3", "table", "ul"])

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[str] = []

    @property
    def text(self) -> str:
        return "".join(self._parts)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self._BLOCKS:
            self._parts.append("\n")

    def handle_data(self, data: str) -> None:
        self._parts.append(data)

    def handle_comment(self, data: str) -> None:
        self._parts.append(f"\n{data}\n")


def _attempt(read: Callable[[], Read], otherwise: Read) -> Read:
    try:
        return read()
    except TRIPPED:
        return otherwise


def _clean(text: str, keep: str = "") -> str:
    """Without control characters and lone surrogates, which no JSON can carry."""
    shown = "".join(c if c in keep or (ord(c) >= 32 and ord(c) != 127) else " " for c in text)
    return shown.encode("utf-8", "replace").decode("utf-8")
