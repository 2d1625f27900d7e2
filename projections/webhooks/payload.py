"""What an endpoint is told of an event: a fixed header, and its body up to the ceiling.

The form is that of Standard Webhooks: `type`, `timestamp`, `data`. `data` places the event in the
ledger: index, the chain head there, the leaf it was made from, and the entry that this endpoint
was meant to get before it. So a receiver notices what is missing, and can hold what it got
against an export or a seal. Sealed content is never told: no key that opens it is here.
"""

import datetime
from typing import Any, Final

import msgspec
from msgspec import Struct

from crypto.sealing import content_fields
from projections.webhooks.filters import Filter
from projections.webhooks.progress import Place
from schemas.content import Content, Plain, opened
from schemas.events import AnyBody, Event

TEST_TYPE: Final = "webhook.test"

_ENCODER: Final = msgspec.json.Encoder()


class Placed(Struct, frozen=True):
    """An entry at its place in the ledger; `event` is None for one that no reader accepts.

    `leaf` is the entry's RFC 6962 leaf hash, `digest` the SHA-256 of the signed payload.
    """

    index: int
    head: bytes
    leaf: bytes
    digest: bytes
    event: Event | None

    @property
    def place(self) -> Place:
        """Where it stands."""
        return Place(self.index, self.head)


def message_id(placed: Placed) -> str:
    """The `webhook-id`: the same for every attempt and replay, and of one event alone.

    Not the event's own id, which a hostile run could give to a second event, so that a
    receiver would pass over one of the two.
    """
    return f"evt_{placed.digest.hex()}"


def payload_of(placed: Placed, event: Event, previous: Place | None, chosen: Filter) -> bytes:
    """The message's body, JSON in UTF-8: the same bytes at every attempt."""
    told = event.classification.rank <= chosen.ceiling.rank
    return _ENCODER.encode(
        {
            "type": event.type,
            "timestamp": _instant(event.at),
            "data": {
                "workspace": event.workspace,
                "index": placed.index,
                "head": placed.head.hex(),
                "leaf": placed.leaf.hex(),
                "digest": placed.digest.hex(),
                "previous": _place(previous),
                "event": event.id,
                "run": event.run,
                "actor": {"role": event.actor.role.value, "instance": event.actor.instance},
                "causes": [cause.hex() for cause in event.causes],
                "classification": event.classification.value,
                "body": _body(event.body) if told else None,
            },
        }
    )


def test_payload(workspace: str, endpoint: str, now: int) -> bytes:
    """What `anyteam webhook test` sends: signed like any other, and no event."""
    return _ENCODER.encode(
        {
            "type": TEST_TYPE,
            "timestamp": _instant(now),
            "data": {"workspace": workspace, "endpoint": endpoint},
        }
    )


def _body(body: AnyBody) -> dict[str, Any]:
    """The body's fields; bytes as hex, content as the JSON it holds, None where it is sealed."""
    contents = {field: _content(getattr(body, field)) for field in content_fields(type(body))}
    plain = {
        field: _hexed(msgspec.to_builtins(getattr(body, field), builtin_types=(bytes,)))
        for field in body.__struct_fields__
        if field not in contents
    }
    return {**plain, **contents}


def _content(content: Content | None) -> Any:
    return opened(content) if isinstance(content, Plain) else None


def _hexed(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {key: _hexed(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_hexed(item) for item in value]
    return value


def _place(place: Place | None) -> dict[str, Any] | None:
    return None if place is None else {"index": place.index, "head": place.head.hex()}


def _instant(at: int) -> str:
    """RFC 3339, to the microsecond, UTC."""
    moment = datetime.datetime.fromtimestamp(at // 1_000_000_000, datetime.UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at % 1_000_000_000 // 1_000:06d}Z"
