"""Benches of the calendar tools: over CalDAV at a real Radicale, and over Google's REST shape."""

from pathlib import Path
from typing import Any

from schemas.actions import ActionOutcome
from schemas.connectors import CalendarSettings, GoogleCalendarSettings
from sidecar.connectors.caldav import CalDav
from sidecar.connectors.calendar import CalendarConnector
from sidecar.connectors.connector import Connector, Finding
from sidecar.connectors.google_calendar import GoogleCalendar
from tests.contract.services import DEADLINE_S, RemoteBench, Service

PILOT = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Example//EN
BEGIN:VEVENT
UID:pilot-review
DTSTAMP:20261001T080000Z
DTSTART;TZID=Europe/Berlin:20261201T100000
DTEND;TZID=Europe/Berlin:20261201T110000
SUMMARY:Review of the pilot
DESCRIPTION:With the whole team.
ORGANIZER:mailto:ann@acme.example
ATTENDEE;PARTSTAT=ACCEPTED;X-OWN=kept:mailto:Jane.Doe@boeing.example
X-OTHER-PROGRAM:kept
END:VEVENT
END:VCALENDAR
"""
COMPANY_DAY = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Example//EN
BEGIN:VEVENT
UID:company-day
DTSTAMP:20261001T080000Z
DTSTART;VALUE=DATE:20261202
SUMMARY:Company day
TRANSP:TRANSPARENT
END:VEVENT
END:VCALENDAR
"""
STANDUP = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Example//EN
BEGIN:VEVENT
UID:standup
DTSTAMP:20261001T080000Z
DTSTART:20261130T090000Z
DURATION:PT15M
RRULE:FREQ=WEEKLY;BYDAY=MO,TH
SUMMARY:Standup
END:VEVENT
END:VCALENDAR
"""

CREATION: dict[str, Any] = {
    "title": "Next steps with Boeing; Zürich",
    "start": "2026-12-08T10:00:00+01:00",
    "end": "2026-12-08T10:30:00+01:00",
    "attendees": ["jane.doe@boeing.example", "ann@acme.example"],
    "location": "Zürich, room 3",
    "description": "What we said:\n- the pilot goes on\n",
}
WEEK = {"start": "2026-11-30T00:00:00Z", "end": "2026-12-07T00:00:00Z"}


class CalendarBench(RemoteBench):
    """A real Radicale, with a new event as its effect."""

    tool = "calendar.create"
    arguments: dict[str, Any] = CREATION
    event = "pilot.ics"
    reads: dict[str, dict[str, Any]] = {
        "calendar.list": WEEK,
        "calendar.free_busy": WEEK,
        "calendar.read": {"event": "pilot.ics"},
    }
    lie = ActionOutcome.UNKNOWN
    unkept = after_lie = Finding.NOT_DONE
    kept = Finding.DONE
    drops: tuple[str, ...] = ("--drop-writes",)
    credential = "not-a-real-password"
    port_override: int | None = None

    async def start(self, *flags: str) -> None:
        seed = self.home / "seed"
        seed.mkdir(exist_ok=True)
        for name, text in (("pilot", PILOT), ("company-day", COMPANY_DAY), ("standup", STANDUP)):
            (seed / f"{name}.ics").write_bytes(text.replace("\n", "\r\n").encode())
        secret = self.home / "secret"
        secret.write_text("not-a-real-password\n")
        self.service = await Service.start(
            "examples.calendar_service",
            self.home / "port",
            f"--data={self.home / 'radicale'}",
            f"--seed={seed}",
            f"--password-file={secret}",
            f"--log={self.log}",
            *flags,
        )

    def blind(self) -> None:
        self.port_override = 1

    def connector(self, *, timeout_s: float = DEADLINE_S) -> Connector:
        port = self.port_override or self.port
        settings = CalendarSettings(
            url=f"http://127.0.0.1:{port}/ann/work/", user="ann", organizer="ann@acme.example"
        )
        return CalendarConnector(CalDav(settings, self.credential, timeout_s=timeout_s))

    def effects(self, key: str) -> list[object]:
        return [e for e in self.entries() if e["key"] == key and e["effect"] == "applied"]

    def asked(self, key: str) -> int:
        """How often the far side was asked for the effect, done or not."""
        return sum(entry["key"] == key for entry in self.entries())


class CalendarUpdateBench(CalendarBench):
    """The same, with a change of an event that another program wrote."""

    tool = "calendar.update"
    arguments: dict[str, Any] = {
        "event": "pilot.ics",
        "fields": {
            "start": "2026-12-02T10:00:00+01:00",
            "end": "2026-12-02T11:00:00+01:00",
            "location": "Zürich",
        },
        "attendees": ["jane.doe@boeing.example"],
    }


class CalendarCancelBench(CalendarBench):
    """The same, with the end of an event."""

    tool = "calendar.cancel"
    arguments: dict[str, Any] = {"event": "pilot.ics", "attendees": ["jane.doe@boeing.example"]}


class GoogleCalendarBench(CalendarBench):
    """Google's shape, with a new event as its effect."""

    event = "pilot0review"
    reads: dict[str, dict[str, Any]] = {
        "calendar.list": WEEK,
        "calendar.free_busy": WEEK,
        "calendar.read": {"event": "pilot0review"},
    }

    async def start(self, *flags: str) -> None:
        secret: Path = self.home / "secret"
        secret.write_text("not-a-real-password\n")
        self.service = await Service.start(
            "tests.contract.google_calendar_service",
            self.home / "port",
            f"--data={self.home / 'calendar.json'}",
            f"--token-file={secret}",
            f"--log={self.log}",
            *flags,
        )

    def connector(self, *, timeout_s: float = DEADLINE_S) -> Connector:
        port = self.port_override or self.port
        settings = GoogleCalendarSettings(url=f"http://127.0.0.1:{port}")
        return CalendarConnector(GoogleCalendar(settings, self.credential, timeout_s=timeout_s))


class GoogleCalendarUpdateBench(GoogleCalendarBench):
    """The same, with a change."""

    tool = "calendar.update"
    arguments: dict[str, Any] = {**CalendarUpdateBench.arguments, "event": "pilot0review"}


class GoogleCalendarCancelBench(GoogleCalendarBench):
    """The same, with the end of an event."""

    tool = "calendar.cancel"
    arguments: dict[str, Any] = {**CalendarCancelBench.arguments, "event": "pilot0review"}
