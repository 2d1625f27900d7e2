"""The near end of a run's socket: ask for the lease's tools, call them, say that the work is done.

Several calls may be under way at once. A lost connection ends those that wait with
`RunUnreachable`; asked again with the same arguments, a call finds its own proposal.
"""

import asyncio
import itertools
from pathlib import Path
from typing import Any, TypeVar

from agents.errors import BadRequest, RunUnreachable
from agents.serving.place import connect_to
from agents.serving.wire import (
    MAX_LINE_BYTES,
    Answer,
    Answered,
    AskCall,
    AskFinish,
    AskTools,
    Offered,
    Request,
    line_of,
    read_answer,
)

_Kind = TypeVar("_Kind", Offered, Answered)

_ROOM = 8 * MAX_LINE_BYTES


class Caller:
    """A caller of one run. Connects when it is needed, and again after a loss."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._numbers = itertools.count(1)
        self._waiting: dict[str, asyncio.Future[Answer]] = {}
        self._writer: asyncio.StreamWriter | None = None
        self._listening: asyncio.Task[None] | None = None
        self._connecting = asyncio.Lock()

    async def tools(self) -> Offered:
        """The lease's tools, once the run is up. Raises `RunUnreachable`."""
        return await self._ask(AskTools(id=self._number()), Offered)

    async def call(
        self, tool: str, arguments: dict[str, Any], *, purpose: str = "", wait_s: float = 0
    ) -> Answered:
        """What comes of it; see `Answered`. Raises `RunUnreachable` or `BadRequest`."""
        asked = AskCall(
            id=self._number(), tool=tool, arguments=arguments, purpose=purpose, wait_s=wait_s
        )
        return await self._ask(asked, Answered)

    async def finish(self, success: bool, summary: str = "") -> None:
        """Say that the work is done. A run that is gone by then has ended as well."""
        try:
            await self._ask(
                AskFinish(id=self._number(), success=success, summary=summary), Answered
            )
        except RunUnreachable:
            return

    async def aclose(self) -> None:
        """Let the connection go. The run goes on."""
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.wait([self._listening])
        self._listening = None

    def _number(self) -> str:
        return str(next(self._numbers))

    async def _ask(self, asked: Request, kind: type[_Kind]) -> _Kind:
        line = line_of(asked)
        writer = await self._connected()
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[asked.id] = future
        try:
            writer.write(line)
            await writer.drain()
            answer = await future
        except ConnectionError as error:
            raise _gone() from error
        finally:
            self._waiting.pop(asked.id, None)
        if not isinstance(answer, kind):
            raise BadRequest("the run answered another question than was asked")
        return answer

    async def _connected(self) -> asyncio.StreamWriter:
        async with self._connecting:
            if self._writer is None or self._listening is None or self._listening.done():
                try:
                    speaker = connect_to(self._place)
                except OSError as error:
                    raise _gone() from error
                reader, self._writer = await asyncio.open_unix_connection(sock=speaker, limit=_ROOM)
                self._listening = asyncio.ensure_future(self._listen(reader, self._writer))
            return self._writer

    async def _listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                answer = read_answer(line)
                future = self._waiting.get(answer.id)
                if future is not None and not future.done():
                    future.set_result(answer)
        except (BadRequest, ValueError, ConnectionError):
            pass
        finally:
            writer.close()
            for future in self._waiting.values():
                if not future.done():
                    future.set_exception(_gone())


def _gone() -> RunUnreachable:
    return RunUnreachable(
        "nobody answers at the run's socket: it has ended, is not served, or is being renewed",
        fix='`anyteam runs` says whether it is live; its agent needs planner = "mcp"',
    )
