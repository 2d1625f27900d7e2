"""From what the listening process says to the queue, and from there to the bus. One capture.

The queue is written first, always: a bus that is away, or a process that dies, loses nothing.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from bus.connection import disconnect
from bus.errors import BusError
from desktop_agent.capture.messages import Ended, Order, Ready, Said, Segment
from desktop_agent.enrolled import Enrolled
from desktop_agent.publishing import on_the_bus, send
from desktop_agent.queue import Queue
from schemas.captures import CapturePaused, CaptureResumed, CaptureStopped, TranscriptSynced
from schemas.content import plain

_RETRY_S: Final = 5.0
_SECOND: Final = 1_000_000_000


class Dictation:
    """Puts one capture into the queue, segment by segment."""

    def __init__(self, queue: Queue, order: Order, *, rep: str, consent: str, hold_s: int) -> None:
        self._queue, self._consent, self._hold_ns = queue, consent, hold_s * _SECOND
        self._source, self._speaker = source_of(order), speaker_of(order, rep)
        self._capture = 0
        self._segment = 0
        self._over = False

    def take(self, said: Said) -> int | None:
        """Note what was said; the number to withdraw a segment by. Raises `CapturesSpent` or
        `QueueDamaged`.
        """
        now = time.time_ns()
        if isinstance(said, Ready):
            self._capture = self._queue.begin(self._source, self._consent, now)
        elif isinstance(said, Segment):
            self._segment += 1
            body = transcript(said, self._capture, self._segment, self._speaker)
            return self._queue.note(body, now, self._hold_ns)
        elif isinstance(said, Ended):
            self.stop()
        return None

    def stop(self) -> None:
        """Note that it is over, if it had begun and was not over yet."""
        if self._capture and not self._over:
            self._over = True
            self._queue.note(CaptureStopped(capture=self._capture), time.time_ns())

    def pause(self, paused: bool) -> None:
        """Note that it hears nothing from here on, or hears again; before it began, nothing."""
        if self._capture:
            body = CapturePaused if paused else CaptureResumed
            self._queue.note(body(capture=self._capture), time.time_ns())


def transcript(said: Segment, capture: int, number: int, speaker: str) -> TranscriptSynced:
    """A segment as the body of its event."""
    return TranscriptSynced(
        capture=capture,
        segment=number,
        start_ms=said.start_ms,
        end_ms=max(said.start_ms, said.end_ms),
        speaker=speaker,
        text=plain(said.text),
        masked=said.masked,
        sensitivity=said.classification,
    )


def source_of(order: Order) -> str:
    """What is listened to, in words that name no file."""
    if order.descriptor is not None:
        return "sound file"
    return "default device" if order.device is None else f"device {order.device}"


def speaker_of(order: Order, rep: str) -> str:
    """Who is heard there, as far as the source says: a monitor plays the others."""
    if order.descriptor is not None:
        return "unknown"
    return "others" if "monitor" in str(order.device).lower() else f"rep {rep}"


async def keep_sending(
    enrolled: Enrolled, queue: Queue, url: str | None, tell: Callable[[str], None]
) -> None:
    """Release what is due and send it, until cancelled; where the bus is away, try again.

    `tell` hears why nothing arrives, once for each reason, and an empty word once it does again.
    """
    told = ""
    while True:
        try:
            queue.release(enrolled, time.time_ns())
            if queue.next() is not None:
                client = await on_the_bus(enrolled, url)
                try:
                    await send(client, queue)
                finally:
                    await disconnect(client)
            if told:
                tell("")
            told = ""
        except BusError as error:
            # Whatever is wrong with the way, what waits is safe; and it may be mended.
            if error.what != told:
                tell(error.what)
            told = error.what
        await asyncio.sleep(1.0 if not told else _RETRY_S)
