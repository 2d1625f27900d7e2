"""A request over NATS that heeds its own cancellation.

The client waits with `asyncio.wait_for`, which in Python 3.11 can swallow a cancellation that
comes together with the answer (bpo-37658); whoever cancelled would then wait for ever.
"""

import asyncio

from nats.aio.client import Client
from nats.aio.msg import Msg


async def ask(
    client: Client,
    subject: str,
    body: bytes,
    *,
    timeout_s: float,
    headers: dict[str, str] | None = None,
) -> Msg:
    """The answer. Raises what `Client.request` raises, and CancelledError if it was cancelled."""
    task = asyncio.current_task()
    before = task.cancelling() if task is not None else 0
    answer = await client.request(subject, body, timeout=timeout_s, headers=headers)
    if task is not None and task.cancelling() > before:
        raise asyncio.CancelledError
    return answer
