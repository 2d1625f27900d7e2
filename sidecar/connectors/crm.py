"""The CRM connector: accounts and deals over HTTP with a bearer token.

An update carries its key as `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header),
which the service remembers and answers for under `/keys/<key>`; it is CONFIRMED by getting
the deal again. Reads are projections: named fields only, and where a result is declared
trusted no field that anybody may write free text into.
"""

from typing import Annotated, Any, Final, Literal
from urllib.parse import quote

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from schemas.tools import Effect, Tool, Trust
from sidecar.connectors.connector import (
    ONE_LINE,
    Finding,
    Found,
    Outcome,
    arguments_as,
    check_key,
    confirmed,
    failed,
    schema_of,
    unknown,
)
from sidecar.connectors.http import HttpService, decoded
from sidecar.errors import BadArguments, ConnectorError, Garbled, Unanswered

MAX_DEALS: Final = 20
MAX_ACCOUNTS: Final = 10

Id = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,39}$(?!\n)", max_length=40)]
Line = Annotated[str, Meta(pattern=ONE_LINE, max_length=300)]
Stage = Literal["prospecting", "qualified", "proposal", "negotiation", "closed_won", "closed_lost"]


class _Strict(Struct, frozen=True, forbid_unknown_fields=True):
    """Arguments hold what is declared and nothing else."""


class FindAccount(_Strict, frozen=True):
    """`name` is an account's name or the beginning of it."""

    name: Annotated[str, Meta(pattern=ONE_LINE, min_length=1, max_length=100)]


class GetAccount(_Strict, frozen=True):
    """`id` is the account's."""

    id: Id


class ListDeals(_Strict, frozen=True):
    """The open and closed deals of the account with the id `account`."""

    account: Id
    limit: Annotated[int, Meta(ge=1, le=MAX_DEALS)] = MAX_DEALS


class DealFields(_Strict, frozen=True, omit_defaults=True):
    """What may change; what is left out stays."""

    stage: Stage | UnsetType = UNSET
    next_step: Line | UnsetType = UNSET
    note: Annotated[str, Meta(max_length=2000)] | UnsetType = UNSET


class UpdateDeal(_Strict, frozen=True):
    """`id` is the deal's."""

    id: Id
    fields: DealFields


class ExportPipeline(_Strict, frozen=True):
    """No arguments."""


class Contact(Struct, frozen=True):
    """A person at an account."""

    name: str
    email: str
    title: str = ""


class Account(Struct, frozen=True):
    """An account, in a list."""

    id: str
    name: str
    domain: str


class AccountCard(Struct, frozen=True):
    """An account with its people."""

    id: str
    name: str
    domain: str
    contacts: tuple[Contact, ...]


class Deal(Struct, frozen=True):
    """A deal without its free text."""

    id: str
    account: str
    name: str
    stage: str
    amount: int
    currency: str
    close: str


class DealText(Struct, frozen=True):
    """What an update can be read back by."""

    id: str
    stage: str
    next_step: str
    note: str


class PipelineRow(Deal, frozen=True):
    """A deal with its next step."""

    next_step: str


class _Accounts(Struct, frozen=True):
    accounts: tuple[Account, ...]


class _Deals(Struct, frozen=True):
    deals: tuple[Deal, ...]


class _Pipeline(Struct, frozen=True):
    deals: tuple[PipelineRow, ...]


class _Kept(Struct, frozen=True):
    """The service's word on a key."""

    key: str
    known: bool
    deal: str = ""
    fields: DealFields = DealFields()


CRM_TOOLS: Final = (
    Tool(
        name="crm.find_account",
        summary=f"Find accounts by the beginning of their name, {MAX_ACCOUNTS} at most",
        arguments=schema_of(FindAccount),
        effect=Effect.READ,
        trust=Trust.TRUSTED,
    ),
    Tool(
        name="crm.get_account",
        summary="Get an account and its contacts",
        arguments=schema_of(GetAccount),
        effect=Effect.READ,
        trust=Trust.TRUSTED,
    ),
    Tool(
        name="crm.list_deals",
        summary="List an account's deals",
        arguments=schema_of(ListDeals),
        effect=Effect.READ,
        trust=Trust.TRUSTED,
    ),
    Tool(
        name="crm.update_deal",
        summary="Change a deal's stage, next step or note",
        arguments=schema_of(UpdateDeal),
        effect=Effect.MUTATION,
        objects=("id",),
        contents=("fields",),
        confirm="the deal is fetched again and holds the values",
    ),
    Tool(
        name="crm.export_pipeline",
        summary="Export all deals of all accounts",
        arguments=schema_of(ExportPipeline),
        effect=Effect.READ,
    ),
)


class CrmConnector:
    """The CRM at `url`. See the module's docstring. Raises `BadConnector`."""

    tools: tuple[Tool, ...] = CRM_TOOLS

    def __init__(self, url: str, token: str, *, timeout_s: float = 15.0) -> None:
        self._service = HttpService(url, token, timeout_s=timeout_s)

    async def execute(self, tool: str, arguments: dict[str, Any], key: str) -> Outcome:
        check_key(key)
        if tool == "crm.find_account":
            found = arguments_as(FindAccount, arguments)
            query = {"name": found.name, "limit": str(MAX_ACCOUNTS)}
            return await self._read("/accounts", _Accounts, query)
        if tool == "crm.get_account":
            account = arguments_as(GetAccount, arguments)
            return await self._read(f"/accounts/{_segment(account.id)}", AccountCard)
        if tool == "crm.list_deals":
            listed = arguments_as(ListDeals, arguments)
            path = f"/accounts/{_segment(listed.account)}/deals"
            return await self._read(path, _Deals, {"limit": str(listed.limit)})
        if tool == "crm.export_pipeline":
            arguments_as(ExportPipeline, arguments)
            return await self._read("/pipeline", _Pipeline)
        if tool == "crm.update_deal":
            return await self._update(_to_update(arguments), key)
        raise BadArguments("this connector does not serve that tool")

    async def reconcile(self, tool: str, arguments: dict[str, Any], key: str) -> Found:
        if tool != "crm.update_deal":
            return Found(Finding.NOT_DONE)
        asked = _to_update(arguments)
        try:
            kept = await self._kept(check_key(key))
        except ConnectorError as error:
            return Found(Finding.UNKNOWN, detail=str(error))
        if not kept.known:
            return Found(Finding.NOT_DONE)
        if (kept.deal, kept.fields) != (asked.id, asked.fields):
            return Found(Finding.UNKNOWN, detail="the key stands for another update at the CRM")
        return Found(Finding.DONE, await self._read_back(asked, key))

    async def _read(
        self, path: str, kind: type[Struct], query: dict[str, str] | None = None
    ) -> Outcome:
        body = await self._service.get(path, query)
        value = msgspec.to_builtins(decoded(body, kind))
        return confirmed(body, f"{len(body)} bytes read", value)

    async def _update(self, asked: UpdateDeal, key: str) -> Outcome:
        changes = msgspec.json.encode(asked.fields)
        try:
            await self._service.patch(f"/deals/{_segment(asked.id)}", changes, key)
        except (Unanswered, Garbled) as error:
            return unknown(str(error))
        return await self._read_back(asked, key)

    async def _read_back(self, asked: UpdateDeal, key: str) -> Outcome:
        """What the deal reads now; where it reads otherwise, whether the key was kept."""
        try:
            body = await self._service.get(f"/deals/{_segment(asked.id)}")
            deal = decoded(body, DealText)
        except ConnectorError as error:
            return unknown(f"accepted, but it could not be read back: {error}")
        changes: dict[str, str] = msgspec.to_builtins(asked.fields)
        if deal.id == asked.id and all(getattr(deal, k) == v for k, v in changes.items()):
            return confirmed(body, "the deal holds the values", {"id": deal.id, "fields": changes})
        try:
            kept = await self._kept(key)
        except ConnectorError:
            return unknown("accepted, but the deal reads otherwise", body)
        if kept.known:
            return unknown("done, but the deal reads otherwise: changed since, or not kept", body)
        return failed("accepted, but neither the deal nor the key was kept", body)

    async def _kept(self, key: str) -> _Kept:
        kept = decoded(await self._service.get(f"/keys/{_segment(key)}"), _Kept)
        if kept.key != key:
            raise Garbled("the CRM answered about another key")
        return kept


def _to_update(arguments: dict[str, Any]) -> UpdateDeal:
    asked = arguments_as(UpdateDeal, arguments)
    if asked.fields == DealFields():
        raise BadArguments("the update changes nothing", fix="name at least one field")
    return asked


def _segment(value: str) -> str:
    """`value` as one segment of a URL's path."""
    return quote(value, safe="")
