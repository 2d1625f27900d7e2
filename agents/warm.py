"""Processes that stand ready: forked, walled in, and told nothing until a run needs one.

For each of a run's two programs there is a nursery, begun with the first run, and beside it a few
children that have confined themselves already. Each is used once: whatever it was told, nothing is
told it again. Where there is no nursery, or none comes up, a process is started as ever.
"""

import asyncio
import logging
import sys
from pathlib import Path
from typing import Final

from agents.cell import RunProcess
from agents.errors import AgentError, NurseryGone
from agents.nurseries import Nursery
from bus.confinement import NOTHING, Cell
from bus.errors import BusError

_LOG: Final = logging.getLogger("anyteam")


class Warm:
    """Processes of one program; `ready` of them stand ready. With 0 each is started anew."""

    def __init__(self, command: tuple[str, ...], ready: int, log: Path) -> None:
        self._command = command
        self._ready = ready if sys.platform == "linux" else 0
        self._log = log
        self._nursery: Nursery | None = None
        self._idle: list[RunProcess] = []
        self._starting = asyncio.Lock()
        self._filling: asyncio.Task[None] | None = None

    async def take(self, log: Path, cell: Cell) -> RunProcess:
        """A process for one run, that keeps its log at `log` and is, or will be, confined as `cell`
        says. The one descriptor it has beside its standard ones is the cell's listener.
        """
        process = await self._idle_one(cell) or await self._borne(cell.listener)
        if process is None:
            return await RunProcess.start(self._command, log, cell.listener)
        process.keep_log(log)
        if cell.listener == NOTHING:
            self._fill(cell)
        return process

    async def close(self) -> None:
        """End what stands ready, and the nursery."""
        if self._filling is not None:
            self._filling.cancel()
            await asyncio.gather(self._filling, return_exceptions=True)
        idle, self._idle = self._idle, []
        await asyncio.gather(*(process.end() for process in idle))
        if self._nursery is not None:
            await self._nursery.close()

    async def _idle_one(self, cell: Cell) -> RunProcess | None:
        while self._idle:
            process = self._idle.pop(0)
            if process.code is None and process.cell == cell:
                return process
            # The bus has moved, say, and it could not reach it.
            await process.end()
        return None

    async def _borne(self, listener: int) -> RunProcess | None:
        if self._ready == 0:
            return None
        try:
            async with self._starting:
                if self._nursery is None or self._nursery.gone:
                    self._nursery = await Nursery.start(self._command, self._log)
            return RunProcess(await self._nursery.bear(listener))
        except (NurseryGone, OSError) as error:
            _LOG.warning("no nursery for %s: %s", " ".join(self._command), error)
            return None

    def _fill(self, cell: Cell) -> None:
        if self._filling is None or self._filling.done():
            self._filling = asyncio.ensure_future(self._filled(cell))

    async def _filled(self, cell: Cell) -> None:
        while len(self._idle) < self._ready:
            process = await self._borne(NOTHING)
            if process is None:
                return
            try:
                await process.wall_in(cell)
            except (AgentError, BusError) as error:
                _LOG.warning("a process that was to stand ready does not: %s", error)
                await process.end()
                return
            except asyncio.CancelledError:
                await process.end()
                raise
            self._idle.append(process)
