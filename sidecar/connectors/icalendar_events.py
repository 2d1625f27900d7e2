"""Events as iCalendar text (RFC 5545), made from a meeting and read back into one.

What another program wrote into an event stays in it when we change it, but for what we change.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import icalendar
import recurring_ical_events

from sidecar.connectors.meeting import KEPT_KEYS, MAX_TEXT, Meeting, When
from sidecar.errors import Garbled

KEY: Final = "X-ANYTEAM-KEY"
_DAY: Final = timedelta(days=1)
_RECURS: Final = ("RRULE", "RDATE", "RECURRENCE-ID")
# What a hostile or broken calendar makes the library raise on the way.
_BROKEN: Final = (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError)


def uid_of(key: str, organizer: str) -> str:
    """The UID of the event that is made under `key`."""
    return f"{key}@{organizer.rpartition('@')[2]}"


def uid_in(data: bytes) -> str:
    """The UID of a calendar object's event. Raises `Garbled`."""
    try:
        return str(icalendar.Calendar.from_ical(data).walk("VEVENT")[0]["UID"])
    except _BROKEN as error:
        raise Garbled("the calendar answered with no event") from error


def new_event(meeting: Meeting, uid: str, organizer: str, now: datetime) -> bytes:
    """A calendar object with one event."""
    calendar = icalendar.Calendar()
    calendar.add("prodid", "-//AnyTeam//AnyTeam Trust//EN")
    calendar.add("version", "2.0")
    event = icalendar.Event()
    event.add("uid", uid)
    event.add("created", now)
    if meeting.attendees:
        event.add("organizer", f"mailto:{organizer}")
    for one in meeting.attendees:
        parameters = {"PARTSTAT": "NEEDS-ACTION", "RSVP": "TRUE", "ROLE": "REQ-PARTICIPANT"}
        event.add("attendee", f"mailto:{one}", parameters=parameters)
    _write(event, meeting, now, sequence=0)
    calendar.add_component(event)
    return bytes(calendar.to_ical())


def changed_event(data: bytes, meeting: Meeting, now: datetime) -> bytes:
    """The calendar object with its one event as `meeting` has it. Raises `Garbled`."""
    try:
        calendar = icalendar.Calendar.from_ical(data)
        (event,) = calendar.walk("VEVENT")
        _write(event, meeting, now, sequence=int(event.get("SEQUENCE", 0)) + 1)
        return bytes(calendar.to_ical())
    except _BROKEN as error:
        raise Garbled("the calendar's event is none that could be changed") from error


def read_event(data: bytes) -> Meeting:
    """The meeting of a calendar object; of one that recurs, its first. Raises `Garbled`."""
    try:
        events = icalendar.Calendar.from_ical(data).walk("VEVENT")
        master = next((e for e in events if "RECURRENCE-ID" not in e), events[0])
        return _meeting(master, recurs=len(events) > 1)
    except _BROKEN as error:
        raise Garbled("the calendar answered with no event") from error


def occurrences(data: bytes, start: datetime, end: datetime, most: int) -> Iterator[Meeting]:
    """The first `most` meetings of a calendar object in a window. Raises `Garbled`.

    Day by day: the library's own way on is by ever smaller steps, and an event that lasts until the
    year 9999, which anybody may invite to, has it take them until then.
    """
    shown: set[Meeting] = set()
    try:
        calendar = icalendar.Calendar.from_ical(data)
        query = recurring_ical_events.of(calendar, skip_bad_series=True)
        while start < end:
            until = min(start + _DAY, end)
            found = {_meeting(event, recurs=True) for event in query.between(start, until)} - shown
            for meeting in sorted(found, key=lambda one: _aware(one.start)):
                if len(shown) >= most or _aware(meeting.start) >= end:
                    return
                shown.add(meeting)
                yield meeting
            start = until
    except _BROKEN as error:
        raise Garbled("the calendar answered with no event") from error


def is_busy(data: bytes) -> bool:
    """Whether the event takes time (RFC 5545 section 3.8.2.7)."""
    return b"TRANSP:TRANSPARENT" not in data.upper()


def _write(event: Any, meeting: Meeting, now: datetime, sequence: int) -> None:
    status = "CANCELLED" if meeting.cancelled else str(event.get("STATUS", "CONFIRMED"))
    values: dict[str, Any] = {
        "summary": meeting.title,
        "dtstart": _utc(meeting.start),
        "dtend": _utc(meeting.end),
        "location": meeting.location,
        "description": meeting.description,
        "status": status,
        "sequence": sequence,
        "dtstamp": now,
        "last-modified": now,
        KEY: " ".join(meeting.keys),
    }
    for name in (*values, "duration"):
        event.pop(name.upper(), None)
    for name, value in values.items():
        if value != "":
            event.add(name, value)


def _meeting(event: Any, *, recurs: bool) -> Meeting:
    start = event["DTSTART"].dt
    if "DTEND" in event:
        end = event["DTEND"].dt
    elif "DURATION" in event:
        end = start + event["DURATION"].dt
    else:
        end = start if isinstance(start, datetime) else start + timedelta(days=1)
    stamps = [_aware(event[name].dt) for name in ("LAST-MODIFIED", "DTSTAMP") if name in event]
    return Meeting(
        title=str(event.get("SUMMARY", "")),
        start=_known(start),
        end=_known(end),
        location=str(event.get("LOCATION", "")),
        description=str(event.get("DESCRIPTION", ""))[: 4 * MAX_TEXT],
        attendees=tuple(_mailbox(one) for one in _several(event.get("ATTENDEE"))),
        cancelled=str(event.get("STATUS", "")).upper() == "CANCELLED",
        keys=tuple(str(event.get(KEY, "")).split()[-KEPT_KEYS:]),
        modified=max(stamps, default=None),
        recurs=recurs or any(name in event for name in _RECURS),
    )


def _several(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _mailbox(value: Any) -> str:
    said = str(value)
    return said[7:] if said[:7].lower() == "mailto:" else said


def _utc(when: When) -> When:
    return when.astimezone(UTC) if isinstance(when, datetime) else when


def _known(when: date | datetime) -> When:
    """A time with its zone; one without floats (RFC 5545 section 3.3.5), and is taken as UTC."""
    if isinstance(when, datetime) and when.tzinfo is None:
        return when.replace(tzinfo=UTC)
    return when


def _aware(when: When) -> datetime:
    if isinstance(when, datetime):
        return when if when.tzinfo is not None else when.replace(tzinfo=UTC)
    return datetime(when.year, when.month, when.day, tzinfo=UTC)
