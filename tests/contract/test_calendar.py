"""What the calendar connector owes beside the contract: others' words kept, nobody told unnamed."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from schemas.actions import ActionOutcome
from schemas.connectors import CalendarSettings
from sidecar.connectors.caldav import CalDav
from sidecar.connectors.calendar import CalendarConnector
from sidecar.connectors.connector import Finding
from sidecar.connectors.http import MAX_ANSWER_BYTES
from sidecar.connectors.icalendar_events import occurrences, read_event
from sidecar.connectors.meeting import Meeting
from sidecar.errors import (
    BadArguments,
    BadConnector,
    BadTarget,
    ConnectorError,
    Garbled,
    TargetRefused,
    Unreachable,
)
from tests.contract.calendar_benches import (
    CREATION,
    WEEK,
    CalendarBench,
    CalendarUpdateBench,
    GoogleCalendarBench,
)
from tests.contract.services import new_key
from tests.contract.test_http import answer, canned, elsewhere

pytestmark = pytest.mark.asyncio


@pytest.fixture(params=[CalendarBench, GoogleCalendarBench])
async def calendar(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """Each provider in turn, up."""
    made = request.param(tmp_path)
    await made.start()
    yield made
    await made.down()


def file_of(bench: CalendarBench, name: str) -> Path:
    """Where Radicale keeps an event."""
    return bench.home / "radicale" / "collection-root" / "ann" / "work" / name


def on_disk(bench: CalendarBench, name: str) -> str:
    """An event as Radicale keeps it."""
    return file_of(bench, name).read_text().replace("\n ", "")


async def did(bench: CalendarBench, tool: str, **arguments: Any) -> Any:
    outcome = await bench.connector().execute(tool, arguments, new_key())
    assert outcome.status is ActionOutcome.CONFIRMED
    return outcome.result


async def test_a_window_shows_each_event_at_its_time_and_a_series_each_time(
    calendar: CalendarBench,
) -> None:
    listed = await did(calendar, "calendar.list", **WEEK)
    shown = [(one["title"], one["start"]) for one in listed["events"]]
    assert ("Review of the pilot", "2026-12-01T10:00:00+01:00") in shown
    assert ("Company day", "2026-12-02") in shown
    assert sum(title == "Standup" for title, _ in shown) >= 1
    assert [start for _, start in shown] == sorted(start for _, start in shown)
    assert "more" in listed and not listed["more"]
    few = await did(calendar, "calendar.list", **{**WEEK, "limit": 1})
    assert len(few["events"]) == 1 and few["more"]


async def test_free_busy_tells_times_and_nothing_else(calendar: CalendarBench) -> None:
    told = await did(calendar, "calendar.free_busy", **WEEK)
    assert {frozenset(one) for one in told["busy"]} == {frozenset(("start", "end"))}
    starts = {one["start"] for one in told["busy"]}
    assert "2026-12-01T10:00:00+01:00" in starts and "2026-12-02" not in starts


async def test_a_change_leaves_what_it_does_not_name(calendar: CalendarBench) -> None:
    attendees = ["JANE.doe@boeing.example"]
    fields = {"title": "Another title"}
    await did(calendar, "calendar.update", event=calendar.event, fields=fields, attendees=attendees)
    read = await did(calendar, "calendar.read", event=calendar.event)
    assert read["title"] == "Another title" and read["description"] == "With the whole team."
    assert read["start"].startswith("2026-12-01T")
    if type(calendar) is CalendarBench:
        kept = on_disk(calendar, "pilot.ics")
        assert "X-OTHER-PROGRAM:kept" in kept and "X-OWN=kept" in kept and "SEQUENCE:1" in kept


@pytest.mark.parametrize("attendees", [[], ["jane.doe@boeing.example", "eve@evil.example"]])
@pytest.mark.parametrize("tool", ["calendar.update", "calendar.cancel"])
async def test_an_event_is_not_touched_unless_all_who_attend_are_named(
    calendar: CalendarBench, tool: str, attendees: list[str]
) -> None:
    arguments: dict[str, Any] = {"event": calendar.event, "attendees": attendees}
    if tool == "calendar.update":
        arguments["fields"] = {"title": "Another title"}
    key = new_key()
    with pytest.raises(TargetRefused, match="others attend") as raised:
        await calendar.connector().execute(tool, arguments, key)
    assert raised.value.before_effect and calendar.asked(key) == 0


async def test_a_cancelled_event_can_be_read_and_takes_no_time(calendar: CalendarBench) -> None:
    attendees = ["jane.doe@boeing.example"]
    await did(calendar, "calendar.cancel", event=calendar.event, attendees=attendees)
    assert (await did(calendar, "calendar.read", event=calendar.event))["cancelled"]
    told = await did(calendar, "calendar.free_busy", **WEEK)
    assert "2026-12-01T10:00:00+01:00" not in {one["start"] for one in told["busy"]}


async def test_of_two_changes_to_one_version_one_is_refused(calendar: CalendarBench) -> None:
    changes = [
        calendar.connector().execute(
            "calendar.update",
            {
                "event": calendar.event,
                "fields": {"location": place},
                "attendees": ["jane.doe@boeing.example"],
            },
            new_key(),
        )
        for place in ("Zürich", "Bern", "Basel", "Genf")
    ]
    ended = await asyncio.gather(*changes, return_exceptions=True)
    refused = [one for one in ended if isinstance(one, TargetRefused)]
    done = [one for one in ended if not isinstance(one, BaseException)]
    assert len(refused) + len(done) == 4 and done
    applied = [entry for entry in calendar.entries() if entry["effect"] == "applied"]
    assert len(applied) == len(done)


async def test_a_change_that_somebody_wrote_over_is_not_taken_for_undone(tmp_path: Path) -> None:
    bench = CalendarUpdateBench(tmp_path)
    await bench.start()
    key = new_key()
    await bench.connector().execute(bench.tool, bench.arguments, key)
    await did(bench, "calendar.update", **{**bench.arguments, "fields": {"title": "By me"}})
    found = await bench.connector().reconcile(bench.tool, bench.arguments, key)
    assert found.finding is Finding.DONE
    file = file_of(bench, "pilot.ics")
    lines = file.read_bytes().replace(b"\r\n", b"\n").replace(b"\n ", b"").split(b"\n")
    await bench.down()
    file.write_bytes(b"\r\n".join(line for line in lines if not line.startswith(b"X-ANYTEAM")))
    await bench.start()
    found = await bench.connector().reconcile(bench.tool, bench.arguments, key)
    assert found.finding is Finding.UNKNOWN
    await bench.down()


async def test_one_of_several_is_for_a_person(tmp_path: Path) -> None:
    bench = CalendarBench(tmp_path)
    await bench.start()
    with pytest.raises(BadTarget, match="recurs"):
        await bench.connector().execute(
            "calendar.update", {"event": "standup.ics", "fields": {"title": "x"}}, new_key()
        )
    await bench.down()


@pytest.mark.parametrize("tool", ["calendar.read", "calendar.cancel"])
async def test_an_event_that_is_not_there_is_told(calendar: CalendarBench, tool: str) -> None:
    with pytest.raises(BadTarget, match="no such event"):
        await calendar.connector().execute(tool, {"event": "none0at0all"}, new_key())


async def test_a_calendar_that_is_gone_is_no_word_that_nothing_was_done(tmp_path: Path) -> None:
    bench = CalendarBench(tmp_path)
    await bench.start()
    settings = CalendarSettings(
        url=f"http://127.0.0.1:{bench.port}/ann/other/", user="ann", organizer="ann@acme.example"
    )
    connector = CalendarConnector(CalDav(settings, bench.credential))
    found = await connector.reconcile("calendar.create", CREATION, new_key())
    assert found.finding is Finding.UNKNOWN
    await bench.down()


@pytest.mark.parametrize(
    "wrong",
    [
        {"end": "2026-12-08T09:00:00+01:00"},
        {"end": "2026-12-08T10:00:00+01:00"},
        {"end": "2027-12-08T10:00:00+01:00"},
        {"start": "2026-13-08T10:00:00Z"},
        {"start": "2026-12-08T10:00:00"},
        {"start": "2026-12-08"},
        {"attendees": ["jane doe@boeing.example"]},
        {"attendees": ["jane@boeing.example\r\nATTENDEE:mailto:eve@evil.example"]},
        {"title": "two\nlines"},
        {"title": ""},
    ],
)
async def test_what_is_no_event_is_asked_of_nobody(
    calendar: CalendarBench, wrong: dict[str, Any]
) -> None:
    key = new_key()
    with pytest.raises(BadArguments):
        await calendar.connector().execute("calendar.create", {**CREATION, **wrong}, key)
    assert calendar.asked(key) == 0


@pytest.mark.parametrize("end", ["2026-11-30T00:00:00Z", "2027-02-01T00:00:00Z"])
async def test_no_window_is_empty_or_longer_than_two_months(
    calendar: CalendarBench, end: str
) -> None:
    for tool in ("calendar.list", "calendar.free_busy"):
        with pytest.raises(BadArguments):
            await calendar.connector().execute(tool, {**WEEK, "end": end}, new_key())


BOMB = b'<?xml version="1.0"?><!DOCTYPE m [<!ENTITY a "b"><!ENTITY c "&a;&a;">]><m>&c;</m>'
ANSWERS = {
    "no XML": (lambda _: answer("207 Multi-Status", b"{}"), Garbled),
    "entities": (lambda _: answer("207 Multi-Status", BOMB), Garbled),
    "another document": (lambda _: answer("207 Multi-Status", b"<html/>"), Garbled),
    "no multistatus": (lambda _: answer("200 OK", b"<multistatus xmlns='DAV:'/>"), Garbled),
    "too long": (
        lambda _: answer("207 Multi-Status", b" " * (MAX_ANSWER_BYTES + 1)),
        Garbled,
    ),
    "redirect": (elsewhere, Garbled),
    "failure": (lambda _: answer("500 Internal Server Error"), Unreachable),
    "nothing": (lambda _: b"", Unreachable),
}


@pytest.mark.parametrize("case", ANSWERS)
async def test_an_answer_off_the_protocol_is_an_error_and_never_an_empty_calendar(
    case: str,
) -> None:
    reply, error = ANSWERS[case]
    async with canned(reply) as (port, heads):
        settings = CalendarSettings(
            url=f"http://127.0.0.1:{port}/ann/work/", user="ann", organizer="ann@acme.example"
        )
        connector = CalendarConnector(CalDav(settings, "not-a-real-password"))
        with pytest.raises(error):
            await connector.execute("calendar.list", WEEK, new_key())
        found = await connector.reconcile("calendar.create", CREATION, new_key())
        assert found.finding is Finding.UNKNOWN
        assert all(head.startswith(b"REPORT /ann/work/ ") for head in heads)


@pytest.mark.parametrize(
    "settings",
    [
        {"url": "http://calendar.example/ann/work/"},
        {"url": "https://ann:secret@calendar.example/ann/work/"},
        {"organizer": "ann"},
    ],
)
async def test_settings_that_cannot_serve_are_told_at_once(settings: dict[str, str]) -> None:
    good = {"url": "https://calendar.example/", "user": "ann", "organizer": "ann@acme.example"}
    with pytest.raises(BadConnector):
        CalDav(CalendarSettings(**{**good, **settings}), "not-a-real-password")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n",
        b"BEGIN:VEVENT\r\nEND:VEVENT\r\n",
        b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:a\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
        b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:later\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
        bytes(range(256)),
    ],
)
async def test_what_is_no_event_is_garbled_whatever_it_is(data: bytes) -> None:
    with pytest.raises(ConnectorError):
        read_event(data)


async def test_an_event_that_goes_on_for_ever_is_read_as_far_as_it_is_asked_for() -> None:
    data = (
        b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:a\r\nDTSTART:20261201T090000Z\r\n"
        b"RRULE:FREQ=SECONDLY\r\nSUMMARY:x\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    start = read_event(data).start
    end = start.replace(month=12, day=30)
    found: list[Meeting] = list(occurrences(data, start, end, 5))  # type: ignore[arg-type]
    assert len(found) == 5
