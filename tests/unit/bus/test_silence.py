"""A reader that waits too long is told, by one timer however often it waits."""

import asyncio

from bus.client import Msg
from bus.pull import _Silence

LIMIT_S = 0.02
DEADLINE_S = 30.0


async def test_who_waits_longer_than_the_limit_gets_nothing_instead_of_a_message() -> None:
    queue: asyncio.Queue[Msg | None] = asyncio.Queue()
    silence = _Silence(queue, LIMIT_S)
    silence.since = silence.now()
    async with asyncio.timeout(DEADLINE_S):
        assert await queue.get() is None
    silence.end()


async def test_who_does_not_wait_is_told_nothing_and_later_the_timer_still_runs() -> None:
    queue: asyncio.Queue[Msg | None] = asyncio.Queue()
    silence = _Silence(queue, LIMIT_S)
    passed = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(LIMIT_S * 3, passed.set_result, None)
    await passed
    assert queue.empty()
    silence.since = silence.now()
    async with asyncio.timeout(DEADLINE_S):
        assert await queue.get() is None
    silence.end()
