"""Waiting for NATS without losing a cancellation.

The client waits with `asyncio.wait_for`, which in Python 3.11 can swallow a cancellation that
comes together with what it waits for (bpo-37658); whoever cancelled would then wait for ever.
"""

import asyncio
import contextlib
from collections.abc import Iterator

from bus.client import Client, Msg


@contextlib.contextmanager
def heeding_cancellation() -> Iterator[None]:
    """Raises CancelledError at the end if the task was cancelled within, and nobody said so.

    A task that was cancelled before, and cleans up, is left alone.
    """
    task = asyncio.current_task()
    before = task.cancelling() if task is not None else 0
    yield
    if task is not None and task.cancelling() > before:
        raise asyncio.CancelledError


async def ask(
    client: Client,
    subject: str,
    body: bytes,
    *,
    timeout_s: float,
    headers: dict[str, str] | None = None,
) -> Msg:
    """The answer. Raises what `Client.request` raises."""
    with heeding_cancellation():
        return await client.request(subject, body, timeout=timeout_s, headers=headers)
