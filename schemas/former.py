"""Former shapes: how an event that an earlier release wrote is read as one of today's.

A way up takes one type's body, as it was decoded without a type, to the body that this release
would have written, and leaves every other body as it is. It is pure, and its result is held to
today's shape as strictly as any event is. Only what is read changes by it: the bytes that were
signed, their digest and the ledger's chain stay those that were written. A way is never taken out,
for ledgers are never written anew (decision 0128).
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from schemas.content import plain
from schemas.errors import UNREADABLE
from schemas.names import TEXT_CHARS

Body = Mapping[str, Any]


class Way(Struct, frozen=True):
    """From the shape that bodies of `type` had to the next one; they keep the version they had."""

    type: str
    up: Callable[[Body], Body]


def _as_content(field: str) -> Callable[[Body], Body]:
    """A text in the clear, that became content which can be sealed."""

    def up(body: Body) -> Body:
        text = body.get(field)
        if not isinstance(text, str) or len(text) > TEXT_CHARS:
            return body
        return {**body, field: {"form": "plain", "data": plain(text).data}}

    return up


def _with_layers_not_asked(body: Body) -> Body:
    """A layer that was not in force yet was asked nothing."""
    layers = body.get("layers")
    if not isinstance(layers, list):
        return body
    return {**body, "layers": [_not_asked(layer) for layer in layers]}


def _not_asked(layer: object) -> object:
    if isinstance(layer, dict) and layer.get("result") == "not yet enforced":
        return {**layer, "result": "not asked"}
    return layer


WAYS: Final = (
    Way("proposal.made", _as_content("purpose")),
    Way("plan.finished", _as_content("summary")),
    Way("approval.requested", _with_layers_not_asked),
    Way("action.started", _with_layers_not_asked),
    Way("action.refused", _with_layers_not_asked),
)
"""All of them, for each type from its oldest shape on."""

_FIELDS: Final = msgspec.msgpack.Decoder(dict[str, msgspec.Raw])
_BODY: Final = msgspec.msgpack.Decoder(dict[str, Any])


def brought_up(payload: bytes, ways: Iterable[Way] = WAYS) -> bytes | None:
    """The payload with its body in today's shape, for reading alone; None where no way leads up."""
    try:
        fields = _FIELDS.decode(payload)
        body: Body = _BODY.decode(fields["body"])
        found = _up(body, ways)
        if found == body:
            return None
        return msgspec.msgpack.encode({**fields, "body": found})
    except (*UNREADABLE, KeyError, TypeError, ValueError, OverflowError):
        # Not even a map, or with what no encoding holds: as unreadable as it was.
        return None


def _up(body: Body, ways: Iterable[Way]) -> Body:
    for way in ways:
        if way.type == body.get("type"):
            body = way.up(body)
    return body
