"""What a running installation says of itself: its processes, its ledger, its stores.

Reads; writes nothing. The ledger is read as every command reads it: each entry's signature and
chain are verified on the way.
"""

import asyncio
import os
import time
from collections.abc import Iterator
from contextlib import closing

import msgspec

from bus.consume import CaughtUp, follow
from bus.folder import DataFolder
from bus.roles import SEALS
from console.doctor.finding import Finding, State
from console.doctor.ledger import looks
from console.session import session
from ledger.checkpoint import read_checkpoint
from schemas.names import Role
from schemas.settings import Settings


def processes(folder: DataFolder) -> Iterator[Finding]:
    """Whether each component that was started still runs."""
    state = folder.root / "run" / "state.json"
    if not state.exists():
        yield Finding(
            "processes", State.SKIPPED, "nothing is up", f"anyteam up --data {folder.root}"
        )
        return
    components: dict[str, int] = msgspec.json.decode(state.read_bytes())["components"]
    for name, pid in components.items():
        if alive(pid):
            yield Finding("processes", State.OK, f"{name} runs")
        else:
            yield Finding(
                "processes", State.FAULT, f"{name} does not run", f"see {folder.log(name)}"
            )


def alive(pid: int) -> bool:
    """Whether this process exists and may be ours."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def ledger(folder: DataFolder) -> Iterator[Finding]:
    """What the ledger says. Raises a `BusError` or `CryptoError` where it cannot be believed."""
    return iter(asyncio.run(_ledger(folder)))


async def _ledger(folder: DataFolder) -> list[Finding]:
    async with session(folder.root, Role.ADMIN, read=False, content=False) as opened:
        sealed, now = 0, time.time_ns()
        notes = follow(
            opened.client, stream=SEALS, filter_subject=None, consumer="doctor", throwaway=True
        )
        async for note in notes:
            if isinstance(note, CaughtUp):
                break
            sealed = read_checkpoint(note.body.decode()).size
        found = looks(sealed, now)
        async for entry in opened.reader.past():
            for look in found:
                look.take(entry)
        return [finding for look in found for finding in look.findings()]


def projections(folder: DataFolder, settings: Settings) -> Iterator[Finding]:
    """Whether the tables keep up, and whether one was set aside. Raises `ProjectionError`."""
    if settings.projections is None:
        return
    from projections.postgres.login import read_login
    from projections.postgres.status import standing

    now = standing(read_login(folder, "console"), settings.workspace)
    for aside in now.set_aside:
        yield Finding(
            "projections",
            State.FAULT,
            f"entry {aside.index} was set aside: {aside.reason}",
            "anyteam projections rebuild, after an upgrade",
        )
    yield Finding("projections", State.OK, f"the tables stand at entry {now.index}")


def webhooks(folder: DataFolder, settings: Settings) -> Iterator[Finding]:
    """Whether letters are dead."""
    if settings.webhooks is None or not folder.webhook_file.exists():
        return
    from projections.webhooks.store import Store

    with closing(Store(folder.webhook_file, settings.workspace)) as store:
        for kept in store.endpoints():
            name = kept.endpoint.name
            if dead := len(store.dead(name)):
                yield Finding(
                    "webhooks",
                    State.ADVICE,
                    f"{name} has {dead} dead letters",
                    f"anyteam webhook dead {name}; anyteam webhook replay {name} --dead",
                )
        yield Finding("webhooks", State.OK, f"{len(store.endpoints())} endpoints")
