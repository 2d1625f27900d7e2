"""The service that `invoices.yaml` describes, on loopback, kept in one JSON file."""

import asyncio
import hmac
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from examples.service import append_durably, common_arguments, say, write_durably
from examples.serving import serve

SEED: dict[str, Any] = {
    "inv-1": {"customer": "Boeing", "amount": 120.5, "reference": "r-1", "state": "open"},
    "inv-2": {"customer": "Airbus", "amount": 99, "reference": "r-2", "state": "paid"},
}


class Invoices:
    """The invoices in `data`, a file. `deaf` ignores the filters of a list."""

    def __init__(
        self, data: Path, log: Path, token: str, *, drop: bool, hold: bool, deaf: bool
    ) -> None:
        self._path, self._log, self._token = data, log, token
        self._drop, self._hold, self._deaf = drop, hold, deaf
        if not data.exists():
            write_durably(data, json.dumps(SEED).encode())
        self._data: dict[str, Any] = json.loads(data.read_text())

    def app(self) -> Starlette:
        """The web application."""
        one = "/v2/invoices/{id}"
        routes: list[tuple[str, str, Callable[[Request], Awaitable[Response]]]] = [
            ("/v2/invoices", "GET", self.list),
            ("/v2/invoices", "POST", self.create),
            (one, "GET", self.get),
            (one, "PUT", self.replace),
            (one, "DELETE", self.delete),
            (f"{one}/reminders", "POST", self.remind),
        ]
        return Starlette(
            routes=[Route(path, self._guarded(do), methods=[m]) for path, m, do in routes]
        )

    async def list(self, request: Request) -> Response:
        """Invoices, of one reference or of some states."""
        query = request.query_params
        states, reference = query.getlist("state"), query.get("reference")
        found = [
            {"id": id_, **held, "memo": "never kept"}
            for id_, held in self._data.items()
            if self._deaf
            or ((not states or held["state"] in states) and reference in (None, held["reference"]))
        ]
        return JSONResponse({"items": found[: int(query.get("limit", "100"))]})

    async def get(self, request: Request) -> Response:
        """One invoice."""
        held = self._data.get(request.path_params["id"])
        if held is None:
            return JSONResponse({"title": "no such invoice"}, 404)
        return JSONResponse({"id": request.path_params["id"], **held})

    async def create(self, request: Request) -> Response:
        """A new invoice, under a reference that no other has."""
        body = await request.json()
        taken = any(held["reference"] == body["reference"] for held in self._data.values())
        id_ = f"inv-{len(self._data) + 1}"
        made = {"state": "open", **body}
        if not taken and not self._drop:
            self._keep({**self._data, id_: made})
        effect = "refused" if taken else "dropped" if self._drop else "applied"
        answer = JSONResponse({"id": id_, **made}, 409 if taken else 201)
        return await self._logged(request, body["reference"], effect, answer)

    async def replace(self, request: Request) -> Response:
        """Set the state."""
        id_, body = request.path_params["id"], await request.json()
        self._keep({**self._data, id_: {**self._data[id_], **body}})
        return await self._logged(request, id_, "applied", Response(status_code=204))

    async def delete(self, request: Request) -> Response:
        """Remove one."""
        id_ = request.path_params["id"]
        self._keep({k: v for k, v in self._data.items() if k != id_})
        return await self._logged(request, id_, "applied", Response(status_code=204))

    async def remind(self, request: Request) -> Response:
        """Something that nobody can ask about afterwards."""
        key = request.headers.get("idempotency-key", "")
        return await self._logged(request, key, "applied", JSONResponse({"sent": True}, 202))

    def _keep(self, data: dict[str, Any]) -> None:
        write_durably(self._path, json.dumps(data).encode())
        self._data = data

    async def _logged(self, request: Request, key: str, effect: str, answer: Response) -> Response:
        target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        append_durably(self._log, {"target": target, "key": key, "effect": effect})
        if self._hold:
            say(f"held {key}")
            await asyncio.Event().wait()
        return answer

    def _guarded(
        self, do: Callable[[Request], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def check(request: Request) -> Response:
            given = request.headers.get("x-api-key", "").encode()
            if not hmac.compare_digest(given, self._token.encode()):
                return JSONResponse({"title": "who are you"}, 401)
            return await do(request)

        return check


async def _serve() -> None:
    parser = common_arguments("tests.contract.invoices_service")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--token-file", type=Path, required=True)
    parser.add_argument("--deaf", action="store_true", help="ignore the filters of a list")
    options = parser.parse_args()
    invoices = Invoices(
        options.data,
        options.log,
        options.token_file.read_text().strip(),
        drop=options.drop_writes,
        hold=options.hold_answers,
        deaf=options.deaf,
    )
    await serve(invoices.app(), options)


if __name__ == "__main__":
    sys.exit(asyncio.run(_serve()))
