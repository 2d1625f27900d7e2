"""Every event as a row, and its content as rows of its own, sealed as it was published. Pure."""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import msgspec

from bus.decider import Recorded
from crypto.sealing import content_fields
from projections.rows import Row
from schemas.content import Plain, Sealed


def event_rows(recorded: Recorded) -> Iterator[Row]:
    """The event's row and its content's."""
    event = recorded.published
    content = content_fields(type(event.body))
    yield Row(
        "events",
        {
            "index": recorded.index,
            "id": event.id,
            "digest": recorded.digest,
            "type": event.type,
            "run": event.run,
            "actor_role": event.actor.role.value,
            "actor": event.actor.instance,
            "at": event.at,
            "seen": event.seen,
            "classification": event.classification.value,
            "causes": list(event.causes),
            "public": _public(type(event.body))(event.body),
        },
    )
    for name in content:
        said = getattr(event.body, name)
        values = {"event": event.id, "name": name, "index": recorded.index, "run": event.run}
        if isinstance(said, Sealed):
            sealed = {"key": said.key, "nonce": said.nonce, "ciphertext": said.ciphertext}
            yield Row("contents", values | sealed)
        elif isinstance(said, Plain):
            yield Row("contents", values | {"plain": said.data})


@cache
def _public(body: type) -> Callable[[Any], msgspec.Struct]:
    """What takes the public fields out of a body of this type: whatever holds no content."""
    content = content_fields(body)
    fields = msgspec.structs.fields(body)
    names = [field.name for field in fields if field.name not in content]
    made = msgspec.defstruct("Public", [(name, Any) for name in names], frozen=True)
    return lambda said: made(*[getattr(said, name) for name in names])
