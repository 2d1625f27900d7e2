"""The calendar tools as declared: one set, whatever protocol serves them.

Anybody can invite, so what an event says is nobody's word; its name is the server's. A read is of
a window of days and has no query language. A change names everybody who attends: who is to learn
of it is then for the gate to judge, and an event with other people in it is not touched.
"""

from datetime import datetime, timedelta
from typing import Annotated, Final

from msgspec import UNSET, Meta, Struct, UnsetType

from schemas.compensation import Compensation
from schemas.tools import Effect, Tool
from sidecar.connectors.composing import ADDRESS
from sidecar.connectors.connector import ONE_LINE, schema_of
from sidecar.errors import BadArguments

MAX_LISTED: Final = 50
MAX_WINDOW: Final = timedelta(days=62)
MAX_LENGTH: Final = timedelta(days=7)
MAX_ATTENDEES: Final = 20

_TIME: Final = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}:[0-9]{2})$(?!\n)"
)
EVENT_NAME: Final = r"^[0-9A-Za-z_@.+-]{1,200}$(?!\n)"

Time = Annotated[str, Meta(pattern=_TIME, max_length=25, description="RFC 3339, with its offset")]
EventName = Annotated[str, Meta(pattern=EVENT_NAME, max_length=200)]
Attendees = Annotated[
    tuple[Annotated[str, Meta(pattern=ADDRESS, max_length=254)], ...],
    Meta(max_length=MAX_ATTENDEES),
]
Line = Annotated[str, Meta(pattern=ONE_LINE, max_length=200)]
Title = Annotated[str, Meta(pattern=ONE_LINE, min_length=1, max_length=200)]
Prose = Annotated[str, Meta(pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*$", max_length=8_000)]


class _Strict(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Arguments hold what is declared and nothing else."""


class ListEvents(_Strict, frozen=True):
    """What takes place from `start` to before `end`, 62 days at most."""

    start: Time
    end: Time
    limit: Annotated[int, Meta(ge=1, le=MAX_LISTED)] = MAX_LISTED


class FreeBusy(_Strict, frozen=True):
    """When the calendar is taken from `start` to before `end`, 62 days at most."""

    start: Time
    end: Time


class ReadEvent(_Strict, frozen=True):
    """`event` is a name from `calendar.list`."""

    event: EventName


class CreateEvent(_Strict, frozen=True):
    """A new event. Everybody in `attendees` is invited."""

    title: Title
    start: Time
    end: Time
    attendees: Attendees = ()
    location: Line = ""
    description: Prose = ""


class EventFields(_Strict, frozen=True, omit_defaults=True):
    """What may change; what is left out stays."""

    title: Title | UnsetType = UNSET
    start: Time | UnsetType = UNSET
    end: Time | UnsetType = UNSET
    location: Line | UnsetType = UNSET
    description: Prose | UnsetType = UNSET


class UpdateEvent(_Strict, frozen=True):
    """`attendees` are all who attend, as `calendar.read` shows them; they learn of it."""

    event: EventName
    fields: EventFields
    attendees: Attendees = ()


class CancelEvent(_Strict, frozen=True):
    """`attendees` are all who attend, as `calendar.read` shows them; they learn of it."""

    event: EventName
    attendees: Attendees = ()


def moment(said: str) -> datetime:
    """A time as written in an argument. Raises `BadArguments` where there is none such."""
    try:
        return datetime.fromisoformat(said)
    except ValueError:
        raise BadArguments("a time is none", fix="write it as 2026-12-01T10:00:00+01:00") from None


def window(asked: ListEvents | FreeBusy) -> tuple[datetime, datetime]:
    """The window that is read. Raises `BadArguments`."""
    return span(asked.start, asked.end, MAX_WINDOW)


def span(start: str, end: str, longest: timedelta = MAX_LENGTH) -> tuple[datetime, datetime]:
    """From a time to a later one. Raises `BadArguments`."""
    first, last = moment(start), moment(end)
    if first.tzinfo is None or last.tzinfo is None:
        raise BadArguments("an event of whole days gets times at both ends or neither")
    if not timedelta(0) < last - first <= longest:
        raise BadArguments(
            "it does not end after it starts, or lasts too long",
            fix=f"{longest.days} days at the most",
        )
    return first, last


_ASKED_BY: Final = ("calendar", "meeting", "appointment", "invitation", "call")

CALENDAR_TOOLS: Final = (
    Tool(
        name="calendar.list",
        summary="List the events of a span of days",
        arguments=schema_of(ListEvents),
        effect=Effect.READ,
        trusted=("event",),
        asked_by=_ASKED_BY,
    ),
    Tool(
        name="calendar.free_busy",
        summary="Tell when the calendar is free or busy",
        arguments=schema_of(FreeBusy),
        effect=Effect.READ,
        trusted=("busy",),
        asked_by=_ASKED_BY,
    ),
    Tool(
        name="calendar.read",
        summary="Read one event",
        arguments=schema_of(ReadEvent),
        effect=Effect.READ,
        objects=("event",),
        trusted=("event",),
        asked_by=_ASKED_BY,
    ),
    Tool(
        name="calendar.create",
        summary="Schedule an event and invite those who attend",
        arguments=schema_of(CreateEvent),
        effect=Effect.MUTATION,
        destinations=("attendees",),
        contents=("title", "location", "description"),
        asked_by=_ASKED_BY,
        confirm="the event is read again by its key and is as asked",
        compensation=Compensation(
            tool="calendar.cancel",
            arguments={"event": "/result/event", "attendees": "/arguments/attendees"},
        ),
    ),
    Tool(
        name="calendar.update",
        summary="Reschedule or change an event",
        arguments=schema_of(UpdateEvent),
        effect=Effect.MUTATION,
        destinations=("attendees",),
        objects=("event",),
        contents=("fields.title", "fields.location", "fields.description"),
        asked_by=_ASKED_BY,
        confirm="the event is read again, bears the key and is as asked",
    ),
    Tool(
        name="calendar.cancel",
        summary="Cancel an event",
        arguments=schema_of(CancelEvent),
        effect=Effect.MUTATION,
        destinations=("attendees",),
        objects=("event",),
        asked_by=_ASKED_BY,
        confirm="the event is read again, bears the key and is cancelled",
    ),
)
