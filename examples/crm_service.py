"""A small CRM: accounts and deals over HTTP, kept in one JSON file.

    python -m examples.crm_service --data FILE --token-file F --port-file P --log L

Every request needs the bearer token (RFC 6750). A change needs an `Idempotency-Key`; the
key is kept in the same write as the change, so that neither is ever there without the
other, and `GET /keys/<key>` says whether it was done. The log holds each change as it was
asked, and what became of it: applied, repeated, refused or dropped.
"""

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

Handler = Callable[[Request], Awaitable[Response]]

CHANGEABLE = ("stage", "next_step", "note")


def _account(name: str, domain: str, *contacts: tuple[str, str, str]) -> dict[str, Any]:
    people = [{"name": n, "email": f"{e}@{domain}", "title": t} for n, e, t in contacts]
    return {"name": name, "domain": domain, "contacts": people}


def _deal(account: str, name: str, stage: str, amount: int, close: str) -> dict[str, Any]:
    return {
        "account": account,
        "name": name,
        "stage": stage,
        "amount": amount,
        "currency": "USD",
        "close": close,
        "next_step": "",
        "note": "",
    }


SEED: dict[str, dict[str, Any]] = {
    "accounts": {
        "acc-1": _account(
            "Boeing",
            "boeing.example",
            ("Jane Doe", "jane.doe", "Director of Fleet Analytics"),
            ("Sam Ortiz", "sam.ortiz", "Procurement"),
        ),
        "acc-2": _account("Airbus", "airbus.example", ("Luc Martin", "luc.martin", "CIO")),
        "acc-3": _account("Embraer", "embraer.example", ("Ana Souza", "ana.souza", "Operations")),
    },
    "deals": {
        "deal-1": _deal("acc-1", "Fleet telemetry pilot", "proposal", 480_000, "2026-12-15"),
        "deal-2": _deal("acc-1", "Spare parts forecast", "qualified", 120_000, "2027-02-28"),
        "deal-3": _deal("acc-2", "Cabin analytics", "negotiation", 350_000, "2026-12-30"),
        "deal-4": _deal("acc-3", "Maintenance planner", "prospecting", 90_000, "2027-03-31"),
    },
    "keys": {},
}


class Crm:
    """The records in `data`, a file; its methods are the service's answers."""

    def __init__(
        self,
        data: Path,
        log: Path,
        token: str,
        *,
        drop_writes: bool = False,
        hold_answers: bool = False,
        latency_s: float = 0.0,
    ) -> None:
        self._path, self._log, self._token = data, log, token
        self._drop_writes, self._hold_answers = drop_writes, hold_answers
        self._latency_s = latency_s
        if not data.exists():
            write_durably(data, _encoded(SEED))
        self._data: dict[str, dict[str, Any]] = json.loads(data.read_text(encoding="utf-8"))

    def app(self) -> Starlette:
        """The web application."""
        routes: list[tuple[str, str, Handler]] = [
            ("/accounts", "GET", self.find_accounts),
            ("/accounts/{id}", "GET", self.get_account),
            ("/accounts/{id}/deals", "GET", self.list_deals),
            ("/deals/{id}", "GET", self.get_deal),
            ("/deals/{id}", "PATCH", self.update_deal),
            ("/keys/{key}", "GET", self.get_key),
            ("/pipeline", "GET", self.export_pipeline),
        ]
        return Starlette(
            routes=[
                Route(path, self._authorised(handler), methods=[method])
                for path, method, handler in routes
            ]
        )

    async def find_accounts(self, request: Request) -> Response:
        """Accounts whose name begins with `name`, `limit` at most."""
        wanted = request.query_params.get("name", "").casefold()
        limit = _limit(request)
        found = [
            account
            for account in self._listed("accounts")
            if account["name"].casefold().startswith(wanted)
        ]
        return JSONResponse({"accounts": found[:limit]})

    async def get_account(self, request: Request) -> Response:
        """One account."""
        return self._one("accounts", request.path_params["id"])

    async def list_deals(self, request: Request) -> Response:
        """An account's deals, `limit` at most."""
        account = request.path_params["id"]
        if account not in self._data["accounts"]:
            return _problem(404, "no such account")
        deals = [deal for deal in self._listed("deals") if deal["account"] == account]
        return JSONResponse({"deals": deals[: _limit(request)]})

    async def get_deal(self, request: Request) -> Response:
        """One deal."""
        return self._one("deals", request.path_params["id"])

    async def export_pipeline(self, request: Request) -> Response:
        """Every deal."""
        return JSONResponse({"deals": self._listed("deals")})

    async def get_key(self, request: Request) -> Response:
        """Whether a change was done under this key, and which."""
        key = request.path_params["key"]
        kept = self._data["keys"].get(key)
        return JSONResponse({"key": key, "known": kept is not None, **(kept or {})})

    async def update_deal(self, request: Request) -> Response:
        """Change a deal once per key."""
        body = await request.body()
        answer, effect = self._change(request, body)
        key = request.headers.get("idempotency-key", "")
        append_durably(
            self._log,
            {
                "method": request.method,
                "path": request.url.path,
                "key": key,
                "body": body.decode("utf-8", "backslashreplace"),
                "effect": effect,
            },
        )
        if self._hold_answers:
            say(f"held {key}")
            await asyncio.Event().wait()
        return answer

    def _change(self, request: Request, body: bytes) -> tuple[Response, str]:
        """The answer, and the log's word for it."""
        key = request.headers.get("idempotency-key", "")
        deal_id = request.path_params["id"]
        deal = self._data["deals"].get(deal_id)
        if not key:
            return _problem(400, "a change needs an Idempotency-Key"), "refused"
        if deal is None:
            return _problem(404, "no such deal"), "refused"
        fields = _changes(body)
        if fields is None:
            return _problem(422, f"a change is an object of {', '.join(CHANGEABLE)}"), "refused"
        change = {"deal": deal_id, "fields": fields}
        kept = self._data["keys"].get(key)
        if kept is not None and kept != change:
            return _problem(422, "the key was used for another change"), "refused"
        changed = {**deal, **fields}
        if kept is not None:
            return JSONResponse({"id": deal_id, **changed}), "repeated"
        if self._drop_writes:
            return JSONResponse({"id": deal_id, **changed}), "dropped"
        self._keep(
            {
                **self._data,
                "deals": {**self._data["deals"], deal_id: changed},
                "keys": {**self._data["keys"], key: change},
            }
        )
        return JSONResponse({"id": deal_id, **changed}), "applied"

    def _keep(self, data: dict[str, dict[str, Any]]) -> None:
        write_durably(self._path, _encoded(data))
        self._data = data

    def _listed(self, kind: str) -> list[dict[str, Any]]:
        return [{"id": known, **record} for known, record in self._data[kind].items()]

    def _one(self, kind: str, wanted: str) -> Response:
        record = self._data[kind].get(wanted)
        if record is None:
            return _problem(404, "no such record")
        return JSONResponse({"id": wanted, **record})

    def _authorised(self, handler: Handler) -> Handler:
        expected = f"Bearer {self._token}".encode()

        async def check(request: Request) -> Response:
            given = request.headers.get("authorization", "").encode()
            if not hmac.compare_digest(given, expected):
                return _problem(401, "a bearer token is needed")
            await asyncio.sleep(self._latency_s)
            return await handler(request)

        return check


def _changes(body: bytes) -> dict[str, str] | None:
    try:
        fields = json.loads(body)
    except ValueError:
        return None
    if not isinstance(fields, dict) or not fields:
        return None
    well_formed = all(k in CHANGEABLE and isinstance(v, str) for k, v in fields.items())
    return fields if well_formed else None


def _limit(request: Request) -> int:
    given = request.query_params.get("limit", "")
    return min(int(given), 100) if given.isdecimal() else 100


def _problem(status: int, detail: str) -> Response:
    return JSONResponse({"detail": detail}, status)


def _encoded(data: dict[str, dict[str, Any]]) -> bytes:
    return json.dumps(data, indent=1).encode()


async def _serve() -> None:
    parser = common_arguments("examples.crm_service")
    parser.add_argument("--data", type=Path, required=True, help="made and seeded if missing")
    parser.add_argument("--token-file", type=Path, required=True)
    parser.add_argument("--latency-ms", type=int, default=0, help="answer as slowly as a real one")
    options = parser.parse_args()
    crm = Crm(
        options.data,
        options.log,
        options.token_file.read_text(encoding="utf-8").strip(),
        drop_writes=options.drop_writes,
        hold_answers=options.hold_answers,
        latency_s=options.latency_ms / 1_000,
    )
    await serve(crm.app(), options)


if __name__ == "__main__":
    sys.exit(asyncio.run(_serve()))
