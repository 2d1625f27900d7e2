"""Restoring a lost bus: a verified ledger goes back into empty streams, entry by entry.

The same bytes on the same subjects at the same indexes, epoch by epoch, and the seals after them.
The root key decides whether it is this workspace's ledger; the data folder must hold its keys,
without which no component could go on. What came after the last entry is lost to it, and whoever
kept a later checkpoint will say so.
"""

import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from bus.archive import ArchivedEpoch, LedgerArchive
from bus.blobs import FolderBlobs
from bus.commands import Publish
from bus.connection import BusClient, connect, disconnect
from bus.epochs import Epoch, Epochs, epochs_of
from bus.folder import DataFolder
from bus.identity import mint_direct_user
from bus.provision import Site, read_key
from bus.publish import Stored, publish
from bus.roles import SEALS, ledger_subject, seals_subject
from console.errors import NotRestored
from console.installation import start_bus
from console.supervisor import take_lock
from ledger.archived import ArchivedExport
from ledger.export import Export
from ledger.opening import opening_in
from ledger.verify import Report, verify

_FOR_S: Final = 24 * 3_600
"""How long the identity lives that writes it back."""

Progress = Callable[[int], None]


def archived(folder: DataFolder) -> ArchivedExport:
    """All epochs that the data folder's archive holds, from the first on.

    Raises `NotRestored` where there is none, `ArchiveError` where one is damaged.
    """
    workspace = folder.settings().workspace
    archive = LedgerArchive(FolderBlobs(folder.archive(workspace)), workspace)
    epochs: list[ArchivedEpoch] = []
    while (epoch := archive.epoch(len(epochs) + 1)) is not None:
        epochs.append(epoch)
    if not epochs:
        raise NotRestored(
            f"{folder.archive(workspace)} holds no epoch", fix="restore from an export instead"
        )
    return ArchivedExport(archive, tuple(epochs), folder.root_public(), lambda: iter(()), ())


async def restore(
    folder: DataFolder, export: Export, *, closed: bool, progress: Progress = lambda index: None
) -> Report:
    """Fill the bus of a data folder that is not up. `closed` where the export ends with an epoch:
    the next `anyteam up` then opens another.

    Raises `AlreadyUp`, and `NotRestored` where it does not verify or the bus is not empty.
    """
    lock = take_lock(folder)
    try:
        report = verify(export, folder.root_public())
        if not report.ok or not report.size:
            what = report.findings[0].what if report.findings else "it holds no entry"
            raise NotRestored(f"it does not verify: {what}", fix="restore from another one")
        settings = folder.settings()
        server, site = await start_bus(folder, settings)
        try:
            async with (
                epochs_of(site, settings.workspace) as epochs,
                _writer(site, settings.workspace) as client,
            ):
                await _fill(client, epochs, settings.workspace, export, progress)
                if closed:
                    await epochs.close((await epochs.all())[-1])
        finally:
            await server.stop()
        return report
    finally:
        os.close(lock)


async def _fill(
    client: BusClient, epochs: Epochs, workspace: str, export: Export, progress: Progress
) -> None:
    newest = await _empty(epochs)
    fence = ledger_subject(workspace)
    for entry in export.entries():
        opening = opening_in(entry.body) if entry.index > 1 else None
        turned = opening is not None and opening.size == entry.index - 1
        if turned:
            older = await epochs.close(newest)
            newest = await epochs.make_next(older)
        name = f"restored-{entry.index}"
        # The first of a stream has nothing of its own stream before it.
        last = 0 if turned or entry.index == 1 else entry.index - 1
        message = Publish(name, name, entry.subject, entry.body, (fence, last))
        answer = await publish(client, message, stream=newest.stream)
        if not isinstance(answer, Stored) or answer.index != entry.index:
            raise NotRestored(
                f"entry {entry.index} came to stand elsewhere: {answer}",
                fix="somebody else writes to this bus; remove its nats folder and begin again",
            )
        if turned:
            await epochs.open(newest)
            await epochs.seal(older)
        progress(entry.index)
    for number, note in enumerate(export.seals(), start=1):
        name = f"restored-seal-{number}"
        message = Publish(name, name, seals_subject(workspace), note.encode(), None)
        await publish(client, message, stream=SEALS)


async def _empty(epochs: Epochs) -> Epoch:
    there = await epochs.all()
    if len(there) != 1 or there[0].last or await epochs.last_seal():
        held = there[-1].last if there else 0
        raise NotRestored(
            f"the bus holds a ledger of {held} entries already",
            fix="move nats/ out of the data folder first, and keep it: it is evidence",
        )
    return there[0]


@asynccontextmanager
async def _writer(site: Site, workspace: str) -> AsyncIterator[BusClient]:
    """Whoever may write the whole ledger: only provisioning can make one."""
    account, now = read_key(site.operator / workspace / "ledger.nk"), int(time.time())
    identity = mint_direct_user(
        account,
        name="restore",
        now=now,
        expires=now + _FOR_S,
        publish=(ledger_subject(workspace), seals_subject(workspace)),
    )
    client = await connect(site.url, identity, site.tls, name=f"restore {workspace}")
    try:
        yield client
    finally:
        await disconnect(client)
