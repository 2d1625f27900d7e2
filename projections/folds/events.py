"""Every event as a row, and its content as rows of its own, sealed as it was published. Pure."""

from collections.abc import Iterator
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
    public: dict[str, Any] = msgspec.to_builtins(event.body)
    del public["type"]
    for name in content:
        public.pop(name, None)
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
            "public": public,
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
