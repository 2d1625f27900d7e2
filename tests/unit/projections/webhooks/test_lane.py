"""A lane: everything meant for its endpoint, in order, whatever the receiver does and whoever dies.

The receiver is a function, time and chance are the test's; everything else is what runs.
"""

import asyncio
import json
import random
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projections.webhooks.endpoint import Attempt, DeadLetter, Endpoint, Kept, Step
from projections.webhooks.feed import Feed
from projections.webhooks.filters import Filter
from projections.webhooks.lane import Clock, Lane, SigningKey
from projections.webhooks.progress import (
    Answered,
    Outcome,
    Place,
    Progress,
    Result,
    Rules,
    Status,
    Unreached,
    resumed,
    sent_again,
)
from projections.webhooks.signature import key_of, new_secret
from schemas.names import SECOND
from tests.ledgers import event_of
from tests.unit.projections.webhooks.ledgers import LONG, Stream, feed_of

SIZE = len(LONG.entries)
DEADLINE_S = 30.0
SECRET = new_secret()


class Killed(Exception):
    """The component dies here."""


class World:
    """One endpoint and its receiver. `answer` says what the receiver does with a message.

    `kept` is what is durable: steps count once `flush` has taken them, a death loses the rest.
    """

    def __init__(self, answer: Callable[[dict[str, Any]], Result], **options: Any) -> None:
        self.answer = answer
        self.now = 1_800_000_000 * SECOND
        self.random = random.Random(1)
        self.kept = Kept(
            endpoint=Endpoint(
                name="crm",
                url="https://hooks.example.com/",
                filter=options.pop("filter", Filter()),
                made_at=1,
            ),
            progress=Progress(**{"after": 0, **options}),
            generation=1,
            secrets=(),
        )
        self.posted: list[dict[str, Any]] = []
        self.ids: list[str] = []
        self.attempts: list[Attempt] = []
        self.dead: dict[int, DeadLetter] = {}
        self.unwritten: list[Step] = []
        self.stop_at = SIZE

    async def post(self, body: bytes, headers: dict[str, str]) -> Result:
        """The receiver."""
        message = json.loads(body)
        self.posted.append(message)
        self.ids.append(headers["webhook-id"])
        await asyncio.sleep(0)
        return self.answer(message)

    def note(self, step: Step) -> None:
        """The journal."""
        self.unwritten.append(step)
        progress = step.progress
        over = progress.after == self.stop_at and not progress.again
        if progress.status is not Status.ACTIVE or over:
            raise Stopped

    async def room(self) -> None:
        """There is always room."""

    async def until(self, moment: int) -> None:
        """Time passes."""
        self.now = max(self.now, moment)

    def flush(self) -> None:
        """What was noted is durable."""
        for step in self.unwritten:
            self.kept = msgspec.structs.replace(self.kept, progress=step.progress)
            self.attempts += step.attempts
            self.dead |= {letter.index: letter for letter in step.dead}
            for place in step.settled:
                self.dead.pop(place.index, None)
        self.unwritten = []

    async def serve(self, feed: Feed) -> None:
        """Let a lane run until it has come to `stop_at`, is off, or dies."""
        lane = Lane(
            self.kept,
            [SigningKey(key_of(SECRET), None)],
            feed=feed,
            line=self,
            notes=self,
            rules=Rules(dead_after_s=100, give_up_s=100_000),
            clock=Clock(lambda: self.now, self.random.random, self.until),
        )
        reading = asyncio.ensure_future(feed.run())
        try:
            async with asyncio.timeout(DEADLINE_S):
                await lane.run()
        except Stopped:
            pass
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


class Stopped(Exception):
    """The lane has come as far as the test wants."""


def indexes(world: World) -> list[int]:
    return [message["data"]["index"] for message in world.posted]


def served(world: World, stream: Stream | None = None) -> World:
    asyncio.run(world.serve(feed_of(stream or Stream(LONG))))
    world.flush()
    return world


def test_everything_comes_once_and_in_order_where_nothing_fails() -> None:
    world = served(World(lambda message: Answered(200)))
    assert indexes(world) == list(range(1, SIZE + 1))
    assert [one.outcome for one in world.attempts] == [Outcome.DELIVERED] * SIZE


def test_a_filtered_endpoint_is_told_which_message_came_before() -> None:
    world = World(lambda message: Answered(200), filter=Filter(types=("receipt.issued",)))
    served(world)
    wanted = [e.index for e in LONG.entries if event_of(e).type == "receipt.issued"]
    assert indexes(world) == wanted
    previous = [message["data"]["previous"] for message in world.posted]
    assert previous[0] is None
    assert [one["index"] for one in previous[1:]] == wanted[:-1]


def test_a_receiver_that_is_away_gets_the_same_message_until_it_takes_it() -> None:
    failures = iter([Unreached("no connection"), Answered(503), Answered(500)])
    world = World(lambda message: next(failures, Answered(200)))
    before = world.now
    served(world)
    assert indexes(world) == [1, 1, 1, *range(1, SIZE + 1)]
    assert len(set(world.ids[:4])) == 1
    assert [one.number for one in world.attempts[:4]] == [1, 2, 3, 4]
    assert world.now > before


def test_a_message_that_is_never_taken_stops_nothing_and_goes_again_by_command() -> None:
    world = World(lambda message: Answered(422 if message["data"]["index"] == 20 else 200))
    served(world)
    assert list(world.dead) == [20]
    assert sorted(set(indexes(world))) == list(range(1, SIZE + 1))
    world.posted.clear()
    world.answer = lambda message: Answered(200)
    progress = sent_again(world.kept.progress, (20,))
    world.kept = msgspec.structs.replace(world.kept, progress=progress)
    served(world)
    assert indexes(world) == [20]
    assert (world.posted[0]["data"]["previous"], world.dead) == (None, {})


def test_a_disabled_endpoint_is_left_alone_and_goes_on_where_it_stood() -> None:
    world = World(lambda message: Answered(410 if message["data"]["index"] == 7 else 200))
    served(world)
    assert (world.kept.progress.status, indexes(world)[-1]) == (Status.DISABLED, 7)
    world.answer = lambda message: Answered(200)
    world.kept = msgspec.structs.replace(world.kept, progress=resumed(world.kept.progress))
    world.posted.clear()
    served(world)
    assert indexes(world) == list(range(7, SIZE + 1))


@pytest.mark.parametrize("place", [Place(50, b"\x00" * 32), Place(SIZE + 5, b"\x00" * 32)])
def test_another_ledger_than_was_sent_from_is_not_gone_on_with(place: Place) -> None:
    world = World(lambda message: Answered(200), after=place.index, previous=place)
    served(world)
    assert (world.kept.progress.status, world.posted) == (Status.DISABLED, [])
    assert str(place.index) in world.kept.progress.reason


def test_an_endpoint_from_now_on_gets_nothing_of_before() -> None:
    stream = Stream(LONG, size=SIZE - 3)
    world = World(lambda message: Answered(200), after=None)

    async def play() -> None:
        serving = asyncio.ensure_future(world.serve(feed_of(stream)))
        async with asyncio.timeout(DEADLINE_S):
            while not world.unwritten:
                await asyncio.sleep(0)
        stream.grow(SIZE)
        await serving

    asyncio.run(play())
    assert indexes(world) == [SIZE - 2, SIZE - 1, SIZE]


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32), window_bytes=st.sampled_from([1, 5_000, 1 << 20]))
def test_whatever_fails_and_dies_nothing_is_lost_and_first_arrivals_keep_the_order(
    seed: int, window_bytes: int
) -> None:
    dice = random.Random(seed)
    world = World(lambda message: Answered(200))

    def answer(message: dict[str, Any]) -> Result:
        if dice.random() < 0.05:
            world.flush()
        if dice.random() < 0.01:
            raise Killed
        return dice.choice(
            [Answered(200)] * 6 + [Answered(503), Unreached("no answer"), Answered(500)]
        )

    world.answer = answer
    taken: dict[int, int] = {}
    while world.kept.progress.after != SIZE:
        try:
            asyncio.run(world.serve(feed_of(Stream(LONG), window_bytes=window_bytes)))
        except Killed:
            # What was not written is forgotten, as by a crash.
            world.unwritten.clear()
        else:
            world.flush()
    for message in world.posted:
        taken.setdefault(message["data"]["index"], len(taken))
    assert list(taken) == list(range(1, SIZE + 1))
    assert not world.dead
