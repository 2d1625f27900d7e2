"""What goes on while faults are injected: runs, halts, and people who say something all the time.

Each run has an agent and a plan of its own, so that whatever is found of it later is of that run
and no other: a few changes of a deal at a CRM, some more than its lease allows. What a client was
told is noted only once it was told; a call that came to no answer says nothing either way.
"""

import asyncio
import contextlib
import json
import random
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Final

from bus.errors import BusError
from bus.folder import DataFolder
from console.author import new_run_id, say
from console.session import Session, session
from schemas.errors import AnyTeamError
from schemas.events import AnyBody
from schemas.leases import Intent
from schemas.names import Role
from schemas.runs import HaltEngaged, HaltReleased, HaltScope, RunRequested
from schemas.tools import Effect
from tests.faults.history import Told
from tests.faults.witness import Witness

AGENTS: Final = 400
TOOL: Final = "crm.update_deal"
TTL_S: Final = 60
NOBODY: Final = "nobody"
TALK_S: Final = 0.1

_STEPS: Final = 8
_PATIENCE_S: Final = 8.0
"""How long a client waits for one answer before it connects anew."""

_SETTINGS: Final = """\
workspace = "acme"
reps = ["ann", "ben"]
admins = ["ada", "bob"]
[bus]
snapshot_every = 400
servers = {servers}
[policy]
tools = ["crm.update_deal"]
park_s = 0
[connectors.crm]
url = "http://127.0.0.1:{port}"
"""


def configure(folder: DataFolder, port: int, servers: int) -> None:
    """Settings, and a plan for each of the agents. `port` is the CRM's, `servers` the bus's."""
    folder.root.mkdir(parents=True, exist_ok=True)
    text = [_SETTINGS.format(port=port, servers=servers)]
    for number in range(AGENTS):
        text.append(f'[agents.k{number}]\nplanner = "scripted"\nplan = "plans/k{number}.json"\n')
    folder.settings_file.write_text("".join(text))
    (folder.root / "plans").mkdir(exist_ok=True)
    for number in range(AGENTS):
        steps = [
            {
                "tool": TOOL,
                "arguments": {"id": "deal-1", "fields": {"note": f"{number}.{step}"}},
                "purpose": "keep a note",
            }
            for step in range(_STEPS)
        ]
        (folder.root / "plans" / f"k{number}.json").write_text(json.dumps({"steps": steps}))


class Workload:
    """The clients of one round. `told` is what they were told, `asked` the runs they asked for,
    `answered` those whose request they were told of."""

    def __init__(self, data: Path, witness: Witness, seed: str) -> None:
        self.told: list[Told] = []
        self.asked: list[str] = []
        self.answered: set[str] = set()
        self.unanswered = 0
        self._data, self._witness = data, witness
        self._dice = random.Random(seed)
        self._agents = iter(range(AGENTS))
        self._standing: list[HaltEngaged] = []
        self._talked = 0
        self._over = asyncio.Event()

    async def go_on(self) -> None:
        """Work until told that it is over; every halt that may stand is released then."""
        async with asyncio.TaskGroup() as clients:
            for rep in ("ann", "ben"):
                clients.create_task(self._client(Role.REP, partial(self._runs, rep)))
            clients.create_task(self._client(Role.ADMIN, self._halts))
            clients.create_task(self._client(Role.ADMIN, self._talk))

    def end(self) -> None:
        """Ask for nothing new."""
        self._over.set()

    async def _runs(self, rep: str, opened: Session) -> None:
        """One run after another, each to its end, for as long as that takes."""
        while not self._over.is_set():
            number = next(self._agents, None)
            if number is None:
                return
            name = new_run_id(time.time_ns())
            body = RunRequested(
                rep=rep,
                agent=f"k{number}",
                intent=Intent(summary="keep notes on deal-1", effects=(Effect.MUTATION,)),
                tools=(TOOL,),
                ttl_s=TTL_S,
                max_actions=self._dice.choice((_STEPS // 2, 20, 20)),
            )
            self.asked.append(name)
            await self._say(opened, Role.REP, rep, body, name)
            self.answered.add(name)
            await self._ended(name)
            await self._pause(0.3)

    async def _halts(self, opened: Session) -> None:
        """Now and then a halt: mostly of a run that goes on, sometimes of more, and released."""
        while self._standing or not self._over.is_set():
            while self._standing:
                body = self._standing[-1]
                free = HaltReleased(scope=body.scope, target=body.target, reason="go on")
                await self._say(opened, Role.ADMIN, "ada", free, None)
                self._standing.pop()
            await self._pause(self._dice.uniform(3.0, 10.0))
            if self._over.is_set() or not self._witness.live:
                continue
            halt = self._halt()
            if halt.scope is not HaltScope.RUN:
                # Also where no answer comes: it may stand all the same.
                self._standing.append(halt)
            await self._say(opened, Role.ADMIN, "ada", halt, None)
            await self._pause(self._dice.uniform(0.2, 1.0))

    def _halt(self) -> HaltEngaged:
        scope, target = self._dice.choice(
            [
                *[(HaltScope.RUN, self._dice.choice(list(self._witness.live)))] * 3,
                (HaltScope.REP, self._dice.choice(("ann", "ben"))),
                (HaltScope.WORKSPACE, ""),
            ]
        )
        return HaltEngaged(scope=scope, target=target, reason="a fault suite's")

    async def _talk(self, opened: Session) -> None:
        """Events that change nothing, one after the other: what is durable must stay so."""
        while not self._over.is_set():
            self._talked += 1
            kind = HaltEngaged if self._talked % 2 else HaltReleased
            body = kind(scope=HaltScope.RUN, target=NOBODY, reason=f"{self._talked}")
            await self._say(opened, Role.ADMIN, "bob", body, None)
            await self._pause(TALK_S)

    async def _client(self, role: Role, work: Callable[[Session], Awaitable[None]]) -> None:
        """Do `work` to its end, over one connection after another."""
        while True:
            with contextlib.suppress(_NoAnswer, AnyTeamError, OSError):
                async with session(self._data, role, content=False) as opened:
                    await work(opened)
                    return
            await asyncio.sleep(0.3)

    async def _say(
        self, opened: Session, role: Role, name: str, body: AnyBody, run: str | None
    ) -> None:
        """Say it, and note what was answered. Raises `_NoAnswer` where nothing was."""
        pen, asked = opened.pen(role, name), time.monotonic()
        try:
            async with asyncio.timeout(_PATIENCE_S):
                index = await say(opened.client, opened.reader, pen, body, run=run)
        except (BusError, TimeoutError, OSError) as error:
            self.unanswered += 1
            raise _NoAnswer from error
        answered = time.monotonic()
        head = opened.reader.trust.head(pen.key_id, run)
        assert head is not None
        self.told.append(
            Told(client=name, event=head.digest, index=index, asked=asked, answered=answered)
        )

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._over.wait()

    async def _ended(self, run: str) -> None:
        """Wait until the run has ended, or the round; no longer than its lease would last."""
        ended = asyncio.ensure_future(self._witness.until(lambda: run in self._witness.ended))
        over = asyncio.ensure_future(self._over.wait())
        try:
            await asyncio.wait(
                {ended, over}, timeout=2 * TTL_S, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            for task in (ended, over):
                task.cancel()
            await asyncio.gather(ended, over, return_exceptions=True)


class _NoAnswer(Exception):
    """Nothing came back; what was said may stand or not."""
