"""What services, models and correspondents answer: nobody we know wrote it."""

import contextlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import msgspec
from mcp.types import CallToolResult, ListToolsResult, jsonrpc_message_adapter
from pydantic import ValidationError

from agents.planners import model
from judge.answer import read
from projections.webhooks.schedule import asked_of
from sidecar.connectors import caldav, rest
from sidecar.connectors.gmail_api import Message
from sidecar.connectors.http import decoded
from sidecar.connectors.icalendar_events import (
    changed_event,
    new_event,
    occurrences,
    read_event,
    uid_in,
)
from sidecar.connectors.mcp.pins import digest_of, pinned
from sidecar.connectors.mcp.reading import result_of
from sidecar.connectors.meeting import Meeting
from sidecar.connectors.message import message_id_in, said
from sidecar.errors import SidecarError
from sidecar.pages.text import page_of
from tests.fuzz.target import Target

NOW = datetime(2026, 6, 1, 9, tzinfo=UTC)


def targets() -> tuple[Target, ...]:
    """The targets of this room."""
    return (
        Target(name="mail", seeds=(_mail(),), decode=_read_mail, errors=(SidecarError,)),
        Target(name="calendar object", seeds=(_event(), _series()), decode=_read_event),
        Target(
            name="CalDAV answer",
            seeds=(_multistatus(),),
            decode=lambda data: list(caldav._resources(data)),
            errors=(SidecarError,),
        ),
        Target(name="HTTP answer", seeds=(b'{"a":[{"b":null}]}',), decode=rest._json),
        Target(
            name="Gmail answer",
            seeds=(b'{"id":"1","threadId":"2","labelIds":["X"],"raw":"YQ=="}',),
            decode=lambda data: decoded(data, Message).data,
        ),
        Target(
            name="Retry-After",
            seeds=(b"120", b"Wed, 21 Oct 2026 07:28:00 GMT"),
            decode=_text(asked_of),
            errors=(),
        ),
        Target(name="web page", seeds=(_PAGE,), decode=_page, errors=()),
        Target(name="judge's answer", seeds=(_VERDICT,), decode=_text(read), errors=()),
        Target(
            name="planner's answer",
            seeds=(b'```json\n{"tool":"a","arguments":{"b":1},"purpose":"c"}\n```',),
            decode=_text(model._read),
            errors=(),
        ),
        Target(name="MCP tools", seeds=(_TOOLS,), decode=_listed),
        Target(name="MCP result", seeds=_RESULTS, decode=_result),
    )


def _text(read: Callable[[str], object]) -> Callable[[bytes], object]:
    return lambda data: read(data.decode("utf-8", "replace"))


def _mail() -> bytes:
    message = EmailMessage()
    message["From"] = "Dana <dana@example.com>"
    message["To"] = "ann@example.org"
    message["Subject"] = "=?utf-8?q?Angebot_=C3=BCber?= 3"
    message["Message-ID"] = "<1@example.com>"
    message.set_content("plain words")
    message.add_alternative("<p>words <b>bold</b></p><!-- c -->", subtype="html")
    message.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="a.pdf")
    return bytes(message)


def _read_mail(data: bytes) -> None:
    message_id_in(data)
    said(data, len(data))


def _event() -> bytes:
    meeting = Meeting(
        title="Review",
        start=NOW,
        end=NOW + timedelta(hours=1),
        attendees=("dana@example.com",),
    )
    return new_event(meeting, "1@example.org", "ann@example.org", NOW)


def _series() -> bytes:
    return _event().replace(b"END:VEVENT", b"RRULE:FREQ=WEEKLY;COUNT=5;BYDAY=MO\r\nEND:VEVENT")


def _read_event(data: bytes) -> None:
    meeting = None
    for reading in (
        uid_in,
        lambda given: list(occurrences(given, NOW, NOW + timedelta(days=62), 50)),
    ):
        with contextlib.suppress(SidecarError):
            reading(data)
    with contextlib.suppress(SidecarError):
        meeting = read_event(data)
    if meeting is not None:
        changed_event(data, meeting, NOW)


def _multistatus() -> bytes:
    return (
        b'<d:multistatus xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"><d:response>'
        b"<d:href>/cal/1.ics</d:href><d:propstat><d:prop><d:getetag>&quot;1&quot;</d:getetag>"
        b"<c:calendar-data>" + _event() + b"</c:calendar-data></d:prop></d:propstat>"
        b"</d:response></d:multistatus>"
    )


def _page(data: bytes) -> None:
    """A page is read by a process of its own, within limits of time and memory, for the parser's
    time grows with the square of some pages; so only small ones are tried here.
    """
    data = data[:4096]
    for kind in ("text/html; charset=utf-8", "text/plain", "text/html; charset=utf-7"):
        page_of(data, kind, "https://docs.example.com/a/b")


_PAGE = (
    b"<html><head><title>T</title><meta charset='latin1'></head><body><p>words</p>"
    b"<a href='../c?d=e#f'>link</a><a href='https://[bad'>x</a><table><tr><td>1</table></body>"
)
_VERDICT = b'{"verdict":"change_plan","reason":"r","change":{"tool":"a","arguments":{"b":[1]}}}'
_TOOLS = (
    b'{"tools":[{"name":"keep","description":"Keeps","inputSchema":{"type":"object","properties":'
    b'{"text":{"type":"string","maxLength":9},"deep":{"anyOf":[{"type":"array","items":'
    b'{"type":"null"}}]}},"required":["text"]}}]}'
)
_RESULTS = (
    b'{"content":[{"type":"text","text":"done"}],"isError":false}',
    b'{"content":[],"structuredContent":{"a":[1,{"b":null}]}}',
    b'{"content":[{"type":"image","data":"YQ==","mimeType":"image/png"},{"type":"resource_link",'
    b'"uri":"file:///etc/passwd","name":"x"}]}',
)


def _listed(data: bytes) -> None:
    """As the protocol's own package takes a message in, and then as ours pins it."""
    try:
        tools = ListToolsResult.model_validate_json(data).tools
    except (ValidationError, RecursionError):
        return
    pinned("notes", "", tools, {})
    for tool in tools:
        digest_of(tool)


def _result(data: bytes) -> None:
    try:
        jsonrpc_message_adapter.validate_json(data)
    except (ValidationError, RecursionError):
        pass
    try:
        answer = CallToolResult.model_validate_json(data)
    except (ValidationError, RecursionError):
        return
    result = result_of(answer)
    msgspec.json.encode(result)
