"""Bringing the queue to the bus: one message after the other, each acknowledged as durable.

A message whose acknowledgement was lost is sent again, bound to the place of the device's last
event: only this device writes on its subject, so a place that has moved on says that the message
stands. So each arrives once, however often the process dies, and with no right to read.
"""

import time

from bus.connection import BusClient, connect, disconnect
from bus.publish import Conflict, Stored, publish
from desktop_agent.enrolled import Enrolled
from desktop_agent.queue import Queue


async def sync(enrolled: Enrolled, queue: Queue, url: str | None = None) -> int:
    """Release what is due and send it all; how many messages arrived.

    Raises `BusError` where the bus is away or refuses this device; what did not arrive stays.
    """
    queue.release(enrolled, time.time_ns())
    if queue.next() is None:
        return 0
    client = await on_the_bus(enrolled, url)
    try:
        return await send(client, queue)
    finally:
        await disconnect(client)


async def on_the_bus(enrolled: Enrolled, url: str | None = None) -> BusClient:
    """A connection as this device. Raises `ConnectionRefused`."""
    given = enrolled.admission
    context = enrolled.tls.context()
    return await connect(url or given.url, enrolled.user, context, name=f"device {given.device}")


async def send(client: BusClient, queue: Queue) -> int:
    """Send what is signed, in order; how many messages arrived. Raises `BusError`."""
    count = 0
    while (item := queue.next()) is not None:
        number, message = item
        last = message.fence[1] if message.fence is not None else 0
        answer = await publish(client, message, patience_s=10.0)
        if isinstance(answer, Stored):
            queue.arrived(number, answer.index)
            count += 1
        elif isinstance(answer, Conflict) and answer.last > last:
            queue.arrived(number, answer.last)
            count += 1
        elif isinstance(answer, Conflict):
            # The ledger goes on in a new stream, where this device has said nothing yet.
            queue.stands(answer.last)
    return count
