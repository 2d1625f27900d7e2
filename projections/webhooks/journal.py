"""What became of the endpoints on its way to the database: written in groups, off the event loop.

At least once: a message is sent first and noted after, so a crash in between sends it again.
Lanes wait while too much is unwritten, so memory is bounded by that and not by the disk.
"""

import asyncio
from typing import Final, Protocol

import msgspec

from projections.webhooks.endpoint import Step

FLUSH_S: Final = 0.05
MAX_UNWRITTEN: Final = 512


class Keeps(Protocol):
    """Where steps are kept, all of one call or none."""

    def keep(self, steps: list[Step]) -> None:
        """Write them."""
        ...


class Journal:
    """Groups steps by endpoint; the newest state is the one that is written."""

    def __init__(self, store: Keeps) -> None:
        self._store = store
        self._steps: dict[tuple[str, int], Step] = {}
        self._unwritten = 0
        self._some = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._writing = asyncio.Lock()

    def note(self, step: Step) -> None:
        """Take in what became of an endpoint; written soon."""
        key = (step.name, step.generation)
        before = self._steps.get(key)
        self._steps[key] = step if before is None else _after(before, step)
        self._unwritten += len(step.attempts)
        if self._unwritten >= MAX_UNWRITTEN:
            self._room.clear()
        self._some.set()

    async def room(self) -> None:
        """Wait until more may be noted."""
        await self._room.wait()

    async def run(self) -> None:
        """Write for ever. Raises what the store raises."""
        while True:
            await self._some.wait()
            await self.flush()
            await asyncio.sleep(FLUSH_S)

    async def flush(self) -> None:
        """Write all that is noted."""
        async with self._writing:
            steps, self._steps = list(self._steps.values()), {}
            self._unwritten = 0
            self._some.clear()
            if steps:
                await asyncio.to_thread(self._store.keep, steps)
            self._room.set()


def _after(before: Step, step: Step) -> Step:
    """Both, in order: of a message that was settled and then died, or the reverse, the last."""
    now_settled = {place.index for place in step.settled}
    now_dead = {letter.index for letter in step.dead}
    return msgspec.structs.replace(
        step,
        attempts=before.attempts + step.attempts,
        dead=tuple(d for d in before.dead if d.index not in now_settled) + step.dead,
        settled=tuple(p for p in before.settled if p.index not in now_dead) + step.settled,
    )
