"""kill -9 of a component at a chosen moment of a run, on a real installation.

Each run puts notes on a deal at a real CRM service, every note once. The CRM's own log says
what was done; the ledger says what we believe was done. The two must agree, whatever died
when. A bus that dies takes the installation with it, which then comes up on the same folder.
"""

import asyncio
import contextlib
import json
import os
import random
import signal
from collections import Counter
from pathlib import Path

import msgspec
from msgspec import Struct

from bus.decider import Recorded
from bus.folder import DataFolder
from console.commands.ledger import export
from console.errors import ComponentDied
from console.supervisor import Supervisor
from ledger.export import ExportReader
from ledger.verify import verify
from schemas.actions import (
    ActionFinished,
    ActionOutcome,
    ActionStarted,
    Receipt,
    ReceiptIssued,
)
from tests.faults.installation import (
    DEADLINE_S,
    ask,
    below,
    far_side,
    follow,
    is_end,
    plan_notes,
    prepared,
    server_of,
    until,
)

BUS = "nats-server"
COMPONENTS = ("orchestrator", "sidecar", "runtime", "judge", BUS)
RUN_ENTRIES = 28
"""About how many entries such a run has: the moments to choose from."""

_MODULES = {"runtime": ("agents", "runtime"), "judge": ("judge",)}


class Tally(Struct, kw_only=True):
    """What came of the kills. All but the first five must be zero, and `unknown` all true.

    `kills` are processes that did die: a moment may find none, as between two attempts.
    `duplicates` are effects that a far side was made to do twice, under whatever keys; `lost`
    are those it was made to do otherwise than the ledger says, or that an ended run never
    brought about. `unknown` are actions that the ledger leaves open, `unknown_true` those of
    them of which the far side itself shows nothing that would tell. `unpaired` counts actions
    without exactly one finish and one receipt, `findings` what verification of the whole ledger
    found.
    """

    runs: int = 0
    kills: int = 0
    actions: int = 0
    unknown: int = 0
    unknown_true: int = 0
    duplicates: int = 0
    lost: int = 0
    unpaired: int = 0
    unfinished: int = 0
    findings: int = 0

    @property
    def wrong(self) -> int:
        """How much is not as it must be."""
        untrue = self.unknown - self.unknown_true
        return (
            self.duplicates + self.lost + self.unpaired + self.unfinished + self.findings + untrue
        )


class Account(Struct, frozen=True):
    """What the ledger says of one run's actions: how each came out, and whether all is paired."""

    outcomes: dict[str, ActionOutcome]
    unpaired: int


async def kill_at_random_moments(
    home: Path, components: tuple[str, ...], kills: int, seed: int
) -> Tally:
    """One run a kill, each at a random moment of it; then the whole ledger is verified.

    The components take turns. Returns once all runs have ended or had their time.
    """
    dice = random.Random(seed)
    tally = Tally()
    async with far_side(home / "crm") as port:
        folder = prepared(home / "data", port=port)
        supervisor = Supervisor(folder, lambda text: None)
        try:
            await supervisor.up()
            for number in range(kills):
                victim = components[number % len(components)]
                notes = plan_notes(folder, f"{number}")
                run = await ask(folder, "keeper", "crm.update_deal")
                moment, delay = dice.randrange(1, RUN_ENTRIES), dice.random() / 200
                tally.runs += 1
                if await _reached(folder, run, moment):
                    await asyncio.sleep(delay)
                    tally.kills += kill(folder, supervisor, victim)
                if victim == BUS:
                    supervisor = await _revived(folder, supervisor)
                try:
                    entries = await until(folder, run, is_end)
                except TimeoutError:
                    tally.unfinished += 1
                    continue
                _count(tally, account_of(entries), notes, home / "crm" / "seen.log")
            await export(folder, home / "export")
        finally:
            await supervisor.down()
        report = verify(ExportReader(home / "export"), folder.root_public())
        tally.findings = len(report.findings)
    return tally


def account_of(entries: list[Recorded]) -> Account:
    """Pair each action of a run's entries with its finish and its receipt."""
    started: dict[bytes, str] = {}
    finished: Counter[bytes] = Counter()
    receipted: Counter[bytes] = Counter()
    outcomes: dict[str, ActionOutcome] = {}
    for recorded in entries:
        body = recorded.event.body
        if isinstance(body, ActionStarted):
            started[recorded.digest] = recorded.event.id
        elif isinstance(body, ActionFinished):
            finished[body.action] += 1
            outcomes[started[body.action]] = body.outcome
        elif isinstance(body, ReceiptIssued):
            receipt = msgspec.msgpack.decode(body.receipt, type=Receipt)
            receipted[receipt.action] += receipt.outcome is outcomes[receipt.key]
    unpaired = sum((finished[a], receipted[a]) != (1, 1) for a in started)
    return Account(outcomes, unpaired)


async def _reached(folder: DataFolder, run: str, moment: int) -> bool:
    """Wait until the run has `moment` entries; False where it ends before."""
    seen = 0
    async with asyncio.timeout(DEADLINE_S), contextlib.aclosing(follow(folder)) as entries:
        async for recorded in entries:
            if recorded.event.run == run:
                seen += 1
                if seen == moment:
                    return True
                if is_end(recorded):
                    return False
    return False


def kill(folder: DataFolder, supervisor: Supervisor, victim: str) -> int:
    """Kill the victim's process, or both where an attempt overlaps the next; how many died."""
    if victim == BUS:
        pids = [server_of(folder)]
    elif victim in _MODULES:
        children = below(supervisor.pid_of("orchestrator"))
        pids = [c.pid for c in children if c.argv[3:] == _MODULES[victim]]
    else:
        pids = [supervisor.pid_of(victim)]
    died = 0
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            died += 1
    return died


async def _revived(folder: DataFolder, supervisor: Supervisor) -> Supervisor:
    """The installation up again on its folder, after its bus died or the run outran the kill."""
    if not (Path(folder.root) / "run" / "bus.json").exists():
        raise AssertionError("the installation went down by itself")
    with contextlib.suppress(TimeoutError, ComponentDied):
        async with asyncio.timeout(1):
            await asyncio.shield(supervisor.failed)
    await supervisor.down()
    again = Supervisor(folder, lambda text: None)
    await again.up()
    return again


def _count(tally: Tally, account: Account, notes: list[str], log: Path) -> None:
    lines = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    applied = [line for line in lines if line["effect"] == "applied"]
    by_note = Counter(json.loads(line["body"])["note"] for line in applied)
    by_key = Counter(line["key"] for line in applied)
    tally.actions += len(account.outcomes)
    tally.unpaired += account.unpaired
    tally.duplicates += sum(by_note[note] > 1 for note in notes)
    tally.lost += sum(by_note[note] == 0 for note in notes)
    for key, outcome in account.outcomes.items():
        if outcome is ActionOutcome.UNKNOWN:
            # The CRM keeps every key, so what became of one could always have been known.
            tally.unknown += 1
        elif (outcome is ActionOutcome.CONFIRMED) != (by_key[key] == 1):
            tally.lost += 1
    mine = {line["key"] for line in applied if json.loads(line["body"])["note"] in notes}
    tally.lost += len(mine - set(account.outcomes))
