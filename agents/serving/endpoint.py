"""The runtime's end of a run's socket: takes calls, tells the decider, answers who called.

It decides nothing. Calls are handed to the decider one at a time, each once the one before is
on record, so that proposals are numbered in order; outcomes come as they come. What nobody
waits for any more is kept for whoever asks again, in bounded number.
"""

import asyncio
import hashlib
import socket
from collections.abc import Callable
from typing import Any, Final

import msgspec
from msgspec import Struct

from agents.errors import BadRequest
from agents.serving.effects import Arrived, Leaving, Offer, Outcome, Over, Proposed, Reply
from agents.serving.wire import (
    MAX_LINE_BYTES,
    Answer,
    Answered,
    AskCall,
    AskFinish,
    AskTools,
    Offered,
    OfferedTool,
    Request,
    read_request,
)
from bus.decider import Effect

RECORD_S: Final = 30.0
"""How long a proposal may take until it is on record."""

GATE_S: Final = 120.0
"""How long a call waits for the gate and the tool at least, whatever its caller's patience."""

MAX_KEPT: Final = 1_000

Feed = Callable[[Effect, object], None]


class _Pending(Struct):
    """One call under way. `waiters` are those who wait for what comes of it."""

    asked: AskCall
    news: asyncio.Condition
    latest: Outcome = Outcome(outcome="pending")
    waiters: int = 0


class Endpoint:
    """Serves one listening socket for one run."""

    def __init__(self, run: str, listener: socket.socket) -> None:
        self._run = run
        self._listener = listener
        self._offer: Offer | None = None
        self._offered = asyncio.Event()
        self._over = asyncio.Event()
        self._pending: dict[bytes, _Pending] = {}
        self._kept: dict[bytes, Outcome] = {}
        self._new: asyncio.Queue[bytes] = asyncio.Queue()
        self._leaving: asyncio.Queue[AskFinish] = asyncio.Queue()

    async def run(self, feed: Feed) -> None:
        """Take calls until cancelled; `feed` hands what arrives to the decider."""
        server = await asyncio.start_unix_server(
            self._serve, sock=self._listener, limit=MAX_LINE_BYTES
        )
        async with server:
            await asyncio.gather(self._hand_over(feed), self._leave(feed))

    async def perform(self, effect: Effect) -> object:
        """Do one effect of the decider."""
        if isinstance(effect, Offer):
            self._offer = effect
            self._offered.set()
        elif isinstance(effect, Over):
            self._over.set()
            self._offered.set()
            for mark in list(self._pending):
                await self._tell(mark, Outcome(outcome="over", reason="the run has ended"))
        elif isinstance(effect, Proposed):
            outcome = Outcome(outcome="pending", proposal=effect.proposal)
            await self._tell(_mark(effect.tool, effect.arguments), outcome)
        elif isinstance(effect, Reply):
            await self._tell(_mark(effect.tool, effect.arguments), effect.outcome)
        else:
            raise TypeError(f"not an effect of a served run: {effect.key}")
        return None

    async def _tell(self, mark: bytes, outcome: Outcome) -> None:
        pending = self._pending.get(mark)
        if pending is None:
            if outcome.final:
                self._keep(mark, outcome)
            return
        async with pending.news:
            pending.latest = outcome
            pending.news.notify_all()
        if outcome.final:
            del self._pending[mark]
            if not pending.waiters:
                self._keep(mark, outcome)

    def _keep(self, mark: bytes, outcome: Outcome) -> None:
        self._kept[mark] = outcome
        while len(self._kept) > MAX_KEPT:
            del self._kept[next(iter(self._kept))]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection: its calls run side by side, each answered when it is."""
        doing: set[asyncio.Task[None]] = set()
        try:
            while line := await reader.readline():
                task = asyncio.ensure_future(self._answer(read_request(line), writer))
                doing.add(task)
                task.add_done_callback(doing.discard)
        except (BadRequest, ValueError, ConnectionError):
            # Off the protocol, or a line without end: whoever it is has lost their turn.
            pass
        finally:
            for task in list(doing):
                task.cancel()
            await asyncio.gather(*doing, return_exceptions=True)
            writer.close()

    async def _answer(self, asked: Request, writer: asyncio.StreamWriter) -> None:
        answer = await self._respond(asked)
        writer.write(msgspec.json.encode(answer) + b"\n")
        await writer.drain()

    async def _respond(self, asked: Request) -> Answer:
        await self._offered.wait()
        if self._over.is_set() or self._offer is None:
            return _answered(asked.id, Outcome(outcome="over", reason="the run has ended"))
        if isinstance(asked, AskTools):
            return _offered(asked.id, self._run, self._offer)
        if isinstance(asked, AskCall):
            return _answered(asked.id, await self._call(asked))
        self._leaving.put_nowait(asked)
        await self._over.wait()
        return _answered(asked.id, Outcome(outcome="over"))

    async def _call(self, asked: AskCall) -> Outcome:
        mark = _mark(asked.tool, asked.arguments)
        kept = self._kept.pop(mark, None)
        if kept is not None:
            return kept
        pending = self._pending.get(mark)
        if pending is None:
            pending = _Pending(asked, asyncio.Condition())
            self._pending[mark] = pending
            self._new.put_nowait(mark)
        pending.waiters += 1
        try:
            async with pending.news:
                await self._patiently(pending, asked.wait_s)
            return pending.latest
        finally:
            pending.waiters -= 1

    async def _hand_over(self, feed: Feed) -> None:
        """Have each call proposed, and wait until it is on record or answered otherwise."""
        number = 0
        while True:
            mark = await self._new.get()
            pending, number = self._pending[mark], number + 1
            call = Arrived(
                key=f"call:{number}",
                run=self._run,
                tool=pending.asked.tool,
                arguments=pending.asked.arguments,
                purpose=pending.asked.purpose,
            )
            async with pending.news:
                feed(call, None)
                try:
                    async with asyncio.timeout(RECORD_S):
                        await pending.news.wait()
                except TimeoutError:
                    unrecorded = Outcome(outcome="failed", reason="it could not be recorded")
                    pending.latest = unrecorded
                    self._pending.pop(mark, None)
                    pending.news.notify_all()

    async def _leave(self, feed: Feed) -> None:
        asked = await self._leaving.get()
        leaving = Leaving(
            key="leaving", run=self._run, success=asked.success, summary=asked.summary
        )
        feed(leaving, None)

    async def _patiently(self, pending: _Pending, wait_s: float) -> None:
        """Wait for the end of it; for a person no longer than the caller wants."""
        try:
            async with asyncio.timeout(GATE_S):
                await pending.news.wait_for(lambda: pending.latest.outcome != "pending")
            async with asyncio.timeout(wait_s):
                await pending.news.wait_for(lambda: pending.latest.final)
        except TimeoutError:
            pass


def _mark(tool: str, arguments: dict[str, Any]) -> bytes:
    """What makes two calls the same call."""
    return hashlib.sha256(msgspec.json.encode([tool, arguments], order="sorted")).digest()


def _offered(asked: str, run: str, offer: Offer) -> Offered:
    tools = tuple(
        OfferedTool(name=t.name, summary=t.summary, arguments=t.arguments, effect=t.effect)
        for t in offer.tools
    )
    return Offered(id=asked, run=run, intent=offer.lease.intent.summary, tools=tools)


def _answered(asked: str, outcome: Outcome) -> Answered:
    return Answered(
        id=asked,
        outcome=outcome.outcome,
        result=outcome.result,
        reason=outcome.reason,
        fix=outcome.fix,
        proposal=outcome.proposal.hex(),
        receipt=outcome.receipt.hex(),
        change=outcome.change,
        wanted=outcome.wanted,
    )
