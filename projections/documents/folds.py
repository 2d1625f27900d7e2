"""Which documents an event becomes: claims of the memory, and what runs were given to read. Pure.

Content is no part of a document: it is a sealed blob, which the document names by its digest.
"""

import hashlib
from collections.abc import Iterator
from typing import Any, Final

from msgspec import Struct

from bus.decider import Recorded
from schemas.actions import ObservationRecorded
from schemas.content import Content, Sealed
from schemas.erasure import ContentErased
from schemas.memories import MemoryForgotten, MemoryRetained, MemoryWithdrawn

MEMORY: Final = "memory"
OBSERVATIONS: Final = "observations"
COLLECTIONS: Final = (MEMORY, OBSERVATIONS)


class Blob(Struct, frozen=True):
    """Sealed content as it was published: `data` is nonce and ciphertext."""

    key: str
    data: bytes

    @property
    def digest(self) -> str:
        """SHA-256 of `data`: its name."""
        return hashlib.sha256(self.data).hexdigest()


class Put(Struct, frozen=True):
    """Set these values of a document, with its content where the event carries any."""

    collection: str
    id: str
    values: dict[str, Any]
    blob: Blob | None = None


class Gone(Struct, frozen=True):
    """The content of what `event` recorded was erased."""

    event: str
    index: int


Change = Put | Gone


def changes_of(recorded: Recorded) -> Iterator[Change]:
    """What an event changes among the documents."""
    event, body = recorded.published, recorded.published.body
    now = {"index": recorded.index, "at": event.at}
    match body:
        case MemoryRetained():
            values: dict[str, Any] = {
                "event": event.id,
                "run": event.run,
                "rep": body.rep,
                "agent": body.agent,
                "trust": body.trust.value,
                "sensitivity": body.sensitivity.value,
                "support": [{"entry": s.entry, "words": s.words} for s in body.support],
                "state": "retained",
            }
            yield _put(MEMORY, body.claim, values | now, body.text)
        case MemoryForgotten():
            yield Put(MEMORY, body.claim, {"state": "forgotten"} | now)
        case MemoryWithdrawn():
            yield Put(MEMORY, body.claim, {"state": "withdrawn"} | now)
        case ObservationRecorded():
            values = {
                "event": event.id,
                "run": event.run,
                "source": body.source,
                "answers": body.answers,
                "trust": body.trust.value,
                "sensitivity": body.sensitivity.value,
            }
            yield _put(OBSERVATIONS, event.id, values | now, body.content)
        case ContentErased():
            for field in body.fields:
                if field.name in ("text", "content"):
                    yield Gone(field.event, recorded.index)
        case _:
            return


def _put(collection: str, id_: str, values: dict[str, Any], content: Content) -> Put:
    if isinstance(content, Sealed):
        return Put(collection, id_, values, Blob(content.key, content.nonce + content.ciphertext))
    # Below CONFIDENTIAL: nothing about it is secret, and no erasure is asked for it.
    return Put(collection, id_, values | {"plain": content.data})
