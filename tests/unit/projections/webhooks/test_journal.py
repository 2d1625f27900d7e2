"""The journal: everything noted is written, the newest state counts, and there is an end to it."""

import asyncio

import pytest

from projections.webhooks.endpoint import Attempt, DeadLetter, Step
from projections.webhooks.journal import MAX_UNWRITTEN, Journal
from projections.webhooks.progress import Outcome, Place, Progress

pytestmark = pytest.mark.asyncio

PLACE = Place(7, b"\x07" * 32)
LETTER = DeadLetter(index=7, type="run.started", at=1, attempts=5, reason="answered 422")


def attempt(index: int) -> Attempt:
    return Attempt(
        at=1,
        index=index,
        message_id=f"evt_{index}",
        type="run.started",
        number=1,
        outcome=Outcome.DELIVERED,
        took_ms=1,
        detail="answered 204",
    )


def step(after: int, *, name: str = "crm", generation: int = 1, **more: object) -> Step:
    progress = Progress(after=after)
    return Step(name=name, generation=generation, progress=progress, **more)  # type: ignore[arg-type]


class Written:
    """Keeps what it is told to."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def keep(self, steps: list[Step]) -> None:
        self.steps += steps


async def test_steps_of_one_endpoint_become_one_with_all_attempts_and_the_last_state() -> None:
    written = Written()
    journal = Journal(written)
    for index in range(1, 4):
        journal.note(step(index, attempts=(attempt(index),)))
    journal.note(step(9, name="other"))
    await journal.flush()
    by_name = {one.name: one for one in written.steps}
    assert by_name["crm"].progress.after == 3
    assert [one.index for one in by_name["crm"].attempts] == [1, 2, 3]
    assert by_name["other"].progress.after == 9


async def test_a_message_is_dead_or_settled_as_it_was_last() -> None:
    for first, second, dead in (("dead", "settled", 0), ("settled", "dead", 1)):
        written = Written()
        journal = Journal(written)
        for kind in (first, second):
            journal.note(step(7, **{kind: (LETTER,) if kind == "dead" else (PLACE,)}))
        await journal.flush()
        assert len(written.steps[0].dead) == dead
        assert len(written.steps[0].settled) == 1 - dead


async def test_what_rests_on_different_generations_stays_apart() -> None:
    written = Written()
    journal = Journal(written)
    journal.note(step(5, generation=1))
    journal.note(step(2, generation=2))
    await journal.flush()
    assert [(one.generation, one.progress.after) for one in written.steps] == [(1, 5), (2, 2)]


async def test_a_lane_waits_while_too_much_is_unwritten() -> None:
    journal = Journal(Written())
    for index in range(MAX_UNWRITTEN):
        await asyncio.wait_for(journal.room(), 1)
        journal.note(step(index, attempts=(attempt(index),)))
    waiting = asyncio.ensure_future(journal.room())
    done, _ = await asyncio.wait([waiting], timeout=0)
    assert not done
    await journal.flush()
    await asyncio.wait_for(waiting, 1)
