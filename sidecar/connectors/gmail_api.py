"""Google's mailbox over REST: the few calls of the Gmail API (v1) that the connector makes.

What a listing names is got by its id, and believed only then. Messages come whole or not at
all: one whose answer would be over the bound is told by its head.
"""

import asyncio
import base64
import binascii
from typing import Annotated, Final
from urllib.parse import quote

import msgspec
from msgspec import Meta, Struct

from sidecar.connectors.http import MAX_ANSWER_BYTES, HttpService, decoded
from sidecar.connectors.message import message_id_in
from sidecar.errors import BadTarget, Garbled

BASE: Final = "/gmail/v1/users/me"
MAX_COPIES: Final = 5
NEWEST: Final = 25
MAX_WHOLE_BYTES: Final = MAX_ANSWER_BYTES * 7 // 10
"""What in base64, with the answer around it, is still within the bound on answers."""

Id = Annotated[str, Meta(pattern=r"^[0-9A-Za-z_-]{1,64}$(?!\n)")]


class Header(Struct, frozen=True):
    """A field of a message's head."""

    name: str
    value: str


class Payload(Struct, frozen=True):
    """What a message says, of which only the head is asked for."""

    headers: tuple[Header, ...] = ()


class Message(Struct, frozen=True, rename="camel"):
    """A message as the service has it; `raw` where it was asked for whole."""

    id: Id
    label_ids: tuple[str, ...] = ()
    internal_date: str = ""
    size_estimate: int = 0
    payload: Payload = Payload()
    raw: str = ""

    @property
    def data(self) -> bytes:
        """The message's bytes. Raises `Garbled`."""
        try:
            padded = self.raw + "=" * (-len(self.raw) % 4)
            return base64.b64decode(padded, altchars=b"-_", validate=True)
        except (binascii.Error, ValueError) as error:
            raise Garbled("the service's message is no base64url") from error


class Draft(Struct, frozen=True):
    """A draft, whose id stays; its message's changes with each edit."""

    id: Id
    message: Message


class _Found(Struct, frozen=True):
    messages: tuple[Message, ...] = ()


class _Drafts(Struct, frozen=True):
    drafts: tuple[Draft, ...] = ()


class GmailApi:
    """The mailbox behind `service`. Its methods raise as `HttpService`'s do."""

    def __init__(self, service: HttpService) -> None:
        self._service = service

    async def heads(self, query: str, limit: int) -> tuple[Message, ...]:
        """The newest messages of the inbox that meet `query`, by their heads."""
        asked = {"labelIds": "INBOX", **({"q": query} if query else {})}
        ids = await self._listed(asked, limit)
        heads = await asyncio.gather(*(self._get(one, "metadata") for one in ids))
        return tuple(head for head in heads if head is not None)

    async def message(self, message: str) -> Message:
        """One message, whole, or its head where it is too large. Raises `BadTarget` too."""
        head = await self.labels(message)
        size = "raw" if head.size_estimate <= MAX_WHOLE_BYTES else "metadata"
        got = await self._get(message, size)
        if got is None:
            raise BadTarget("there is no such message", fix="list the messages again")
        return got

    async def labels(self, message: str) -> Message:
        """One message without what it says. Raises `BadTarget` too."""
        got = await self._get(message, "minimal")
        if got is None:
            raise BadTarget("there is no such message", fix="list the messages again")
        return got

    async def find(self, message_id: str) -> tuple[Message, ...]:
        """The messages with exactly that Message-ID, thrown away ones too.

        Search is an index that may lag, so the newest sent mail and drafts are looked at too.
        """
        query = {"q": f"rfc822msgid:{message_id.strip('<>')}", "includeSpamTrash": "true"}
        listings: tuple[dict[str, str], ...] = (query, {"labelIds": "SENT"}, {"labelIds": "DRAFT"})
        listed = await asyncio.gather(*(self._listed(one, NEWEST) for one in listings))
        ids = dict.fromkeys(one for ids in listed for one in ids)
        heads = await asyncio.gather(*(self._get(one, "metadata") for one in ids))
        same = [head.id for head in heads if head and _names(head, message_id)]
        copies = [await self._get(one, "raw") for one in same[:MAX_COPIES]]
        return tuple(one for one in copies if one and message_id_in(one.data) == message_id)

    async def _listed(self, asked: dict[str, str], limit: int) -> list[str]:
        body = await self._service.get(f"{BASE}/messages", {**asked, "maxResults": str(limit)})
        return [found.id for found in decoded(body, _Found).messages[:limit]]

    async def draft_of(self, message: str) -> Draft | None:
        """The draft whose message this is."""
        asked = {"maxResults": "100"}
        drafts = decoded(await self._service.get(f"{BASE}/drafts", asked), _Drafts).drafts
        return next((draft for draft in drafts if draft.message.id == message), None)

    async def create_draft(self, data: bytes) -> Draft:
        """Keep a message as a draft."""
        raw = base64.urlsafe_b64encode(data).decode("ascii")
        body = msgspec.json.encode({"message": {"raw": raw}})
        return decoded(await self._service.post(f"{BASE}/drafts", body), Draft)

    async def send_draft(self, draft: Draft) -> Message:
        """Send a draft, which is gone thereby: a second time there is none to send."""
        body = msgspec.json.encode({"id": draft.id})
        return decoded(await self._service.post(f"{BASE}/drafts/send", body), Message)

    async def delete_draft(self, draft: Draft) -> None:
        """Remove a draft."""
        await self._service.delete(f"{BASE}/drafts/{quote(draft.id, safe='')}")

    async def relabel(self, message: str, *, add: list[str], remove: list[str]) -> None:
        """Put labels on a message and take others off."""
        body = msgspec.json.encode({"addLabelIds": add, "removeLabelIds": remove})
        await self._service.post(f"{BASE}/messages/{quote(message, safe='')}/modify", body)

    async def _get(self, message: str, size: str) -> Message | None:
        """A message, or None where it is no more."""
        path = f"{BASE}/messages/{quote(message, safe='')}"
        try:
            got = decoded(await self._service.get(path, {"format": size}), Message)
        except BadTarget:
            return None
        if got.id != message:
            raise Garbled("the service answered about another message")
        return got


def _names(head: Message, message_id: str) -> bool:
    return any(
        field.name.lower() == "message-id" and field.value.strip() == message_id
        for field in head.payload.headers
    )
