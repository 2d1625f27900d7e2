"""A race, with all real processes: runs act as fast as they can while a halt is engaged.

Whatever is written ahead after the halt's place in the ledger must not have been done. What the
folder holds is held against that, too: it knows nothing of the ledger's order.
"""

import asyncio
import contextlib
import json
import random
from pathlib import Path

import pytest

from bus.decider import Recorded
from bus.folder import DataFolder
from console.author import say
from console.session import session
from schemas.actions import ActionFinished, ActionOutcome, ActionStarted, ProposalMade
from schemas.content import opened
from schemas.names import Role
from schemas.runs import HaltEngaged, HaltScope
from tests.faults.installation import DEADLINE_S, ask, follow, is_end, prepared, up

RUNS, STEPS = 2, 20
TARGETS = {
    HaltScope.RUN: None,
    HaltScope.REP: "ann",
    HaltScope.AGENT: "writer",
    HaltScope.WORKSPACE: "",
    HaltScope.PLATFORM: "",
}


@pytest.mark.parametrize("scope", TARGETS)
async def test_nothing_is_done_after_a_halt(tmp_path: Path, scope: HaltScope) -> None:
    folder = prepared(tmp_path / "home")
    chance = random.Random(scope.value)
    async with up(folder):
        steps = [
            {
                "tool": "files.write",
                "arguments": {"path": f"{step}.txt", "content": f"{step}"},
                "purpose": "keep a note",
            }
            for step in range(STEPS)
        ]
        (folder.root / "writer.json").write_text(json.dumps({"steps": steps}))
        runs = [await ask(folder, "writer", "files.write") for _ in range(RUNS)]
        target = TARGETS[scope]
        covered = {runs[0]} if scope is HaltScope.RUN else set(runs)
        seen = await halted(folder, scope, runs[0] if target is None else target, set(runs), chance)
    halt = next(e.index for e in seen if isinstance(e.event.body, HaltEngaged))
    late = {
        e.digest: e.event.body.proposal
        for e in seen
        if isinstance(e.event.body, ActionStarted) and e.event.run in covered and e.index > halt
    }
    outcomes = [
        e.event.body.outcome
        for e in seen
        if isinstance(e.event.body, ActionFinished) and e.event.body.action in late
    ]
    assert set(outcomes) <= {ActionOutcome.FAILED}
    written = paths(seen)
    done = {
        written[e.event.body.proposal]
        for e in seen
        if isinstance(e.event.body, ActionFinished)
        and e.event.body.outcome is not ActionOutcome.FAILED
    }
    refused = {written[proposal] for proposal in late.values()} - done
    assert not refused & {path.name for path in (folder.root / "files").iterdir()}


async def halted(
    folder: DataFolder, scope: HaltScope, target: str, runs: set[str], chance: random.Random
) -> list[Recorded]:
    """Engage the halt once some actions began; every entry until the runs, also those it leaves
    alone, have ended and each action its outcome, which may come after its run's end: a file that
    one run is refused another may have written before the halt.
    """
    seen: list[Recorded] = []
    open_actions = set[bytes]()
    moment, begun, ended = chance.randint(2, STEPS), 0, set[str]()
    body = HaltEngaged(scope=scope, target=target, reason="a race")
    saying: asyncio.Task[None] | None = None
    async with asyncio.timeout(DEADLINE_S), contextlib.aclosing(follow(folder)) as entries:
        async for entry in entries:
            seen.append(entry)
            if isinstance(entry.event.body, ActionStarted):
                begun += 1
                open_actions.add(entry.digest)
            if isinstance(entry.event.body, ActionFinished):
                open_actions.discard(entry.event.body.action)
            if begun >= moment and saying is None:
                saying = asyncio.ensure_future(engage(folder, body))
            if entry.event.run in runs and is_end(entry):
                ended.add(str(entry.event.run))
            engaged = any(isinstance(e.event.body, HaltEngaged) for e in seen)
            if ended == runs and engaged and not open_actions:
                break
    assert saying is not None
    await saying
    return seen


async def engage(folder: DataFolder, body: HaltEngaged) -> None:
    async with session(folder.root, Role.ADMIN) as opened_:
        await say(opened_.client, opened_.reader, opened_.pen(Role.ADMIN, None), body, run=None)


def paths(seen: list[Recorded]) -> dict[bytes, str]:
    """The file each proposal would write."""
    return {
        e.digest: opened(e.event.body.arguments)["path"]
        for e in seen
        if isinstance(e.event.body, ProposalMade)
    }
