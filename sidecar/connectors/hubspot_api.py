"""HubSpot's public REST API (CRM objects v3, associations v4), as far as the connector needs it.

A record that is not there is HubSpot's own word, OBJECT_NOT_FOUND, and None here; any other 404
may come from whatever stands between, and is no answer. What was turned away for its rate (429)
was not done, so it alone is asked again: as often and as soon as HubSpot says, within bounds.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec
import tenacity
from msgspec import Struct

from sidecar.connectors.http import HttpService, Reply, checked, decoded
from sidecar.errors import BadTarget, Busy, Garbled, Unanswered, Unreachable

MAX_WAIT_S: Final = 10.0
ASKED_AT_MOST: Final = 3
HISTORY_SHOWN: Final = 20
"""How many of a property's former values HubSpot shows at least."""

# HubSpot's own association types, from a note to what it is about.
_ABOUT: Final = {"contacts": 202, "companies": 190, "deals": 214}


class Record(Struct, frozen=True):
    """A record, with the properties that were asked for."""

    id: str
    properties: dict[str, str | None] = {}


class Stamp(Struct, frozen=True):
    """A former or present value of a property, since `timestamp` (ISO 8601)."""

    timestamp: str
    value: str = ""


class Held(Struct, frozen=True):
    """A record as it reads, with the history of the key's property, and the answer's bytes."""

    record: Record
    history: tuple[Stamp, ...]
    evidence: bytes


class _History(Struct, frozen=True):
    propertiesWithHistory: dict[str, tuple[Stamp, ...]] = {}  # noqa: N815


class Next(Struct, frozen=True):
    """Where the rest begins."""

    after: str


class Paging(Struct, frozen=True):
    """What follows a page, if anything does."""

    next: Next | None = None


class Page(Struct, frozen=True):
    """Records, and whether there are more."""

    results: tuple[Record, ...]
    paging: Paging | None = None


class Association(Struct, frozen=True):
    """The far end of an association."""

    toObjectId: int | str  # noqa: N815


class Associations(Struct, frozen=True):
    """Far ends, and whether there are more."""

    results: tuple[Association, ...]
    paging: Paging | None = None


class _Problem(Struct, frozen=True):
    status: Literal["error"]
    category: str


class HubSpot:
    """HubSpot at `url`, with a private app's token. Raises `BadConnector`."""

    def __init__(self, url: str, token: str, *, timeout_s: float) -> None:
        self._service = HttpService(url, token, timeout_s=timeout_s)

    async def search(
        self,
        kind: str,
        where: tuple[str, str, str],
        properties: tuple[str, ...],
        limit: int,
    ) -> tuple[Page, bytes]:
        """Records where one property stands in a relation to one value: (name, operator, value)."""
        name, operator, value = where
        asked = {
            "filterGroups": [
                {"filters": [{"propertyName": name, "operator": operator, "value": value}]}
            ],
            "properties": properties,
            "limit": limit,
        }
        body = await self._read("POST", f"/crm/v3/objects/{kind}/search", body=asked)
        return decoded(body, Page), body

    async def related(self, kind: str, id_: str, to: str, limit: int) -> tuple[Associations, bytes]:
        """The records of another kind that a record is associated with."""
        path = f"/crm/v4/objects/{kind}/{id_}/associations/{to}"
        body = await self._read("GET", path, query={"limit": str(limit)})
        return decoded(body, Associations), body

    async def get(
        self,
        kind: str,
        id_: str,
        properties: tuple[str, ...],
        *,
        by: str = "",
        history_of: str = "",
        archived: bool = False,
    ) -> Held | None:
        """A record by its identifier, or by its value of the unique property `by`."""
        query = {"properties": ",".join(properties), "archived": str(archived).lower()}
        if by:
            query["idProperty"] = by
        if history_of:
            query["propertiesWithHistory"] = history_of
        try:
            reply = await self._ask("GET", f"/crm/v3/objects/{kind}/{id_}", query=query)
            if _absent(reply):
                return None
            body = _answer(reply)
        except Unanswered as error:
            raise Unreachable(error.what) from error
        history = decoded(body, _History).propertiesWithHistory.get(history_of, ())
        return Held(decoded(body, Record), history, body)

    async def create(
        self, kind: str, properties: Mapping[str, str], about: tuple[str, str] | None = None
    ) -> bool:
        """Make a record, associated with `about` (type, identifier); False where it conflicts."""
        asked: dict[str, Any] = {"properties": properties}
        if about is not None:
            to, id_ = about
            type_ = {
                "associationCategory": "HUBSPOT_DEFINED",
                "associationTypeId": _ABOUT[to],
            }
            asked["associations"] = [{"to": {"id": id_}, "types": [type_]}]
        reply = await self._ask("POST", f"/crm/v3/objects/{kind}", body=asked)
        if reply.status == 409:
            return False
        if _absent(reply):
            raise BadTarget("HubSpot has no record to associate it with")
        _answer(reply)
        return True

    async def update(self, kind: str, id_: str, properties: Mapping[str, str]) -> bool:
        """Change a record; False where there is none."""
        asked = {"properties": properties}
        reply = await self._ask("PATCH", f"/crm/v3/objects/{kind}/{id_}", body=asked)
        if _absent(reply):
            return False
        _answer(reply)
        return True

    async def _read(
        self, method: str, path: str, *, query: dict[str, str] | None = None, body: Any = None
    ) -> bytes:
        try:
            return checked(await self._ask(method, path, query=query, body=body))
        except Unanswered as error:
            raise Unreachable(error.what) from error

    async def _ask(
        self, method: str, path: str, *, query: dict[str, str] | None = None, body: Any = None
    ) -> Reply:
        sent = None if body is None else msgspec.json.encode(body)
        async for attempt in tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception(_soon),
            wait=_as_told,
            stop=tenacity.stop_after_attempt(ASKED_AT_MOST),
            reraise=True,
        ):
            with attempt:
                reply = await self._service.exchange(method, path, query=query, body=sent)
                if reply.status == 429:
                    raise Busy("HubSpot's rate limit is reached", wait_s=_seconds(reply))
        return reply


def _answer(reply: Reply) -> bytes:
    if reply.status == 404:
        raise Garbled("HubSpot answered 404, and not in its own words")
    return checked(reply)


def _absent(reply: Reply) -> bool:
    if reply.status != 404:
        return False
    try:
        return msgspec.json.decode(reply.body, type=_Problem).category == "OBJECT_NOT_FOUND"
    except msgspec.DecodeError:
        return False


def _seconds(reply: Reply) -> float:
    given = reply.retry_after.strip()
    if not given:
        return 1.0
    # The header's other form, a date, is about limits that last longer than we wait.
    return float(given) if given.isdecimal() and len(given) < 7 else MAX_WAIT_S + 1


def _soon(error: BaseException) -> bool:
    return isinstance(error, Busy) and error.wait_s <= MAX_WAIT_S


def _as_told(state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome is not None else None
    return error.wait_s if isinstance(error, Busy) else 0.0
