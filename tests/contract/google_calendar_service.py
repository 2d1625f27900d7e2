"""Google Calendar's REST shape (v3) on loopback: one calendar's events, kept in one JSON file.

Written after Google's published reference: ids that the client chooses and conflicts over them
(409), versions that a change is held to (412), private properties, pages, and events that are
cancelled and not gone. As there, an event of an id that was ever taken cannot be made again.
"""

import asyncio
import hmac
import json
import re
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from examples.service import append_durably, common_arguments, say, write_durably
from examples.serving import serve

PAGE = 2
SEED: dict[str, Any] = {
    "pilot0review": {
        "summary": "Review of the pilot",
        "description": "With the whole team.",
        "start": {"dateTime": "2026-12-01T10:00:00+01:00"},
        "end": {"dateTime": "2026-12-01T11:00:00+01:00"},
        "attendees": [{"email": "jane.doe@boeing.example", "responseStatus": "accepted"}],
        "updated": "2026-10-01T08:00:00.000Z",
    },
    "company0day": {
        "summary": "Company day",
        "start": {"date": "2026-12-02"},
        "end": {"date": "2026-12-03"},
        "transparency": "transparent",
        "updated": "2026-10-01T08:00:00.000Z",
    },
    "standup_20261203t090000z": {
        "summary": "Standup",
        "start": {"dateTime": "2026-12-03T09:00:00Z"},
        "end": {"dateTime": "2026-12-03T09:15:00Z"},
        "recurringEventId": "standup",
        "updated": "2026-10-01T08:00:00.000Z",
    },
}


class Calendar:
    """The events in `data`, a file; its methods are the service's answers."""

    def __init__(self, data: Path, log: Path, token: str, *, drop: bool, hold: bool) -> None:
        self._path, self._log, self._token = data, log, token
        self._drop, self._hold = drop, hold
        if not data.exists():
            write_durably(data, json.dumps(SEED).encode())
        self._events: dict[str, Any] = json.loads(data.read_text())

    def app(self) -> Starlette:
        """The web application."""
        events = "/calendar/v3/calendars/primary/events"
        routes: list[tuple[str, str, Callable[[Request], Awaitable[Response]]]] = [
            (events, "GET", self.list),
            (events, "POST", self.insert),
            (events + "/{id}", "GET", self.get),
            (events + "/{id}", "PATCH", self.patch),
        ]
        return Starlette(
            routes=[Route(path, self._guarded(do), methods=[m]) for path, m, do in routes]
        )

    async def list(self, request: Request) -> Response:
        """Events of a window, by their start, a page at a time."""
        query = request.query_params
        first, last = query.get("timeMin"), query.get("timeMax")
        found = [
            self._shown(name)
            for name, event in sorted(self._events.items(), key=lambda item: _start(item[1]))
            if event.get("status") != "cancelled"
            and (first is None or _time(first) < _end(event))
            and (last is None or _start(event) < _time(last))
        ]
        at = int(query.get("pageToken", "0"))
        size = min(PAGE, int(query.get("maxResults", "250")))
        page: dict[str, Any] = {"kind": "calendar#events", "items": found[at : at + size]}
        if len(found) > at + size:
            page["nextPageToken"] = str(at + size)
        return JSONResponse(page)

    async def get(self, request: Request) -> Response:
        """One event, cancelled ones too."""
        name = request.path_params["id"]
        return JSONResponse(self._shown(name)) if name in self._events else _problem(404)

    async def insert(self, request: Request) -> Response:
        """A new event under an id of the client's."""
        event = await request.json()
        name = event.pop("id")
        if not re.fullmatch(r"[a-v0-9]{5,1024}", name):
            return await self._logged(event, "refused", _problem(400))
        if name in self._events:
            return await self._logged(event, "refused", _problem(409))
        if self._drop:
            return await self._logged(event, "dropped", JSONResponse({"id": name, "etag": '"0"'}))
        self._keep(name, event)
        return await self._logged(event, "applied", JSONResponse(self._shown(name)), name)

    async def patch(self, request: Request) -> Response:
        """Change some fields of an event, of the version that is named."""
        name, changes = request.path_params["id"], await request.json()
        if name not in self._events:
            return await self._logged(changes, "refused", _problem(404))
        wanted = request.headers.get("if-match", "*")
        if wanted not in ("*", self._etag(name)):
            return await self._logged(changes, "refused", _problem(412))
        if self._drop:
            return await self._logged(changes, "dropped", JSONResponse(self._shown(name)))
        self._keep(name, {**self._events[name], **changes})
        return await self._logged(changes, "applied", JSONResponse(self._shown(name)), name)

    def _keep(self, name: str, event: dict[str, Any]) -> None:
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self._events[name] = {**event, "updated": now}
        write_durably(self._path, json.dumps(self._events).encode())

    def _etag(self, name: str) -> str:
        return f'"{self._events[name]["updated"]}"'

    def _shown(self, name: str) -> dict[str, Any]:
        event = {"status": "confirmed", **self._events[name]}
        return {"kind": "calendar#event", "id": name, "etag": self._etag(name), **event}

    async def _logged(
        self, event: dict[str, Any], effect: str, answer: Response, name: str = ""
    ) -> Response:
        keys = event.get("extendedProperties", {}).get("private", {}).get("anyteamKeys", "")
        entry = {"key": (keys.split() or [""])[-1], "path": name, "effect": effect}
        append_durably(self._log, entry)
        if self._hold:
            say("held")
            await asyncio.Event().wait()
        return answer

    def _guarded(
        self, do: Callable[[Request], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        expected = f"Bearer {self._token}".encode()

        async def check(request: Request) -> Response:
            given = request.headers.get("authorization", "").encode()
            return await do(request) if hmac.compare_digest(given, expected) else _problem(401)

        return check


def _start(event: dict[str, Any]) -> datetime:
    return _time(event["start"].get("dateTime") or event["start"]["date"])


def _end(event: dict[str, Any]) -> datetime:
    return _time(event["end"].get("dateTime") or event["end"]["date"])


def _time(said: str) -> datetime:
    found = datetime.fromisoformat(said)
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _problem(status: int) -> JSONResponse:
    return JSONResponse({"error": {"code": status, "message": "no"}}, status)


async def _serve() -> None:
    parser = common_arguments("tests.contract.google_calendar_service")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--token-file", type=Path, required=True)
    options = parser.parse_args()
    calendar = Calendar(
        options.data,
        options.log,
        options.token_file.read_text().strip(),
        drop=options.drop_writes,
        hold=options.hold_answers,
    )
    await serve(calendar.app(), options)


if __name__ == "__main__":
    sys.exit(asyncio.run(_serve()))
