"""The suite: rounds of faults on an installation under work, and what the checker says of each.

A round brings an installation up, harms it for a while, mends everything, waits until all that was
begun has come to an end, takes the ledger away, and holds it against what every witness saw.
"""

import asyncio
import contextlib
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from msgspec import Struct

from bus.folder import DataFolder
from console.commands.credentials import store
from console.supervisor import COMPONENTS
from console.taking import take_whole
from crypto.errors import Rejected
from crypto.keyfile import load_signer
from crypto.trust import Trust
from ledger.checkpoint import open_checkpoint
from ledger.export import ExportReader
from ledger.verify import verify
from schemas.actions import ActionFinished, ActionOutcome, ActionStarted
from schemas.names import Role
from tests.faults.checker import violations
from tests.faults.history import Done, History, Place
from tests.faults.installation import TOKEN, far_side
from tests.faults.nemesis import Fault, Nemesis, clock_jump
from tests.faults.proxy import Proxy
from tests.faults.spoil import Trials
from tests.faults.stand import Stand, standing
from tests.faults.witness import Witness
from tests.faults.workload import TOOL, TTL_S, Workload, configure

ROUND_S: Final = 180.0
AT_ONCE: Final = 8
SPOILS: Final = 20
END_S: Final = 2.5 * TTL_S
SEAL_S: Final = 30.0
_FAKETIME: Final = "usr/lib/*/faketime/libfaketimeMT.so.1"


class Outcome(Struct, kw_only=True):
    """What a suite came to; JSON-able. `by_kind` are faults, `unknown` actions whose outcome is,
    `slow` components that were killed since they did not come up, `stood` says of each component
    how it was where a round did not come to its end."""

    seed: int
    faults: int = 0
    by_kind: dict[str, int] = {}
    violations: list[str] = []
    rounds: int = 0
    seconds: float = 0.0
    entries: int = 0
    acknowledged: int = 0
    unanswered: int = 0
    runs: int = 0
    actions: int = 0
    unknown: int = 0
    seals: int = 0
    restarts: dict[str, int] = {}
    slow: dict[str, int] = {}
    stood: list[str] = []
    spoilt: dict[str, int] = {}
    servers: int = 1
    missing: list[str] = []


async def suite(
    home: Path,
    minutes: float,
    seed: int,
    kinds: tuple[Fault, ...],
    say: Callable[[Outcome], None],
    spoils: int = SPOILS,
    servers: int = 1,
) -> Outcome:
    """Rounds on a bus of so many servers until the time is over, each in a folder of its own.

    `say` is told how it stands after each.
    """
    outcome, begun = Outcome(seed=seed, servers=servers), time.monotonic()
    counts: Counter[str] = Counter()
    while (left := minutes * 60 - (time.monotonic() - begun)) > 0 or outcome.rounds == 0:
        lasts = min(ROUND_S, left)
        room = Round(home / f"round-{outcome.rounds}", f"{seed}.{outcome.rounds}", spoils, servers)
        found = await room.play(kinds, lasts, counts, outcome)
        outcome.violations += [f"round {outcome.rounds}: {said}" for said in found]
        outcome.rounds += 1
        outcome.seconds = round(time.monotonic() - begun, 1)
        outcome.by_kind = dict(sorted(counts.items()))
        outcome.faults = counts.total()
        say(outcome)
    return outcome


class Round:
    """One installation, harmed for a while."""

    def __init__(self, home: Path, seed: str, spoils: int, servers: int) -> None:
        self.home, self.seed, self.spoils, self.servers = home, seed, spoils, servers
        self.kept, self.export = "", home / "export"
        self.folder = DataFolder(home / "data")

    async def play(
        self, kinds: tuple[Fault, ...], lasts: float, counts: Counter[str], outcome: Outcome
    ) -> list[str]:
        """The violations that were found."""
        async with far_side(self.home / "crm") as port:
            tool = Proxy(port)
            await tool.start()
            configure(self.folder, tool.port, self.servers)
            store(self.folder, "crm", TOKEN)
            clocks, environ = _clocks(self.home)
            if not clocks:
                kinds = tuple(kind for kind in kinds if kind is not clock_jump)
                outcome.missing = ["clock jump: there is no libfaketime"]
            async with standing(self.folder, environ) as stand:
                sealer = load_signer(self.folder.identity(Role.SIDECAR) / "sealer.key").public
                witness = Witness(stand.views["reader"], sealer)
                nemesis = Nemesis(stand, self.seed, clocks, tool, lambda: witness.actions)
                work = Workload(stand.views["clients"].root, witness, self.seed)
                ended = await self._harmed(stand, nemesis, witness, work, kinds, lasts)
                outcome.unanswered += work.unanswered
                for part in stand.parts.values():
                    outcome.restarts[part.name] = (
                        outcome.restarts.get(part.name, 0) + part.starts - 1
                    )
                    outcome.slow[part.name] = outcome.slow.get(part.name, 0) + part.slow
                    if witness.unsealed or not all(over for _, over in ended):
                        outcome.stood.append(f"round {outcome.rounds}: {part.standing()}")
            await tool.stop()
        history, findings = self._history(witness, work, sealer, ended), self._verified(witness)
        counts.update(nemesis.counts)
        findings += await self._spoilt(history, counts, outcome)
        outcome.entries += len(history.ledger)
        outcome.seals += len(history.seals)
        outcome.acknowledged += len(history.told)
        outcome.runs += sum(1 for _, over in history.ended if over)
        for place in history.ledger:
            body = place.event.body if place.event is not None else None
            outcome.actions += isinstance(body, ActionStarted)
            if isinstance(body, ActionFinished):
                outcome.unknown += body.outcome is ActionOutcome.UNKNOWN
        return [*findings, *violations(history)]

    async def _harmed(
        self,
        stand: Stand,
        nemesis: Nemesis,
        witness: Witness,
        work: Workload,
        kinds: tuple[Fault, ...],
        lasts: float,
    ) -> tuple[tuple[str, bool], ...]:
        """Harm it, mend it, and take its ledger away; which runs have ended."""
        reading = asyncio.ensure_future(witness.follow())
        working = asyncio.ensure_future(work.go_on())
        tasks = [reading, working]
        try:
            async with asyncio.timeout(END_S):
                # Who has not begun to work cannot be kept from it.
                await witness.until(lambda: len(work.told) > 2)
            raging = asyncio.ensure_future(nemesis.rage(kinds, at_once=AT_ONCE))
            tasks.append(raging)
            await asyncio.wait({raging, working, reading}, timeout=lasts)
            nemesis.stop()
            await raging
            work.end()
            await working
            ended = await self._settled(stand, witness, work)
            if reading.done():
                how = "cancelled" if reading.cancelled() else repr(reading.exception())
                witness.problems.append(f"it reads no more: {how}")
            # What was seen until now must be in what is taken now; more may come meanwhile.
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            await take_whole(stand.views["reader"].root, self.export)
            return ended
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _verified(self, witness: Witness) -> list[str]:
        """What `anyteam verify` finds with the last checkpoint that a reader was given."""
        self.kept = witness.notes[-1] if witness.notes else ""
        root, kept = self.folder.root_public(), self.kept or None
        report = verify(ExportReader(self.export), root, checkpoint=kept)
        findings = [f"verify: {f.kind} at {f.index}: {f.what}" for f in report.findings[:20]]
        return findings + [f"reader: {problem}" for problem in witness.problems]

    async def _spoilt(self, history: History, counts: Counter[str], outcome: Outcome) -> list[str]:
        """What was silently accepted of spoiled copies of what the bus left."""
        if history.unsealed or not self.kept:
            return []
        trials = Trials(self.folder, self.export, self.kept, self.seed)
        found = []
        for number in range(self.spoils):
            kind, said = await trials.one(self.home / f"spoilt-{number}")
            counts[kind] += 1
            found += [said] if said else []
        for end, times in trials.ends.items():
            outcome.spoilt[end] = outcome.spoilt.get(end, 0) + times
        return found

    async def _settled(
        self, stand: Stand, witness: Witness, work: Workload
    ) -> tuple[tuple[str, bool], ...]:
        """Wait for every run and action that is on the ledger to end, and for a seal over it."""
        for part in stand.parts.values():
            with contextlib.suppress(TimeoutError):
                await part.up()
        begun = [run for run in work.asked if run in witness.live or run in witness.ended]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(END_S):
                await witness.until(
                    lambda: not (witness.live or witness.open) and work.answered <= witness.ended
                )
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SEAL_S):
                await witness.until(lambda: witness.unsealed == 0)
        runs = sorted({*begun, *work.answered, *witness.live})
        return tuple((run, run in witness.ended) for run in runs)

    def _history(
        self, witness: Witness, work: Workload, sealer: bytes, ended: tuple[tuple[str, bool], ...]
    ) -> History:
        reader, workspace = ExportReader(self.export), self.folder.settings().workspace
        trust = Trust(workspace, self.folder.root_public())
        places = []
        for entry in reader.entries():
            try:
                verified = trust.accept(entry.subject, entry.body)
            except Rejected:
                places.append(Place(entry, None))
                continue
            places.append(Place(entry, verified.event, verified.digest))
        return History(
            workspace=workspace,
            ledger=tuple(places),
            seals=tuple(open_checkpoint(note, workspace, (sealer,)) for note in reader.seals()),
            told=tuple(work.told),
            seen=tuple(witness.seen),
            sealed=tuple(witness.sealed),
            done=tuple(_done(self.home / "crm" / "seen.log")),
            logged=(TOOL,),
            ended=ended,
            unsealed=witness.unsealed,
        )


def _done(log: Path) -> Iterator[Done]:
    """What the CRM says it was made to do."""
    for line in log.read_text().splitlines() if log.exists() else []:
        said = json.loads(line)
        if said["effect"] == "applied":
            yield Done(said["key"], json.loads(said["body"])["note"])


def _clocks(home: Path) -> tuple[dict[str, Path], dict[str, dict[str, str]]]:
    """A clock that can be set for each component, and the environment that has it believed."""
    library = next(Path("/").glob(_FAKETIME), None)
    clocks: dict[str, Path] = {}
    environ: dict[str, dict[str, str]] = {}
    for name in COMPONENTS if library is not None else ():
        clocks[name] = home / f"{name}.clock"
        clocks[name].write_text("+0")
        environ[name] = {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(clocks[name]),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
    return clocks, environ
