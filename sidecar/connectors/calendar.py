"""The calendar connector: bounded reads, and changes that leave their key in the event.

An event is made under a name that follows from its key, and only where there is none of that name.
A change is made to the version that was read, and to no later one. See docs/decisions/0025.
"""

from typing import Any

import msgspec

from schemas.tools import Tool
from sidecar.connectors.calendar_tools import (
    CALENDAR_TOOLS,
    CancelEvent,
    CreateEvent,
    EventFields,
    FreeBusy,
    ListEvents,
    ReadEvent,
    UpdateEvent,
    window,
)
from sidecar.connectors.connector import (
    Finding,
    Found,
    Outcome,
    arguments_as,
    check_key,
    confirmed,
    key_milliseconds,
    unknown,
)
from sidecar.connectors.meeting import (
    CalendarStore,
    Held,
    Meeting,
    asked_meeting,
    changed,
    folded,
    same,
    shown,
)
from sidecar.errors import (
    BadArguments,
    BadTarget,
    ConnectorError,
    Garbled,
    TargetRefused,
    Unanswered,
)

_CHANGES = ("calendar.update", "calendar.cancel")
MAX_BUSY = 200
_CLOCKS_MS = 60_000  # how far other writers' clocks may be off


class CalendarConnector:
    """One calendar. See the module's docstring."""

    def __init__(self, store: CalendarStore) -> None:
        self.tools: tuple[Tool, ...] = CALENDAR_TOOLS
        self._store = store

    async def execute(self, tool: str, arguments: dict[str, Any], key: str) -> Outcome:
        check_key(key)
        if tool == "calendar.list":
            return await self._list(arguments_as(ListEvents, arguments))
        if tool == "calendar.free_busy":
            return await self._free_busy(arguments_as(FreeBusy, arguments))
        if tool == "calendar.read":
            return await self._read(arguments_as(ReadEvent, arguments))
        if tool == "calendar.create":
            return await self._create(asked_meeting(arguments_as(CreateEvent, arguments), key), key)
        if tool in _CHANGES:
            return await self._change(_to_change(tool, arguments), key)
        raise BadArguments("this connector does not serve that tool")

    async def reconcile(self, tool: str, arguments: dict[str, Any], key: str) -> Found:
        check_key(key)
        if tool == "calendar.create":
            return await self._made(asked_meeting(arguments_as(CreateEvent, arguments), key), key)
        if tool in _CHANGES:
            return await self._changed(_to_change(tool, arguments), key)
        return Found(Finding.NOT_DONE)

    async def _list(self, asked: ListEvents) -> Outcome:
        start, end = window(asked)
        found = await self._store.between(start, end, asked.limit)
        events = [shown(one.name, one.meeting, whole=False) for one in found.occurrences]
        result = {"events": events, "more": found.more}
        return confirmed(found.evidence, f"{len(events)} events", result)

    async def _free_busy(self, asked: FreeBusy) -> Outcome:
        start, end = window(asked)
        found = await self._store.between(start, end, MAX_BUSY)
        busy = [
            {"start": one.meeting.start.isoformat(), "end": one.meeting.end.isoformat()}
            for one in found.occurrences
            if one.busy and not one.meeting.cancelled
        ]
        result = {"busy": busy, "more": found.more}
        return confirmed(found.evidence, f"{len(busy)} times taken", result)

    async def _read(self, asked: ReadEvent) -> Outcome:
        held = await self._store.get(asked.event)
        if held is None:
            raise BadTarget("there is no such event", fix="list the events again")
        result = shown(held.name, held.meeting, whole=True)
        return confirmed(held.evidence, f"{len(held.evidence)} bytes read", result)

    async def _create(self, meeting: Meeting, key: str) -> Outcome:
        try:
            made = await self._store.add(key, meeting)
        except (Unanswered, Garbled) as error:
            return unknown(str(error))
        try:
            held = await self._store.of_key(key)
        except ConnectorError as error:
            if made:
                return unknown(f"sent, but it could not be read back: {error}")
            raise
        if held is None:
            return unknown("accepted, but the calendar does not show it")
        return _as_asked(held, meeting)

    async def _made(self, meeting: Meeting, key: str) -> Found:
        try:
            held = await self._store.of_key(key)
        except ConnectorError as error:
            return Found(Finding.UNKNOWN, detail=str(error))
        if held is None:
            return Found(Finding.NOT_DONE)
        return Found(Finding.DONE, _as_asked(held, meeting))

    async def _change(self, asked: UpdateEvent | CancelEvent, key: str) -> Outcome:
        held = await self._store.get(asked.event)
        if held is None:
            raise BadTarget("there is no such event", fix="list the events again")
        if key in held.meeting.keys:
            return _as_changed(held, asked)
        if held.meeting.recurs:
            raise BadTarget("the event recurs", fix="have a person change one of several")
        if folded(asked.attendees) != folded(held.meeting.attendees):
            raise TargetRefused(
                "others attend than the proposal names", fix="read the event, name all who attend"
            )
        meeting = _applied(held.meeting, asked, key)
        try:
            done = await self._store.put(held, meeting)
        except (Unanswered, Garbled) as error:
            return unknown(str(error))
        if not done:
            raise TargetRefused("the event was changed meanwhile", fix="read it again")
        try:
            now = await self._store.get(asked.event)
        except ConnectorError as error:
            return unknown(f"accepted, but it could not be read back: {error}")
        if now is None or key not in now.meeting.keys:
            return unknown("accepted, but the event does not show it", now.evidence if now else b"")
        return _as_changed(now, asked)

    async def _changed(self, asked: UpdateEvent | CancelEvent, key: str) -> Found:
        try:
            held = await self._store.get(asked.event)
        except ConnectorError as error:
            return Found(Finding.UNKNOWN, detail=str(error))
        if held is None:
            return Found(Finding.UNKNOWN, detail="the event is no longer there")
        if key in held.meeting.keys:
            return Found(Finding.DONE, _as_changed(held, asked))
        if _tells(held.meeting, key):
            return Found(Finding.NOT_DONE)
        return Found(Finding.UNKNOWN, detail="the event was changed since, and does not tell")


def _tells(meeting: Meeting, key: str) -> bool:
    """Whether an event without `key` shows that it was not changed under it.

    Who writes an event anew may leave our keys out: one that shows an older key of ours has kept
    them all, and one that was last changed before ours never had it.
    """
    if meeting.keys and min(meeting.keys) < key:
        return True
    last = meeting.modified
    return last is not None and last.timestamp() * 1000 < key_milliseconds(key) - _CLOCKS_MS


def _to_change(tool: str, arguments: dict[str, Any]) -> UpdateEvent | CancelEvent:
    if tool == "calendar.cancel":
        return arguments_as(CancelEvent, arguments)
    asked = arguments_as(UpdateEvent, arguments)
    if asked.fields == EventFields():
        raise BadArguments("the update changes nothing", fix="name at least one field")
    return asked


def _applied(meeting: Meeting, asked: UpdateEvent | CancelEvent, key: str) -> Meeting:
    fields = asked.fields if isinstance(asked, UpdateEvent) else EventFields()
    after = changed(meeting, fields, key)
    if isinstance(asked, CancelEvent):
        after = msgspec.structs.replace(after, cancelled=True)
    return after


def _as_asked(held: Held, meeting: Meeting) -> Outcome:
    if not same(held.meeting, meeting):
        return unknown("made, but the event reads otherwise: changed since", held.evidence)
    return confirmed(held.evidence, "the calendar shows the event", {"event": held.name})


def _as_changed(held: Held, asked: UpdateEvent | CancelEvent) -> Outcome:
    if not same(held.meeting, _applied(held.meeting, asked, "")):
        return unknown("done, but the event reads otherwise: changed since", held.evidence)
    return confirmed(held.evidence, "the event is as asked", {"event": held.name})
