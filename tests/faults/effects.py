"""kill -9 of the sidecar over every connector, with each far side's own log as the judge.

A run calls each tool of its world once. Between two runs a far side must show one more effect for
a call that the ledger confirms, none for one that failed, and at most one for one whose outcome is
unknown; and there nothing at the far side may tell what became of it.
"""

import asyncio
import contextlib
import json
import random
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Final

from bus.decider import Recorded
from bus.folder import DataFolder
from console.commands.credentials import store
from console.commands.runs import request_run
from console.session import Session, session
from console.supervisor import COMPONENTS, QUICK_S, Supervisor
from console.taking import take_whole
from ledger.export import ExportReader
from ledger.verify import verify
from schemas.actions import ActionFinished, ActionOutcome, ActionStarted
from schemas.leases import Intent
from schemas.names import Role
from schemas.tools import Effect
from tests.commands import allow, said_by
from tests.faults.far_sides import JANE, FarSide, protocols, shapes
from tests.faults.installation import is_end
from tests.faults.kills import Tally, account_of, kill

World = Callable[[Path], AbstractAsyncContextManager[tuple[FarSide, ...]]]

WORLDS: Final[tuple[World, ...]] = (protocols, shapes)

_SETTINGS = """\
workspace = "acme"
reps = ["ann"]
admins = ["ada"]
[policy]
organisation = ["acme.example"]
tools = {tools}
[agents.keeper]
planner = "scripted"
plan = "keeper.json"
{sections}
"""

_SLOWEST_S: Final = 2.0
"""About how long the slowest call of a tool takes, a mail: a kill comes at most so long after an
entry, and mostly much sooner, since the others take a fiftieth of that."""

_STEPS = 5
"""How many entries a step has: proposal, verdict, started, finished, receipt."""

_TTL_S = 600
"""How long a run may take, on a machine that has other things to do."""

_KILLS_A_RUN = 3
"""Fewer than the supervisor's `MAX_QUICK_ENDS`, and before each run the sidecar has been up for
longer than a quick end takes: so it is always started again."""


async def kill_over_all_connectors(home: Path, kills: int, seed: int) -> Tally:
    """At least `kills` of them, half in each world, over as many runs as that takes.

    A run that does not end in its time ends its world. Both ledgers are verified.
    """
    dice, tally = random.Random(seed), Tally()
    for number, world in enumerate(WORLDS):
        share = (kills + 1 - number) // len(WORLDS)
        async with installed(home / world.__name__, world) as (folder, sides):
            await _play(folder, sides, share, dice, tally)
    return tally


@contextlib.asynccontextmanager
async def installed(
    home: Path, world: World
) -> AsyncIterator[tuple[DataFolder, tuple[FarSide, ...]]]:
    """A data folder, configured for a world that is up."""
    folder = DataFolder(home / "data")
    folder.root.mkdir(parents=True)
    async with world(home) as sides:
        await _configure(folder, sides)
        yield folder, sides


async def _configure(folder: DataFolder, sides: Sequence[FarSide]) -> None:
    sections = "".join(side.section for side in sides)

    def write(*tools: str) -> None:
        text = _SETTINGS.format(tools=json.dumps(tools), sections=sections)
        folder.settings_file.write_text(text)

    write()
    for side in sides:
        if side.secret is not None:
            store(folder, *side.secret)
    if "connectors.mcp.contacts" in sections:
        await said_by(folder, "mcp", "pin", "contacts")
        look = {"tool": "list_notes", "arguments": {"contact": "{contact}"}, "contains": ["{note}"]}
        gone = {"tool": "list_notes", "arguments": look["arguments"], "absent": ["{note}"]}
        note = {"effect": "mutation", "objects": ["contact"], "contents": ["note"]}
        both = {"contact": "/arguments/contact", "note": "/arguments/note"}
        undo = {"tool": "contacts.remove_note", "arguments": both}
        allow(
            folder,
            "contacts",
            add_note={**note, "confirm": look, "compensation": undo},
            remove_note={**note, "confirm": gone},
            list_notes={"effect": "read"},
        )
    write(*(side.tool for side in sides), *(side.undo for side in sides if side.undo))


async def _play(
    folder: DataFolder, sides: Sequence[FarSide], kills: int, dice: random.Random, tally: Tally
) -> None:
    components = {**COMPONENTS, "sidecar": ("tests.faults.sidecar",)}
    supervisor = Supervisor(folder, lambda text: None, components=components)
    where, wanted = folder.root.parent / "export", tally.kills + kills
    try:
        await supervisor.up()
        async with session(folder.root, Role.REP) as opened:
            number = 0
            while tally.kills < wanted:
                await _settled(supervisor)
                before = [len(side.effects()) for side in sides]
                run = await _begun(opened, dice.sample(sides, len(sides)), number)
                tally.runs += 1
                moments = dice.sample(range(1, _STEPS * (len(sides) + 1)), _KILLS_A_RUN)
                killing = _killed(opened, run, moments, dice, supervisor, tally)
                entries = await _while_up(supervisor, killing)
                if tally.unfinished:
                    # Its effects may come yet, and would be taken for another run's.
                    break
                tally.unpaired += account_of(entries).unpaired
                for side, so_many in zip(sides, before, strict=True):
                    effects = side.effects()[so_many:]
                    judge(tally, side, number, _outcome(entries, side.tool), effects)
                number += 1
        await take_whole(folder.root, where)
    finally:
        await supervisor.down()
    tally.findings += len(verify(ExportReader(where), folder.root_public()).findings)


async def _settled(supervisor: Supervisor) -> None:
    """Wait until the sidecar has been up for so long that its next end counts as the first."""
    async with asyncio.timeout(_TTL_S):
        while (left := QUICK_S - supervisor.age_of("sidecar")) > 0:
            if supervisor.failed.done():
                supervisor.failed.result()
            await asyncio.sleep(min(left, 0.2))


async def _while_up(
    supervisor: Supervisor, work: Coroutine[Any, Any, list[Recorded]]
) -> list[Recorded]:
    """What `work` comes to; raises at once what the supervisor gave up for."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task, supervisor.failed}, return_when=asyncio.FIRST_COMPLETED)
        if supervisor.failed.done():
            supervisor.failed.result()
        return await task
    finally:
        task.cancel()


async def _killed(
    opened: Session,
    run: str,
    moments: Sequence[int],
    dice: random.Random,
    supervisor: Supervisor,
    tally: Tally,
) -> list[Recorded]:
    """The run's entries to its end, the sidecar killed a little after those at `moments`."""
    entries: list[Recorded] = []
    try:
        async with (
            asyncio.timeout(_TTL_S),
            contextlib.aclosing(opened.reader.follow()) as stream,
        ):
            async for item in stream:
                if not isinstance(item, Recorded) or item.event.run != run:
                    continue
                entries.append(item)
                if is_end(item):
                    return entries
                if len(entries) in moments:
                    await asyncio.sleep(_SLOWEST_S * dice.random() ** 6)
                    tally.kills += kill(opened.folder, supervisor, "sidecar")
    except TimeoutError:
        tally.unfinished += 1
    return entries


async def _begun(opened: Session, order: Sequence[FarSide], number: int) -> str:
    """A run that calls each tool once; its name."""
    calls = {side.tool: side.arguments(number) for side in order}
    steps = [
        {"tool": tool, "arguments": arguments, "purpose": "as asked"}
        for tool, arguments in calls.items()
    ]
    (opened.folder.root / "keeper.json").write_text(json.dumps({"steps": steps}))
    url = [calls["web.fetch"]["url"]] if "web.fetch" in calls else []
    intent = Intent(
        summary="send Jane the summary and draft her a mail, note the next step at deal-1, at deal"
        f" 301 and with {JANE}, change the next step of deal 302, book a call, change the room of"
        " pilot.ics and pilot0review, invoice Boeing 250, write a file, and fetch the page",
        effects=(Effect.MUTATION, Effect.COMMUNICATION, Effect.EGRESS),
        destinations=(JANE, *url),
    )
    return await request_run(opened, "keeper", intent, tuple(calls), _TTL_S, 30, None)


def _outcome(entries: Sequence[Recorded], tool: str) -> tuple[str, ActionOutcome] | None:
    """The key and outcome of the run's one action of a tool, or None where there was none."""
    key = ""
    action = b""
    for recorded in entries:
        body = recorded.event.body
        if isinstance(body, ActionStarted) and body.tool == tool:
            key, action = recorded.event.id, recorded.digest
        elif isinstance(body, ActionFinished) and body.action == action:
            return key, body.outcome
    return None


def judge(
    tally: Tally,
    side: FarSide,
    number: int,
    found: tuple[str, ActionOutcome] | None,
    effects: Sequence[str],
) -> None:
    """Hold what the ledger says of one call against what the far side says it was made to do."""
    tally.actions += found is not None
    tally.duplicates += max(0, len(effects) - 1)
    key, outcome = found if found is not None else ("", ActionOutcome.FAILED)
    if outcome is ActionOutcome.UNKNOWN:
        tally.unknown += 1
        tally.unknown_true += side.silent(key, number)
    elif outcome is not ActionOutcome.CONFIRMED or not effects:
        tally.lost += 1
