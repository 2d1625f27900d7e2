"""Three losses, and what brings each back: a copy, an export, the archived epochs alone.

After each the installation is brought up, a run does its work, and the whole ledger verifies from
the root key, with the checkpoint kept before the loss wherever nothing was lost to it.
"""

import shutil
import time
from pathlib import Path

from msgspec import Struct

from bus.folder import DataFolder
from console.archiving import archive
from console.epochs import site_of, turn
from console.restoring import archived, restore
from console.taking import take_whole
from crypto.kms import open_kms
from ledger.export import ExportReader
from ledger.verify import Report, verify
from tests.faults.installation import ask, is_end, prepared, until, up


class Drilled(Struct, frozen=True, kw_only=True):
    """One loss. `seconds` from it to an installation that is up again; `lost` entries that the
    bus does not hold any more; `after` the entries once a run went on; `noticed` whether the
    checkpoint from before shows that something is missing.
    """

    loss: str
    by: str
    seconds: float
    before: int
    after: int
    lost: int
    noticed: bool
    ok: bool


async def worked(folder: DataFolder) -> None:
    """A run that ends well."""
    run = await ask(folder, "writer", "files.write")
    end = (await until(folder, run, is_end))[-1].event.body
    assert getattr(end, "outcome", None) is not None and end.outcome.value == "success", end


async def checked(folder: DataFolder, out: Path, note: str | None) -> Report:
    """The whole ledger, exported and verified."""
    await take_whole(folder.root, out)
    return verify(ExportReader(out), folder.root_public(), checkpoint=note)


def last_seal(export: Path) -> str:
    """What an auditor keeps of an export."""
    return list(ExportReader(export).seals())[-1]


async def drill(home: Path) -> list[Drilled]:
    """All three, one after another, on one installation below `home`."""
    folder = prepared(home / "data")
    async with up(folder):
        await worked(folder)
        with open_kms(folder.settings().kms, folder.kms) as kms:
            await turn(folder, site_of(folder), kms)
        await archive(folder, site_of(folder), 1)
        await worked(folder)
        report = await checked(folder, home / "before", None)
        assert report.ok, report.findings
    return [
        await _folder_lost(folder, home),
        await _bus_lost(folder, home),
        await _all_but_the_archive_lost(folder, home),
    ]


async def _folder_lost(folder: DataFolder, home: Path) -> Drilled:
    """The whole folder, with a copy taken while it was down."""
    copy = shutil.copytree(folder.root, home / "copy")
    shutil.rmtree(folder.root)
    began = time.monotonic()
    shutil.copytree(copy, folder.root)
    return await _gone_on(folder, home, "the folder", "a copy", began, home / "before")


async def _bus_lost(folder: DataFolder, home: Path) -> Drilled:
    """nats-server's files, with an export taken before."""
    before = home / "after the folder"
    (folder.root / "nats").rename(home / "nats lost first")
    began = time.monotonic()
    await restore(folder, ExportReader(before), closed=False)
    return await _gone_on(folder, home, "the bus", "an export", began, before)


async def _all_but_the_archive_lost(folder: DataFolder, home: Path) -> Drilled:
    """nats-server's files, snapshots and outboxes: keys and archived epochs are what is left."""
    before = home / "after the bus"
    for part in ("nats", "snapshots", "outbox"):
        shutil.rmtree(folder.root / part, ignore_errors=True)
    began = time.monotonic()
    await restore(folder, archived(folder), closed=True)
    return await _gone_on(folder, home, "all but the archive", "the archive", began, before)


async def _gone_on(
    folder: DataFolder, home: Path, loss: str, by: str, began: float, before: Path
) -> Drilled:
    had = ExportReader(before)
    async with up(folder):
        seconds = time.monotonic() - began
        await worked(folder)
        out = home / f"after {loss}"
        report = await checked(folder, out, None)
        held = verify(ExportReader(out), folder.root_public(), checkpoint=last_seal(before))
    kept = sum(
        mine.body == theirs.body
        for mine, theirs in zip(ExportReader(out).entries(), had.entries(), strict=False)
    )
    return Drilled(
        loss=loss,
        by=by,
        seconds=round(seconds, 1),
        before=had.manifest.size,
        after=report.size,
        lost=had.manifest.size - kept,
        noticed=not held.ok,
        ok=report.ok,
    )
