"""A lane: what one scope (a run, or the workspace) is about to say, one publish under way."""

from collections import deque
from typing import Final

from msgspec import Struct

from bus.decider import Draft
from crypto.known import Head


class Item(Struct, frozen=True):
    """A draft with its id, when it was decided (ns), and the last index folded then."""

    draft: Draft
    id: str
    at: int
    seen: int


class Sent(Struct, frozen=True):
    """An event that was sent and has not come back: its digest, and the message's body."""

    digest: bytes
    body: bytes


class Lane(Struct):
    """One scope's queue. `sent` is the item under way with its number and digest."""

    queue: deque[Item]
    head: Head | None = None
    sent: tuple[Item, Head] | None = None
    durable: int = 0


class NoScope:
    """Marks an event that is not under way, since None is the workspace's scope."""


NO_SCOPE: Final = NoScope()
