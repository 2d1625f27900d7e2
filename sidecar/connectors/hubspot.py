"""The HubSpot connector: bounded reads, and changes that carry their key into the record.

HubSpot knows no idempotency key, so each change writes its own into a property made for that
(`anyteam_key`). A record that we make is found again by it, and the property is unique, so that
a second one cannot be made. A change of a deal shows in that property's history, also after
later changes. See docs/decisions/0026-effects-over-http.md.
"""

import html
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import msgspec
from msgspec import Struct

from schemas.tools import Tool
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
from sidecar.connectors.hubspot_api import HISTORY_SHOWN, Held, HubSpot
from sidecar.connectors.hubspot_tools import (
    PROPERTIES,
    SEARCHED,
    AddNote,
    CreateContact,
    DealFields,
    Find,
    Read,
    Related,
    UpdateDeal,
    hubspot_tools,
)
from sidecar.errors import (
    BadArguments,
    BadTarget,
    ConnectorError,
    Garbled,
    TargetRefused,
    Unanswered,
)

_CREATES: Final = ("hubspot.add_note", "hubspot.create_contact")


class _Made(Struct, frozen=True):
    """A record to make: its type, properties without the key, and what it is about."""

    kind: str
    properties: dict[str, str]
    about: tuple[str, str] | None = None


class HubSpotConnector:
    """HubSpot at `url`. See the module's docstring. Raises `BadConnector`."""

    def __init__(
        self,
        url: str,
        token: str,
        *,
        key_property: str = "anyteam_key",
        trusted: tuple[str, ...] = (),
        timeout_s: float = 15.0,
    ) -> None:
        self.tools: tuple[Tool, ...] = hubspot_tools(trusted)
        self._api = HubSpot(url, token, timeout_s=timeout_s)
        self._key = key_property

    async def execute(self, tool: str, arguments: dict[str, Any], key: str) -> Outcome:
        check_key(key)
        if tool == "hubspot.find":
            return await self._find(arguments_as(Find, arguments))
        if tool == "hubspot.read":
            return await self._read(arguments_as(Read, arguments))
        if tool == "hubspot.related":
            return await self._related(arguments_as(Related, arguments))
        if tool == "hubspot.update_deal":
            return await self._update(_to_update(arguments), key)
        if tool in _CREATES:
            return await self._create(_to_make(tool, arguments, key), key)
        raise BadArguments("this connector does not serve that tool")

    async def reconcile(self, tool: str, arguments: dict[str, Any], key: str) -> Found:
        if tool == "hubspot.update_deal":
            return await self._find_update(_to_update(arguments), check_key(key))
        if tool in _CREATES:
            return await self._find_made(_to_make(tool, arguments, key), key)
        return Found(Finding.NOT_DONE)

    async def _find(self, asked: Find) -> Outcome:
        if asked.property not in SEARCHED[asked.type]:
            raise BadArguments(
                "that type of record is not searched by that property",
                fix=f"search {asked.type} by {', '.join(SEARCHED[asked.type])}",
            )
        shown = PROPERTIES[asked.type]
        where = (asked.property, asked.operator, asked.value)
        page, body = await self._api.search(asked.type, where, shown, asked.limit)
        records = [_shown(record.id, record.properties, shown) for record in page.results]
        result = {"results": records[: asked.limit], "more": page.paging is not None}
        return confirmed(body, f"{len(records)} records found", result)

    async def _read(self, asked: Read) -> Outcome:
        shown = PROPERTIES[asked.type]
        held = await self._api.get(asked.type, asked.id, shown)
        if held is None:
            raise BadTarget("HubSpot has no such record")
        result = _shown(held.record.id, held.record.properties, shown)
        return confirmed(held.evidence, f"{len(held.evidence)} bytes read", result)

    async def _related(self, asked: Related) -> Outcome:
        found, body = await self._api.related(asked.type, asked.id, asked.to, asked.limit)
        records = [{"id": str(one.toObjectId)} for one in found.results[: asked.limit]]
        result = {"type": asked.to, "results": records, "more": found.paging is not None}
        return confirmed(body, f"{len(records)} records", result)

    async def _update(self, asked: UpdateDeal, key: str) -> Outcome:
        held = await self._deal(asked)
        if held is None:
            raise BadTarget("HubSpot has no such deal")
        if _bears(held, key):
            return _updated(held, asked)
        try:
            if not await self._api.update(
                "deals", asked.id, {**_values(asked.fields), self._key: key}
            ):
                raise BadTarget("HubSpot has no such deal")
        except (Unanswered, Garbled) as error:
            return unknown(str(error))
        try:
            held = await self._deal(asked)
        except ConnectorError as error:
            return unknown(f"accepted, but it could not be read back: {error}")
        if held is None or not _bears(held, key):
            return unknown(
                "accepted, but the deal does not show it", held.evidence if held else b""
            )
        return _updated(held, asked)

    async def _find_update(self, asked: UpdateDeal, key: str) -> Found:
        try:
            held = await self._deal(asked)
        except ConnectorError as error:
            return Found(Finding.UNKNOWN, detail=str(error))
        if held is None:
            return Found(Finding.UNKNOWN, detail="the deal is no longer there")
        if _bears(held, key):
            return Found(Finding.DONE, _updated(held, asked))
        if len(held.history) >= HISTORY_SHOWN and _oldest_ms(held) >= key_milliseconds(key):
            return Found(Finding.UNKNOWN, detail="the deal changed too often since to tell")
        return Found(Finding.NOT_DONE)

    async def _deal(self, asked: UpdateDeal) -> Held | None:
        return await self._api.get("deals", asked.id, PROPERTIES["deals"], history_of=self._key)

    async def _create(self, made: _Made, key: str) -> Outcome:
        held = await self._of_key(made.kind, key)
        if held is not None:
            return self._created(held, made, key)
        try:
            taken = await self._api.create(
                made.kind, {**made.properties, self._key: key}, made.about
            )
        except (Unanswered, Garbled) as error:
            return unknown(str(error))
        try:
            held = await self._of_key(made.kind, key)
        except ConnectorError as error:
            return unknown(f"sent, but it could not be read back: {error}")
        if held is not None:
            return self._created(held, made, key)
        if not taken:
            raise TargetRefused("HubSpot holds another record with these values (409)")
        return unknown("accepted, but no record shows it")

    async def _find_made(self, made: _Made, key: str) -> Found:
        try:
            held = await self._of_key(made.kind, key)
        except ConnectorError as error:
            return Found(Finding.UNKNOWN, detail=str(error))
        if held is None:
            return Found(Finding.NOT_DONE)
        return Found(Finding.DONE, self._created(held, made, key))

    async def _of_key(self, kind: str, key: str) -> Held | None:
        """The record that bears the key, also where somebody has archived it since."""
        properties = (*PROPERTIES[kind], self._key)
        present = await self._api.get(kind, key, properties, by=self._key)
        return present or await self._api.get(kind, key, properties, by=self._key, archived=True)

    def _created(self, held: Held, made: _Made, key: str) -> Outcome:
        properties = held.record.properties
        if properties.get(self._key) != key:
            return unknown("HubSpot answered about another key", held.evidence)
        if not all(_same(name, properties.get(name), v) for name, v in made.properties.items()):
            return unknown("made, but the record reads otherwise: changed since", held.evidence)
        return confirmed(held.evidence, "the record bears the key", {"id": held.record.id})


def _to_update(arguments: dict[str, Any]) -> UpdateDeal:
    asked = arguments_as(UpdateDeal, arguments)
    if asked.fields == DealFields():
        raise BadArguments("the update changes nothing", fix="name at least one field")
    return asked


def _to_make(tool: str, arguments: dict[str, Any], key: str) -> _Made:
    if tool == "hubspot.create_contact":
        return _Made("contacts", _values(arguments_as(CreateContact, arguments)))
    asked = arguments_as(AddNote, arguments)
    at = datetime.fromtimestamp(key_milliseconds(key) / 1000, UTC)
    # A note's body is HTML there.
    body = html.escape(asked.body, quote=False).replace("\n", "<br>")
    properties = {"hs_note_body": body, "hs_timestamp": at.strftime("%Y-%m-%dT%H:%M:%S.000Z")}
    return _Made("notes", properties, (asked.type, asked.id))


def _values(fields: Struct) -> dict[str, str]:
    values: dict[str, str] = msgspec.to_builtins(fields)
    return values


def _shown(id_: str, held: dict[str, str | None], names: tuple[str, ...]) -> dict[str, Any]:
    return {"id": id_, "properties": {name: held.get(name) or "" for name in names}}


def _bears(held: Held, key: str) -> bool:
    return any(stamp.value == key for stamp in held.history)


def _updated(held: Held, asked: UpdateDeal) -> Outcome:
    changes = _values(asked.fields)
    if held.record.id != asked.id:
        return unknown("HubSpot answered about another deal", held.evidence)
    if not all(_same(name, held.record.properties.get(name), v) for name, v in changes.items()):
        return unknown("done, but the deal reads otherwise: changed since", held.evidence)
    result = {"id": asked.id, "fields": changes}
    return confirmed(held.evidence, "the deal holds the values", result)


def _same(name: str, held: str | None, asked: str) -> bool:
    """Whether a property reads as asked, in the forms that HubSpot brings values into."""
    if held is None:
        return False
    if name == "amount":
        try:
            return Decimal(held) == Decimal(asked)
        except InvalidOperation:
            return False
    if name == "closedate":
        return held.removesuffix("Z").removesuffix(".000").removesuffix("T00:00:00") == asked
    if name == "hs_timestamp":
        return held[:19] == asked[:19]
    if name == "email":
        return held.casefold() == asked.casefold()
    return held.strip() == asked.strip()


def _oldest_ms(held: Held) -> int:
    """When the oldest shown value was written; now and later where that cannot be read."""
    try:
        times = [datetime.fromisoformat(stamp.timestamp) for stamp in held.history]
        return min(int(time.timestamp() * 1000) for time in times)
    except ValueError:
        return 2**63
