"""Lanes: what each scope (a run, or the workspace) is about to say, one publish under way in each.

There are as many as there are live runs, so none is looked at but where something has changed.
"""

from collections import deque
from collections.abc import Callable, Iterator
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


class Lanes:
    """The lanes by scope, which of them are to be looked at, and which wait for a fence, by topic:
    these take it in turn.
    """

    def __init__(self) -> None:
        self._lanes: dict[str | None, Lane] = {}
        self._moved: dict[str | None, None] = {}
        self._held: dict[str, dict[str | None, None]] = {}

    def __getitem__(self, scope: str | None) -> Lane:
        return self._lanes[scope]

    def add(self, scope: str | None, item: Item) -> None:
        """One more thing to say."""
        lane = self._lanes.get(scope)
        if lane is None:
            lane = self._lanes[scope] = Lane(deque())
        lane.queue.append(item)
        if len(lane.queue) == 1:
            self._moved[scope] = None

    def look_at(self, scope: str | None) -> None:
        """Something was stored there, or has come back."""
        self._moved[scope] = None

    def hold(self, scope: str | None, topic: str) -> None:
        """Its next word is on a topic that is fenced, and taken."""
        self._held.setdefault(topic, {})[scope] = None

    def drop(self, scope: str | None) -> Lane | None:
        """Forget a lane, and give it back."""
        self._moved.pop(scope, None)
        for held in self._held.values():
            held.pop(scope, None)
        return self._lanes.pop(scope, None)

    def ready(
        self, is_free: Callable[[str], bool], index: int
    ) -> Iterator[tuple[str | None, Lane]]:
        """Those that have something to send, and nothing under way; whoever asks sends it, or
        holds the lane. What has nothing more to say, and was read up to `index`, is forgotten.
        """
        for topic, held in list(self._held.items()):
            while held and is_free(topic):
                scope = next(iter(held))
                del held[scope]
                waiting = self._lanes[scope]
                if waiting.sent is None and waiting.queue:
                    yield scope, waiting
        moved, self._moved = self._moved, {}
        for scope in moved:
            lane = self._lanes.get(scope)
            if lane is None or lane.sent is not None:
                continue
            if lane.queue:
                yield scope, lane
            elif lane.durable <= index:
                self.drop(scope)


class NoScope:
    """Marks an event that is not under way, since None is the workspace's scope."""


NO_SCOPE: Final = NoScope()
