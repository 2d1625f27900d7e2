"""What a message says: headers, text and attachments of bytes that anybody may have written.

Parsed by the standard library, as much as is bounded; whatever its parser trips over makes
the message, or that part of it, unreadable, and not the sidecar. HTML is reduced to its
text, hidden text included: what a machine reads must be what is shown to the person and to
the gate.
"""

import re
from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from itertools import islice
from typing import Any, Final, TypeVar

from selectolax.lexbor import LexborHTMLParser

from sidecar.connectors.connector import cut
from sidecar.errors import BadTarget

MAX_MESSAGE_BYTES: Final = 4 * 1024 * 1024
MAX_TEXT_BYTES: Final = 40 * 1024
MAX_HTML: Final = 256 * 1024
MAX_LINE_BYTES: Final = 1000
MAX_FIELD: Final = 8 * 1024
"""Characters of one header."""

MAX_ATTACHMENTS: Final = 20

# What the standard parser takes long over: each line is held against each boundary around it,
# each part's fields are parsed several times. No client that people use writes as much.
_MOST: Final = (
    (re.compile(rb"(?i)boundary\*?\d*\*?\s*="), 30),
    (re.compile(rb"(?im)^content-"), 300),
    (re.compile(rb"(?m)^--"), 5_000),
)

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


def parse(data: bytes) -> EmailMessage:
    """The message in `data`. Raises `BadTarget`."""
    if any(len(pattern.findall(data)) > most for pattern, most in _MOST):
        raise BadTarget("the message has more parts than are read")
    try:
        message = message_from_bytes(data, policy=_BOUNDED)
    except TRIPPED as error:
        raise BadTarget("the message cannot be parsed") from error
    assert isinstance(message, EmailMessage)
    return message


def message_id_in(data: bytes) -> str:
    """The Message-ID, empty where there is none."""
    end = re.search(rb"\r?\n\r?\n", data)
    # compat32 leaves the field as it stands; only its folding is undone.
    head = BytesHeaderParser(policy=policy.compat32).parsebytes(data[: end.end()] if end else data)
    return "".join(str(head.get("Message-ID", "")).split())


def heading(message: EmailMessage) -> dict[str, str]:
    """What stands over a message in a list."""
    return {name.lower(): header(message, name) for name in ("From", "Subject", "Date")}


def said(data: bytes, size: int) -> dict[str, Any]:
    """What a message says whose first bytes are `data`, of `size`. Raises `BadTarget`."""
    message = parse(data)
    text, shortened = cut(text_of(message), MAX_TEXT_BYTES)
    return {
        **heading(message),
        "to": header(message, "To"),
        "cc": header(message, "Cc"),
        "text": text,
        "attachments": _attempt(lambda: _attachments(message), list[dict[str, Any]]()),
        "truncated": shortened or size > len(data),
    }


def header(message: EmailMessage, name: str) -> str:
    """A header as one line of text, empty where it is missing or cannot be parsed."""
    return cut(field(message, name), MAX_LINE_BYTES)[0]


def field(message: EmailMessage, name: str) -> str:
    """A header as `header` has it, of up to `MAX_FIELD` characters."""
    return _clean(_attempt(lambda: str(message[name] or ""), ""))


def text_of(message: EmailMessage) -> str:
    """The body as text: the plain part, or the HTML part without its markup."""
    return _clean(_attempt(lambda: _body(message), ""), keep="\n\t")


def _body(message: EmailMessage) -> str:
    part = message.get_body(preferencelist=("plain", "html"))
    if part is None:
        return ""
    content = part.get_content()
    if not isinstance(content, str):
        return ""
    if part.get_content_subtype() != "html":
        return content.replace("\r\n", "\n")
    return "\n".join(line for line in map(str.strip, _text_of_html(content)) if line)


def _text_of_html(content: str) -> list[str]:
    """All text and all comments, a line for each block."""
    parts = []
    root = LexborHTMLParser(content[:MAX_HTML]).root
    for node in root.traverse(include_text=True) if root is not None else ():
        if node.is_comment_node:
            parts.append(f"\n{node.comment_content or ''}\n")
        elif node.is_text_node:
            parts.append(node.text_content or "")
        elif node.tag in _BLOCKS:
            parts.append("\n")
    return "".join(parts).splitlines()


def _attachments(message: EmailMessage) -> list[dict[str, Any]]:
    return [_attachment(part) for part in islice(message.iter_attachments(), MAX_ATTACHMENTS)]


def _attachment(part: EmailMessage) -> dict[str, Any]:
    name = _attempt(lambda: part.get_filename() or "", "")
    content = _attempt(lambda: part.get_payload(decode=True), None)
    return {
        "name": cut(_clean(name), 200)[0] or "unnamed",
        "type": cut(_clean(_attempt(part.get_content_type, "")), 100)[0],
        "bytes": len(content) if isinstance(content, bytes) else 0,
    }


class _BoundedPolicy(policy.EmailPolicy):
    """Parses the beginning of a field: the time it takes grows with the square of the length."""

    def header_fetch_parse(self, name: str, value: Any) -> Any:
        return super().header_fetch_parse(name, value[:MAX_FIELD])


_BOUNDED: Final = _BoundedPolicy()
_BLOCKS: Final = frozenset(["br", "div", "p", "li", "tr", "h1", "h2", "h3", "table", "ul"])


def _attempt(read: Callable[[], Read], otherwise: Read) -> Read:
    try:
        return read()
    except TRIPPED:
        return otherwise


def _clean(text: str, keep: str = "") -> str:
    """Without control characters and lone surrogates, which no JSON can carry."""
    shown = "".join(c if c in keep or (ord(c) >= 32 and ord(c) != 127) else " " for c in text)
    return shown.encode("utf-8", "replace").decode("utf-8")
