"""Google's calendar over REST: the few calls of the Calendar API (v3) that the connector makes.

An event's id is the client's to choose, so ours follows from the key, and a second one of that id
is a conflict (409). A change goes to the version that was read (`If-Match`), and carries its key
among the event's private properties. All who attend are told (`sendUpdates=all`).
"""

import base64
import uuid
from datetime import UTC, date, datetime
from typing import Any, Final, Literal
from urllib.parse import quote

import msgspec
from msgspec import Struct

from schemas.connectors import GoogleCalendarSettings
from sidecar.connectors.http import HttpService, checked, decoded
from sidecar.connectors.meeting import Held, Listing, Meeting, Occurrence, When, nameable
from sidecar.errors import BadTarget, Garbled

KEYS: Final = "anyteamKeys"
_FIELDS: Final = (
    "id,etag,status,summary,description,location,start,end,attendees(email),updated,transparency,"
    "recurrence,recurringEventId,extendedProperties/private"
)
_PAGES: Final = 4
_FAILED_PRECONDITION: Final = 412


class _Time(Struct, frozen=True):
    dateTime: str = ""  # noqa: N815
    date: str = ""


class _Attendee(Struct, frozen=True):
    email: str = ""


class _Properties(Struct, frozen=True):
    private: dict[str, str] = {}


class _Event(Struct, frozen=True):
    id: str
    etag: str = ""
    status: Literal["confirmed", "tentative", "cancelled"] = "confirmed"
    summary: str = ""
    description: str = ""
    location: str = ""
    start: _Time = _Time()
    end: _Time = _Time()
    attendees: tuple[_Attendee, ...] = ()
    updated: str = ""
    transparency: str = ""
    recurrence: tuple[str, ...] = ()
    recurringEventId: str = ""  # noqa: N815
    extendedProperties: _Properties = _Properties()  # noqa: N815


class _Page(Struct, frozen=True):
    items: tuple[_Event, ...] = ()
    nextPageToken: str = ""  # noqa: N815


class GoogleCalendar:
    """The calendar of the settings. Raises `BadConnector`."""

    def __init__(
        self, settings: GoogleCalendarSettings, token: str, *, timeout_s: float = 15.0
    ) -> None:
        self._service = HttpService(settings.url, token, timeout_s=timeout_s)
        self._events = f"/calendar/v3/calendars/{quote(settings.calendar, safe='')}/events"

    async def between(self, start: datetime, end: datetime, limit: int) -> Listing:
        asked = {
            "timeMin": start.astimezone(UTC).isoformat(),
            "timeMax": end.astimezone(UTC).isoformat(),
            "singleEvents": "true",
            "orderBy": "startTime",
            "maxResults": str(limit),
            "fields": f"nextPageToken,items({_FIELDS})",
        }
        found: list[Occurrence] = []
        bodies = b""
        for _ in range(_PAGES):
            body = await self._service.get(self._events, asked)
            page = decoded(body, _Page)
            bodies += body
            found += [
                Occurrence(nameable(one.id), _meeting(one), one.transparency != "transparent")
                for one in page.items
                if one.start != _Time()
            ]
            if not page.nextPageToken or len(found) >= limit:
                break
            asked["pageToken"] = page.nextPageToken
        more = len(found) > limit or bool(page.nextPageToken)
        return Listing(tuple(found[:limit]), more, bodies)

    async def get(self, name: str) -> Held | None:
        path = f"{self._events}/{quote(name, safe='')}"
        try:
            body = await self._service.get(path, {"fields": _FIELDS})
        except BadTarget:
            # A calendar that is gone answers so too; it has no events to be listed then.
            await self._service.get(self._events, {"maxResults": "1", "fields": "nextPageToken"})
            return None
        event = decoded(body, _Event)
        if event.id != name:
            raise Garbled("the calendar answered about another event")
        return Held(event.id, event.etag, _meeting(event), body)

    async def of_key(self, key: str) -> Held | None:
        return await self.get(event_id(key))

    async def add(self, key: str, meeting: Meeting) -> bool:
        event = {**_said(meeting), "id": event_id(key), "attendees": _invited(meeting)}
        reply = await self._service.exchange(
            "POST", self._events, query={"sendUpdates": "all"}, body=msgspec.json.encode(event)
        )
        if reply.status == 409:
            return False
        checked(reply)
        return True

    async def put(self, held: Held, meeting: Meeting) -> bool:
        reply = await self._service.exchange(
            "PATCH",
            f"{self._events}/{quote(held.name, safe='')}",
            query={"sendUpdates": "all"},
            body=msgspec.json.encode(_said(meeting)),
            headers={"If-Match": held.version},
        )
        if reply.status in (404, 410, _FAILED_PRECONDITION):
            return False
        checked(reply)
        return True


def event_id(key: str) -> str:
    """The event's id under `key`: base32hex (RFC 4648) in lower case, as the API wants it."""
    return base64.b32hexencode(uuid.UUID(key).bytes).decode().rstrip("=").lower()


def _said(meeting: Meeting) -> dict[str, Any]:
    return {
        "summary": meeting.title,
        "description": meeting.description,
        "location": meeting.location,
        "start": _time(meeting.start),
        "end": _time(meeting.end),
        "status": "cancelled" if meeting.cancelled else "confirmed",
        "extendedProperties": {"private": {KEYS: " ".join(meeting.keys)}},
    }


def _invited(meeting: Meeting) -> list[dict[str, str]]:
    return [{"email": one} for one in meeting.attendees]


def _meeting(event: _Event) -> Meeting:
    try:
        return Meeting(
            title=event.summary,
            start=_when(event.start),
            end=_when(event.end),
            location=event.location,
            description=event.description,
            attendees=tuple(one.email for one in event.attendees if one.email),
            cancelled=event.status == "cancelled",
            keys=tuple(event.extendedProperties.private.get(KEYS, "").split()),
            modified=datetime.fromisoformat(event.updated) if event.updated else None,
            recurs=bool(event.recurrence or event.recurringEventId),
        )
    except ValueError as error:
        raise Garbled("the calendar's event has a time that is none") from error


def _when(time: _Time) -> When:
    if time.dateTime:
        return datetime.fromisoformat(time.dateTime)
    return date.fromisoformat(time.date)


def _time(when: When) -> dict[str, str]:
    name = "dateTime" if isinstance(when, datetime) else "date"
    return {name: when.isoformat()}
