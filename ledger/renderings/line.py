"""One entry as every rendering sees it: plain values, bytes in hex, sealed content left sealed.

Pure. Nothing that is sealed in the ledger is in the clear here, whatever keys are at hand.
"""

from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct

from crypto.trust import Verified
from ledger.chain import leaf_of
from schemas.actions import Receipt, ReceiptIssued
from schemas.errors import UNREADABLE
from schemas.events import Event
from schemas.names import SECOND


class Line(Struct, frozen=True, kw_only=True):
    """An entry: its place, its verified event, and that event's body as plain values."""

    index: int
    subject: str
    leaf: str
    digest: str
    event: Event
    body: dict[str, Any]

    @property
    def time(self) -> str:
        """The producer's clock, RFC 3339 with nanoseconds."""
        return timestamp(self.event.at)

    @property
    def actor(self) -> str:
        """`role/instance`."""
        return f"{self.event.actor.role.value}/{self.event.actor.instance}"


class Invalid(Struct, frozen=True, kw_only=True):
    """An entry that is no valid event: it has a place and a reason, and says nothing."""

    index: int
    subject: str
    leaf: str
    reason: str


def line_of(index: int, subject: str, body: bytes, verified: Verified) -> Line:
    """The line of one verified entry."""
    return Line(
        index=index,
        subject=subject,
        leaf=leaf_of(body).hex(),
        digest=verified.digest.hex(),
        event=verified.event,
        body=plain_body(verified.event),
    )


def plain_body(event: Event) -> dict[str, Any]:
    """An event's body as JSON can say it; a receipt is unpacked."""
    body = event.body
    found = _plain(msgspec.to_builtins(body, builtin_types=(bytes,)))
    if isinstance(body, ReceiptIssued):
        try:
            receipt = msgspec.msgpack.decode(body.receipt, type=Receipt)
        except UNREADABLE:
            return dict(found)
        found["receipt"] = _plain(msgspec.to_builtins(receipt, builtin_types=(bytes,)))
    return dict(found)


def timestamp(at: int) -> str:
    """Nanoseconds since the epoch as RFC 3339, UTC."""
    seconds, rest = divmod(at, SECOND)
    try:
        day = datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError):
        return "9999-12-31T23:59:59.999999999Z"
    return f"{day:%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        if value.get("form") == "sealed" and isinstance(value.get("ciphertext"), bytes):
            return {"sealed_bytes": len(value["ciphertext"])}
        if value.get("form") == "plain" and isinstance(value.get("data"), bytes):
            return _json(value["data"])
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value


def _json(data: bytes) -> Any:
    try:
        return msgspec.json.decode(data)
    except UNREADABLE:
        return data.decode(errors="replace")
