"""A run for the length of an `async with`: asked for, its tools called, its work declared done.

Leaving the block says that the work is done, or with an exception that it failed; then the
ledger decides how the run ended, as for any other runtime.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from agents.serving.caller import Caller
from agents.serving.wire import Answered, OfferedTool
from anyteam.errors import (
    CallError,
    CallFailed,
    CallHeld,
    CallRefused,
    OutcomeUnknown,
    RunNotStarted,
)
from bus.decider import Recorded
from bus.folder import DataFolder
from console.author import new_run_id
from console.commands.runs import request_run
from console.session import DEFAULT_DATA, about_run, session
from console.telling import told
from schemas.leases import Intent, Unanswered
from schemas.names import Role
from schemas.runs import RunCompleted, RunHalted, RunRefused, RunStarted
from schemas.tools import Effect

_KINDS: Final[dict[str, type[CallError]]] = {
    "held": CallHeld,
    "pending": CallHeld,
    "refused": CallRefused,
    "unleased": CallRefused,
    "unknown": OutcomeUnknown,
}
_GOODBYE_S: Final = 10.0


class Done(Struct, frozen=True, kw_only=True):
    """A confirmed call: the tool's result, and the digests of proposal and receipt."""

    result: Any
    proposal: str
    receipt: str


class Tools:
    """The leased tools of one run. `ended` is how it ended, once it has: outcome and reason."""

    def __init__(self, run: str, caller: Caller, offered: tuple[OfferedTool, ...], wait: float):
        self.run = run
        self.offered = offered
        self.ended: tuple[str, str] = ("", "")
        self._caller = caller
        self._wait = wait

    async def call(self, name: str, arguments: dict[str, Any], *, purpose: str = "") -> Done:
        """Propose, and wait for what comes of it. Raises a `CallError` unless it is confirmed."""
        answered = await self._ask(name, arguments, purpose)
        if answered.outcome == "confirmed":
            return Done(
                result=answered.result, proposal=answered.proposal, receipt=answered.receipt
            )
        kind = _KINDS.get(answered.outcome, CallFailed)
        raise kind(told(name, answered), fix=answered.fix, proposal=answered.proposal)

    async def tell(self, name: str, arguments: dict[str, Any], *, purpose: str = "") -> str:
        """The same in words for a model, whatever came of it: a refusal too is told, not raised."""
        return told(name, await self._ask(name, arguments, purpose))

    async def _ask(self, name: str, arguments: dict[str, Any], purpose: str) -> Answered:
        return await self._caller.call(name, arguments, purpose=purpose, wait_s=self._wait)


@asynccontextmanager
async def run(
    agent: str,
    intent: str,
    *,
    tools: Iterable[str],
    effects: Iterable[str] = (),
    to: Iterable[str] = (),
    records: Iterable[str] = (),
    unanswered: str = "go_on",
    ttl: int = 900,
    actions: int = 50,
    wait: float = 20.0,
    rep: str | None = None,
    data: str | Path | None = None,
) -> AsyncIterator[Tools]:
    """Ask for a run as a rep, and be its runtime.

    `effects`, `to` and `records` bound it as in `anyteam run`, and `unanswered` ("go_on" or "stop")
    says what follows when nobody answers its question in time; `ttl` is in seconds; `wait` is how
    many seconds a call waits for a person before it raises `CallHeld`. Raises `RunNotStarted`.
    """
    place = Path(data or os.environ.get("ANYTEAM_DATA") or DEFAULT_DATA)
    wish = Intent(
        summary=intent,
        effects=tuple(Effect(effect) for effect in effects),
        destinations=tuple(to),
        objects=tuple(records),
        unanswered=Unanswered(unanswered),
    )
    name = new_run_id(time.time_ns())
    async with session(place, Role.REP, scope=about_run(name)) as opened:
        await request_run(opened, agent, wish, tuple(tools), ttl, actions, rep, name=name)
        caller = Caller(DataFolder(place).socket(name))
        async with aclosing(opened.again().follow()) as entries, aclosing(caller):
            await _until_started(name, entries)
            offered = await caller.tools()
            given = Tools(name, caller, offered.tools, wait)
            try:
                yield given
            except BaseException as error:
                await _say_failed(caller, type(error).__name__)
                raise
            await caller.finish(True, "the program is done")
            given.ended = await _end(name, entries)


async def _say_failed(caller: Caller, kind: str) -> None:
    """The run is told, but the program's own trouble goes before."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_GOODBYE_S):
            await caller.finish(False, f"the program stopped with {kind}")


async def _until_started(name: str, entries: AsyncIterator[Any]) -> None:
    async for item in entries:
        if not isinstance(item, Recorded) or item.event.run != name:
            continue
        body = item.event.body
        if isinstance(body, RunStarted):
            return
        if isinstance(body, RunRefused):
            raise RunNotStarted(f"the run was refused: {body.reason}", fix=body.fix)
        if isinstance(body, RunCompleted | RunHalted):
            raise RunNotStarted(f"the run ended before it began: {body.reason}")


async def _end(name: str, entries: AsyncIterator[Any]) -> tuple[str, str]:
    async for item in entries:
        if isinstance(item, Recorded) and item.event.run == name:
            body = item.event.body
            if isinstance(body, RunCompleted):
                return body.outcome.value, body.reason
            if isinstance(body, RunHalted):
                return "halted", body.reason
    return "", ""
