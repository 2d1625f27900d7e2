"""A calendar over CalDAV (RFC 4791): reports to read, conditional PUTs to change.

That an event is not there is the calendar's own word only in a report's answer (207), which a
calendar that is itself gone does not give. An event is made where there is none of its name
(`If-None-Match: *`), and changed in the version that was read (`If-Match`).
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote, unquote, urlsplit
from xml.etree.ElementTree import Element, ParseError, SubElement, tostring

import defusedxml
from defusedxml.ElementTree import fromstring
from msgspec import Struct

from schemas.connectors import CalendarSettings
from sidecar.connectors.composing import check_sender
from sidecar.connectors.http import HttpService, Reply, checked
from sidecar.connectors.icalendar_events import (
    changed_event,
    is_busy,
    new_event,
    occurrences,
    read_event,
    uid_in,
    uid_of,
)
from sidecar.connectors.meeting import Held, Listing, Meeting, Occurrence, nameable
from sidecar.errors import Garbled, Unanswered, Unreachable

_DAV: Final = "DAV:"
_CAL: Final = "urn:ietf:params:xml:ns:caldav"
_MOST_OF_ONE: Final = 200
_FAILED_PRECONDITION: Final = 412


class _Resource(Struct, frozen=True):
    name: str
    version: str
    data: bytes


class CalDav:
    """The calendar of the settings. Raises `BadConnector`."""

    def __init__(
        self, settings: CalendarSettings, password: str, *, timeout_s: float = 15.0
    ) -> None:
        self._organizer = check_sender(settings.organizer, "connectors.calendar.organizer")
        self._service = HttpService(
            settings.url, password, timeout_s=timeout_s, login=settings.user
        )
        self._path = urlsplit(settings.url).path.rstrip("/") + "/"

    async def between(self, start: datetime, end: datetime, limit: int) -> Listing:
        query = _report("calendar-query")
        event = _events(query)
        window = SubElement(event, f"{{{_CAL}}}time-range")
        window.set("start", _stamp(start))
        window.set("end", _stamp(end))
        found, body = await self._ask(query)
        every = [
            Occurrence(nameable(one.name), meeting, is_busy(one.data))
            for one in found
            for meeting in occurrences(one.data, start, end, _MOST_OF_ONE)
        ]
        every.sort(key=lambda one: (one.meeting.start.isoformat(), one.name))
        return Listing(tuple(every[:limit]), len(every) > limit, body)

    async def get(self, name: str) -> Held | None:
        query = _report("calendar-multiget")
        SubElement(query, f"{{{_DAV}}}href").text = self._path + quote(name)
        found, _ = await self._ask(query)
        return _one([one for one in found if one.name == name])

    async def of_key(self, key: str) -> Held | None:
        query = _report("calendar-query")
        uid = SubElement(_events(query), f"{{{_CAL}}}prop-filter", name="UID")
        SubElement(uid, f"{{{_CAL}}}text-match", collation="i;octet").text = self._uid(key)
        found, _ = await self._ask(query)
        return _one([one for one in found if uid_in(one.data) == self._uid(key)])

    async def add(self, key: str, meeting: Meeting) -> bool:
        data = new_event(meeting, self._uid(key), self._organizer, datetime.now(UTC))
        return await self._put(f"{key}.ics", data, {"If-None-Match": "*"})

    async def put(self, held: Held, meeting: Meeting) -> bool:
        data = changed_event(held.evidence, meeting, datetime.now(UTC))
        return await self._put(held.name, data, {"If-Match": held.version})

    def _uid(self, key: str) -> str:
        return uid_of(key, self._organizer)

    async def _put(self, name: str, data: bytes, condition: dict[str, str]) -> bool:
        headers = {"Content-Type": "text/calendar; charset=utf-8", **condition}
        reply = await self._service.exchange(
            "PUT", f"/{quote(name)}", body=data, headers={**headers, "Accept": "*/*"}
        )
        if reply.status == _FAILED_PRECONDITION:
            return False
        checked(reply)
        return True

    async def _ask(self, query: Element) -> tuple[list[_Resource], bytes]:
        headers = {
            "Content-Type": "application/xml; charset=utf-8",
            "Accept": "application/xml, text/xml",
            "Depth": "1",
        }
        try:
            reply = await self._service.exchange(
                "REPORT", "/", body=tostring(query, encoding="utf-8"), headers=headers
            )
            body = _multistatus(reply)
        except Unanswered as error:
            raise Unreachable(error.what) from error
        return list(_resources(body)), body


def _multistatus(reply: Reply) -> bytes:
    body = checked(reply)
    if reply.status != 207:
        raise Garbled(f"the calendar answered a report with {reply.status}")
    return body


def _report(kind: str) -> Element:
    query = Element(f"{{{_CAL}}}{kind}")
    wanted = SubElement(query, f"{{{_DAV}}}prop")
    SubElement(wanted, f"{{{_DAV}}}getetag")
    SubElement(wanted, f"{{{_CAL}}}calendar-data")
    return query


def _events(query: Element) -> Element:
    """The filter of a query for events, to be narrowed."""
    outer = SubElement(query, f"{{{_CAL}}}filter")
    calendar = SubElement(outer, f"{{{_CAL}}}comp-filter", name="VCALENDAR")
    return SubElement(calendar, f"{{{_CAL}}}comp-filter", name="VEVENT")


def _resources(body: bytes) -> Iterator[_Resource]:
    """The calendar objects in a multistatus answer (RFC 4918 section 13). Raises `Garbled`."""
    try:
        root = fromstring(body, forbid_dtd=True)
    except (ParseError, defusedxml.DefusedXmlException, ValueError) as error:
        raise Garbled("the calendar's answer is no XML that is read") from error
    if root.tag != f"{{{_DAV}}}multistatus":
        raise Garbled("the calendar's answer is no multistatus")
    for response in root.iterfind(f"{{{_DAV}}}response"):
        data = response.findtext(f".//{{{_CAL}}}calendar-data")
        version = response.findtext(f".//{{{_DAV}}}getetag")
        href = response.findtext(f"{{{_DAV}}}href") or ""
        if data and version:
            name = unquote(urlsplit(href.strip()).path.rpartition("/")[2])
            yield _Resource(name, version.strip(), data.encode())


def _one(found: list[_Resource]) -> Held | None:
    if not found:
        return None
    if len(found) > 1:
        raise Garbled("the calendar shows several events of one name")
    one = found[0]
    return Held(one.name, one.version, read_event(one.data), one.data)


def _stamp(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
