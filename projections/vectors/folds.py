"""Which claims an event adds to the index, and which it takes out. Pure."""

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from bus.decider import Recorded
from schemas.content import Plain, value_of
from schemas.erasure import ContentErased
from schemas.memories import MemoryForgotten, MemoryRetained, MemoryWithdrawn


class Learned(Struct, frozen=True):
    """A claim whose text could be opened, with what is kept beside its vector: no word of it."""

    claim: str
    text: str
    payload: dict[str, Any]


class Dropped(Struct, frozen=True):
    """A claim is recalled no more: by its name, or by the event whose content was erased."""

    claim: str = ""
    event: str = ""


Change = Learned | Dropped


def changes_of(recorded: Recorded) -> Iterator[Change]:
    """What an event changes. A claim that does not open is not in the index."""
    event, body = recorded.event, recorded.event.body
    match body:
        case MemoryRetained(text=Plain()):
            payload = {
                "claim": body.claim,
                "event": event.id,
                "run": event.run,
                "rep": body.rep,
                "agent": body.agent,
                "trust": body.trust.value,
                "sensitivity": body.sensitivity.value,
                "digest": recorded.digest.hex(),
                "index": recorded.index,
            }
            yield Learned(body.claim, str(value_of(body.text)), payload)
        case MemoryForgotten() | MemoryWithdrawn():
            yield Dropped(claim=body.claim)
        case ContentErased():
            for field in body.fields:
                if field.name == "text":
                    yield Dropped(event=field.event)
        case _:
            return
