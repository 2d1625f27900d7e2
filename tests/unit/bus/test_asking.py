"""A cancellation that comes together with the answer is not lost."""

import asyncio

import pytest

from bus.asking import ask
from bus.client import Client, Msg


class Swallowing(Client):
    """Answers, and loses a cancellation that comes meanwhile, as `asyncio.wait_for` can."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()
        self.answer: asyncio.Future[Msg] = asyncio.get_running_loop().create_future()

    async def request(self, *arguments: object, **more: object) -> Msg:  # type: ignore[override]
        self.asked.set()
        try:
            return await asyncio.shield(self.answer)
        except asyncio.CancelledError:
            return await self.answer


async def test_a_cancellation_that_the_client_swallowed_cancels_all_the_same() -> None:
    client = Swallowing()
    task = asyncio.ensure_future(ask(client, "a", b"", timeout_s=5))
    await client.asked.wait()
    task.cancel()
    client.answer.set_result(Msg(client))
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_who_is_cancelled_already_and_cleans_up_may_still_ask() -> None:
    client = Swallowing()
    client.answer.set_result(Msg(client))
    began, answers = asyncio.Event(), []

    async def clean_up() -> None:
        try:
            began.set()
            await asyncio.Event().wait()
        finally:
            answers.append(await ask(client, "a", b"", timeout_s=5))

    task = asyncio.ensure_future(clean_up())
    await began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(answers) == 1
