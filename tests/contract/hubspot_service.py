"""HubSpot's REST shape on loopback: CRM objects v3 and associations v4, kept in one JSON file.

Written after HubSpot's published reference, with its error bodies, its unique properties and
property history. As in HubSpot, the search index lags behind: here it is never newer than the
service's start, so a connector that looks for its own writes by search finds nothing.
"""

import asyncio
import hmac
import json
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

KEY = "anyteam_key"
UNIQUE = {"contacts": {"email", KEY}, "notes": {KEY}, "deals": set(), "companies": {"domain"}}
KNOWN = {
    "contacts": {"firstname", "lastname", "email", "jobtitle", "company", "phone", KEY},
    "companies": {"name", "domain", "industry", "city", "country"},
    "deals": {"dealname", "dealstage", "pipeline", "amount", "closedate", "hs_next_step", KEY},
    "notes": {"hs_note_body", "hs_timestamp", KEY},
}
HISTORY = 20

SEED: dict[str, Any] = {
    "next": 900,
    "contacts": {
        "101": {"firstname": "Jane", "lastname": "Doe", "email": "jane.doe@boeing.example"},
        "102": {"firstname": "Luc", "lastname": "Martin", "email": "luc.martin@airbus.example"},
    },
    "companies": {
        "201": {"name": "Boeing Company", "domain": "boeing.example", "about": "never shown"},
        "202": {"name": "Airbus", "domain": "airbus.example"},
    },
    "deals": {
        "301": {
            "dealname": "Fleet telemetry pilot",
            "dealstage": "proposal",
            "pipeline": "default",
            "amount": "480000",
            "closedate": "2026-12-15T00:00:00Z",
            "description": "never shown",
        },
        "302": {"dealname": "Spare parts forecast", "dealstage": "qualified"},
    },
    "notes": {},
    "history": {},
    "associations": [["companies", "201", "deals", "301"], ["contacts", "101", "deals", "301"]],
}


class HubSpotShape:
    """The records in `data`, a file; its methods are the service's answers."""

    def __init__(self, data: Path, log: Path, token: str, *, drop: bool, hold: bool, busy: int):
        self._path, self._log, self._token = data, log, token
        self._drop, self._hold, self._busy = drop, hold, busy
        if not data.exists():
            write_durably(data, json.dumps(SEED).encode())
        self._data: dict[str, Any] = json.loads(data.read_text())
        self._index: dict[str, Any] = json.loads(data.read_text())

    def app(self) -> Starlette:
        """The web application."""
        objects = "/crm/v3/objects/{kind}"
        routes: list[tuple[str, str, Callable[[Request], Awaitable[Response]]]] = [
            (f"{objects}/search", "POST", self.search),
            (objects, "POST", self.create),
            (objects + "/{id}", "GET", self.get),
            (objects + "/{id}", "PATCH", self.update),
            ("/crm/v4/objects/{kind}/{id}/associations/{to}", "GET", self.related),
        ]
        return Starlette(
            routes=[Route(path, self._guarded(do), methods=[m]) for path, m, do in routes]
        )

    async def search(self, request: Request) -> Response:
        """Records by filters, as the index has them."""
        kind, asked = request.path_params["kind"], await request.json()
        found = [
            (id_, record)
            for id_, record in self._index[kind].items()
            if any(
                all(_fits(record, one) for one in group["filters"])
                for group in asked["filterGroups"]
            )
        ]
        limit, names = asked.get("limit", 10), asked.get("properties", [])
        results = [_object(id_, record, names) for id_, record in found[:limit]]
        answer: dict[str, Any] = {"total": len(found), "results": results}
        if len(found) > limit:
            answer["paging"] = {"next": {"after": str(limit)}}
        return JSONResponse(answer)

    async def get(self, request: Request) -> Response:
        """One record, by its identifier or a unique property."""
        kind, wanted, query = request.path_params["kind"], request.path_params["id"], request
        by = query.query_params.get("idProperty", "")
        if by and by not in UNIQUE[kind]:
            return _problem(400, "VALIDATION_ERROR", "Unable to infer object type")
        id_ = self._by(kind, by, wanted) if by else wanted
        record = self._data[kind].get(id_)
        archived = query.query_params.get("archived") == "true"
        if record is None or record.get("_archived", False) is not archived:
            return _problem(404, "OBJECT_NOT_FOUND", "resource not found")
        shown = _object(id_, record, query.query_params.get("properties", "").split(","))
        name = query.query_params.get("propertiesWithHistory", "")
        if name:
            held = self._data["history"].get(f"{kind}/{id_}/{name}", [])
            shown["propertiesWithHistory"] = {name: held[:HISTORY]} if held else {}
        return JSONResponse(shown)

    async def related(self, request: Request) -> Response:
        """What is associated with a record."""
        kind, id_, to = (request.path_params[name] for name in ("kind", "id", "to"))
        far = [
            b if (a[0], a[1]) == (kind, id_) else a
            for a, b in ((tuple(one[:2]), tuple(one[2:])) for one in self._data["associations"])
            if (kind, id_) in (a, b)
        ]
        results = [
            {"toObjectId": int(other), "associationTypes": []} for t, other in far if t == to
        ]
        limit = int(request.query_params.get("limit", "500"))
        answer: dict[str, Any] = {"results": results[:limit]}
        if len(results) > limit:
            answer["paging"] = {"next": {"after": "1"}}
        return JSONResponse(answer)

    async def create(self, request: Request) -> Response:
        """A new record with its associations."""
        kind, asked = request.path_params["kind"], await request.json()
        properties = asked["properties"]
        id_ = str(self._data["next"])
        problem = self._objections(kind, "", properties)
        for one in asked.get("associations", []):
            to = {202: "contacts", 190: "companies", 214: "deals"}[
                one["types"][0]["associationTypeId"]
            ]
            if one["to"]["id"] not in self._data[to]:
                problem = _problem(404, "OBJECT_NOT_FOUND", "no such object to associate")
            elif problem is None and not self._drop:
                self._data["associations"].append([kind, id_, to, one["to"]["id"]])
        if problem is None and not self._drop:
            self._data["next"] += 1
            self._write(kind, id_, properties)
        effect = "refused" if problem else "dropped" if self._drop else "applied"
        return await self._logged(
            request, properties, effect, problem or JSONResponse(_object(id_, properties, []), 201)
        )

    async def update(self, request: Request) -> Response:
        """Change a record's properties."""
        kind, id_ = request.path_params["kind"], request.path_params["id"]
        properties = (await request.json())["properties"]
        problem = self._objections(kind, id_, properties)
        if id_ not in self._data[kind]:
            problem = _problem(404, "OBJECT_NOT_FOUND", "resource not found")
        if problem is None and not self._drop:
            self._write(kind, id_, {**self._data[kind][id_], **properties})
        effect = "refused" if problem else "dropped" if self._drop else "applied"
        return await self._logged(
            request, properties, effect, problem or JSONResponse(_object(id_, properties, []))
        )

    def _objections(self, kind: str, id_: str, properties: dict[str, str]) -> Response | None:
        if strange := set(properties) - KNOWN[kind]:
            return _problem(400, "VALIDATION_ERROR", f"PROPERTY_DOESNT_EXIST {strange}")
        for name in UNIQUE[kind] & set(properties):
            if self._by(kind, name, properties[name]) not in ("", id_):
                return _problem(409, "CONFLICT", "already exists")
        return None

    def _by(self, kind: str, name: str, value: str) -> str:
        held = self._data[kind].items()
        return next((id_ for id_, record in held if record.get(name) == value), "")

    def _write(self, kind: str, id_: str, record: dict[str, str]) -> None:
        self._data[kind][id_] = record
        if KEY in record:
            history = self._data["history"].setdefault(f"{kind}/{id_}/{KEY}", [])
            now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            history.insert(0, {"value": record[KEY], "timestamp": now, "sourceType": "INTEGRATION"})
        write_durably(self._path, json.dumps(self._data).encode())

    async def _logged(
        self, request: Request, properties: dict[str, str], effect: str, answer: Response
    ) -> Response:
        key = properties.get(KEY, "")
        append_durably(self._log, {"path": request.url.path, "key": key, "effect": effect})
        if self._hold:
            say(f"held {key}")
            await asyncio.Event().wait()
        return answer

    def _guarded(
        self, do: Callable[[Request], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        expected = f"Bearer {self._token}".encode()

        async def check(request: Request) -> Response:
            if self._busy > 0:
                self._busy -= 1
                problem = _problem(429, "RATE_LIMITS", "You have reached your secondly limit.")
                problem.headers["Retry-After"] = "0"
                return problem
            given = request.headers.get("authorization", "").encode()
            if not hmac.compare_digest(given, expected):
                return _problem(401, "INVALID_AUTHENTICATION", "Authentication credentials")
            return await do(request)

        return check


def _fits(record: dict[str, str], one: dict[str, str]) -> bool:
    held = record.get(one["propertyName"], "").casefold()
    wanted = one["value"].casefold()
    return held == wanted if one["operator"] == "EQ" else wanted in held.split()


def _object(id_: str, record: dict[str, str], names: list[str]) -> dict[str, Any]:
    shown = {name: record.get(name) for name in names if name}
    return {"id": id_, "properties": {"hs_object_id": id_, **shown}, "archived": False}


def _problem(status: int, category: str, message: str) -> JSONResponse:
    return JSONResponse({"status": "error", "message": message, "category": category}, status)


async def _serve() -> None:
    parser = common_arguments("tests.contract.hubspot_service")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--token-file", type=Path, required=True)
    parser.add_argument("--busy", type=int, default=0, help="answer so many requests with 429")
    options = parser.parse_args()
    shape = HubSpotShape(
        options.data,
        options.log,
        options.token_file.read_text().strip(),
        drop=options.drop_writes,
        hold=options.hold_answers,
        busy=options.busy,
    )
    await serve(shape.app(), options)


if __name__ == "__main__":
    sys.exit(asyncio.run(_serve()))
