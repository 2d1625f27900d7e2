"""An event as the calendar connector sees it, whatever protocol it came by, and its stores.

Each effect leaves its key in the event, so that it is found again: an event that we made is named
after its key, one that we changed bears the keys of its latest changes.
"""

import re
from datetime import UTC, date, datetime
from typing import Any, Final, Protocol

import msgspec
from msgspec import Struct

from sidecar.connectors.calendar_tools import EVENT_NAME, CreateEvent, EventFields, span
from sidecar.connectors.connector import cut

KEPT_KEYS: Final = 16
MAX_TEXT: Final = 8_000

When = datetime | date


class Meeting(Struct, frozen=True, kw_only=True):
    """`start` and `end` are aware, or days. `keys` are of our latest changes, the newest last.

    `modified` is when the event was last changed, None where nobody says; `recurs` whether it
    stands for several.
    """

    title: str
    start: When
    end: When
    location: str = ""
    description: str = ""
    attendees: tuple[str, ...] = ()
    cancelled: bool = False
    keys: tuple[str, ...] = ()
    modified: datetime | None = None
    recurs: bool = False


class Held(Struct, frozen=True):
    """A meeting as a store has it: its name and version there, and the bytes that say so."""

    name: str
    version: str
    meeting: Meeting
    evidence: bytes


class Occurrence(Struct, frozen=True):
    """One event in a window; `name` is empty where it has none that a tool could be given."""

    name: str
    meeting: Meeting
    busy: bool = True


class Listing(Struct, frozen=True):
    """What takes place in a window, by its start; `more` says that some is left out."""

    occurrences: tuple[Occurrence, ...]
    more: bool
    evidence: bytes


class CalendarStore(Protocol):
    """A calendar at the far side. Methods raise a `ConnectorError`; reads do so before any effect,
    `add` and `put` with `Unanswered` or `Garbled` where it may have been done.
    """

    async def between(self, start: datetime, end: datetime, limit: int) -> Listing:
        """What takes place from `start` to before `end`."""
        ...

    async def get(self, name: str) -> Held | None:
        """The event of that name, None on the far side's own word that there is none."""
        ...

    async def of_key(self, key: str) -> Held | None:
        """The event that was made under `key`, likewise."""
        ...

    async def add(self, key: str, meeting: Meeting) -> bool:
        """Make an event under `key`; False where there is one under it."""
        ...

    async def put(self, held: Held, meeting: Meeting) -> bool:
        """Change an event; False where it is another by now, or gone, and nothing was done."""
        ...


def asked_meeting(asked: CreateEvent, key: str) -> Meeting:
    """The event that a creation asks for. Raises `BadArguments`."""
    start, end = span(asked.start, asked.end)
    return Meeting(
        title=asked.title,
        start=start,
        end=end,
        location=asked.location,
        description=asked.description,
        attendees=folded(asked.attendees),
        keys=(key,),
    )


def changed(meeting: Meeting, fields: EventFields, key: str) -> Meeting:
    """`meeting` with the fields that are given, and the key of this change.

    Raises `BadArguments` where it would not end after it starts.
    """
    values: dict[str, Any] = msgspec.to_builtins(fields)
    if "start" in values or "end" in values:
        start, end = values.get("start", meeting.start), values.get("end", meeting.end)
        values["start"], values["end"] = span(str(start), str(end))
    keys = (*meeting.keys, key)[-KEPT_KEYS:]
    return msgspec.structs.replace(meeting, **values, keys=keys)


def same(held: Meeting, asked: Meeting) -> bool:
    """Whether a meeting reads as asked, in the forms that servers bring values into."""
    return (
        held.title.strip() == asked.title.strip()
        and _instant(held.start) == _instant(asked.start)
        and _instant(held.end) == _instant(asked.end)
        and held.location.strip() == asked.location.strip()
        and _lines(held.description) == _lines(asked.description)
        and folded(held.attendees) == folded(asked.attendees)
        and held.cancelled == asked.cancelled
    )


def shown(name: str, meeting: Meeting, *, whole: bool) -> dict[str, Any]:
    """An event as the runtime is given it."""
    said: dict[str, Any] = {
        "event": name or None,
        "title": cut(meeting.title, 400)[0],
        "start": _said(meeting.start),
        "end": _said(meeting.end),
        "location": cut(meeting.location, 400)[0],
        "attendees": list(meeting.attendees[:50]),
        "cancelled": meeting.cancelled,
    }
    if whole:
        text, truncated = cut(meeting.description, 2 * MAX_TEXT)
        said |= {"description": text, "truncated": truncated, "recurs": meeting.recurs}
    return said


def nameable(name: str) -> str:
    """`name` where a tool could be given it, else nothing."""
    return name if re.fullmatch(EVENT_NAME, name) else ""


def folded(attendees: tuple[str, ...]) -> tuple[str, ...]:
    """Everybody once, in one order: servers keep neither ours nor the case of letters."""
    return tuple(sorted({one.casefold() for one in attendees}))


def _said(when: When) -> str:
    return when.isoformat()


def _instant(when: When) -> When:
    return when.astimezone(UTC).replace(microsecond=0) if isinstance(when, datetime) else when


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.strip().splitlines()]
