"""Epochs on a real installation: the ledger goes on from stream to stream, and nobody notices."""

import asyncio
import os
import shutil
import signal
from itertools import pairwise
from pathlib import Path

import pytest

from bus.component import connect_as
from bus.connection import disconnect
from bus.epochs import Epoch, Turning, epochs_of, under_way
from bus.errors import ArchiveError, BusError
from bus.folder import DataFolder
from console.archiving import archive, drop
from console.cast import cast
from console.epochs import site_of, turn
from console.errors import NotTurned
from console.taking import take_whole
from console.web.entries import entries as entries_of
from crypto.kms import load_keyring, open_kms
from crypto.sealing import WorkspaceKeys
from crypto.trust import Trust
from ledger.export import ExportReader
from ledger.replay import replay
from ledger.verify import Report, verify
from schemas.actions import ActionStarted, ApprovalRequested
from schemas.names import Role
from tests.faults.installation import DEADLINE_S, ask, halt, is_a, is_end, prepared, until, up


async def turned(folder: DataFolder, fails_at: Turning | None = None) -> Epoch:
    """Turn the epoch; at `fails_at` the command comes to its end without having done that step."""

    def step(at: Turning) -> None:
        if at is fails_at:
            raise Gone

    with open_kms(folder.settings().kms, folder.kms) as kms:
        return await turn(folder, site_of(folder), kms, step)


class Gone(Exception):
    """The command is gone, in the middle of it."""


async def epochs(folder: DataFolder) -> tuple[Epoch, ...]:
    async with epochs_of(site_of(folder), "acme") as found:
        return await found.all()


async def completes(folder: DataFolder, run: str) -> None:
    last = (await until(folder, run, is_end))[-1]
    assert last.event.type == "run.completed", last.event.body


async def shown(folder: DataFolder, expected: list[tuple[int, str, bytes]]) -> None:
    """A page of entries, and each by itself, are those of the export, whichever epoch has them."""
    newest = (await epochs(folder))[-1].number
    client = await connect_as(folder, Role.REP)
    try:
        page = [
            (one.index, one.subject, one.body)
            for one in await entries_of(client, 1, min(len(expected), 100), newest)
        ]
        assert page == expected[:100]
        for index in (1, len(expected) // 2, len(expected)):
            (one,) = await entries_of(client, index, index, newest)
            assert (one.index, one.subject, one.body) == expected[index - 1]
    finally:
        await disconnect(client)


async def checked(folder: DataFolder, out: Path) -> Report:
    """Export, verify and replay the whole ledger."""
    await take_whole(folder.root, out)
    report = verify(ExportReader(out), folder.root_public())
    assert report.ok, report.findings
    with open_kms(folder.settings().kms, folder.kms) as kms:
        keys = WorkspaceKeys(load_keyring(kms, folder.keyring_file("acme"), "acme"))
    entries = [(e.index, e.subject, e.body) for e in ExportReader(out).entries()]
    await shown(folder, entries)
    found = replay(entries, Trust("acme", folder.root_public()), keys, cast)
    assert found.ok, found.differences
    return report


async def test_runs_go_on_across_turns_and_the_ledger_is_one(tmp_path: Path) -> None:
    folder = prepared(tmp_path / "home")
    async with up(folder):
        for number in range(2, 5):
            runs = [await ask(folder, "writer", "files.write") for _ in range(2)]
            await until(folder, runs[0], is_a(ActionStarted))
            opened = await turned(folder)
            assert opened.number == number
            await asyncio.gather(*(completes(folder, run) for run in runs))
        found = await epochs(folder)
        assert [epoch.number for epoch in found] == [1, 2, 3, 4]
        assert all(a.last + 1 == b.first for a, b in pairwise(found))
        report = await checked(folder, tmp_path / "export")
    assert report.events["epoch.opened"] == 3
    assert report.events["run.started"] == 6, "a run's processes were lost with the old stream"
    assert report.rejected == 0, "a retried event landed twice"


STEPS = (Turning.CLOSED, Turning.MADE, Turning.OPENED, Turning.OPEN)


async def test_a_turn_cut_off_at_any_step_is_gone_on_with(tmp_path: Path) -> None:
    folder = prepared(tmp_path / "home")
    async with up(folder) as supervisor:
        for at in STEPS:
            run = await ask(folder, "writer", "files.write")
            await until(folder, run, is_a(ActionStarted))
            with pytest.raises(Gone):
                await turned(folder, fails_at=at)
            os.kill(supervisor.pid_of("sidecar"), signal.SIGKILL)
            await turned_somehow(folder)
            await completes(folder, run)
        report = await checked(folder, tmp_path / "export")
        assert report.events["epoch.opened"] == len(await epochs(folder)) - 1 >= 3
        assert report.rejected == 0


async def test_a_turn_cut_off_is_finished_or_undone_by_the_next_start(tmp_path: Path) -> None:
    folder = prepared(tmp_path / "home")
    for at in STEPS:
        async with up(folder):
            await completes(folder, await ask(folder, "writer", "files.write"))
            with pytest.raises(Gone):
                await turned(folder, fails_at=at)
    async with up(folder):
        found = await epochs(folder)
        assert under_way(found) is Turning.NOT
        assert [epoch.number for epoch in found] == [1, 2, 3, 4], "the first was undone"
        await completes(folder, await ask(folder, "writer", "files.write"))
        await checked(folder, tmp_path / "export")


async def turned_somehow(folder: DataFolder) -> None:
    """As a person would: the command says what to do, and is given again."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            try:
                await turned(folder)
                return
            except NotTurned as error:
                if "no entries but its opening" in error.what:
                    # What was cut off is finished, and the run had said all before it.
                    return
                await asyncio.sleep(0.1)


async def test_a_closed_epoch_is_archived_and_dropped_and_the_ledger_stays_whole(
    tmp_path: Path,
) -> None:
    folder = prepared(tmp_path / "home")
    async with up(folder) as supervisor:
        site = site_of(folder)
        await completes(folder, await ask(folder, "writer", "files.write"))
        with pytest.raises(NotTurned, match="epoch 1 is not closed"):
            await archive(folder, site, 1)
        await turned(folder)
        await completes(folder, await ask(folder, "writer", "files.write"))
        with pytest.raises(NotTurned, match="epoch 1 is not archived"):
            await drop(folder, site, 1, None)
        made, report = await archive(folder, site, 1)
        assert report is not None and report.ok
        assert (made.first, made.last) == (1, (await epochs(folder))[0].last)
        before = await checked(folder, tmp_path / "before")

        store = folder.archive("acme")
        segment = store / made.segments[0].name
        good = segment.read_bytes()
        for harm in (lambda: segment.write_bytes(good[:-1] + b"!"), segment.unlink):
            harm()
            with pytest.raises((NotTurned, ArchiveError), match=made.segments[0].name):
                await drop(folder, site, 1, None)
            segment.write_bytes(good)
            segment.chmod(0o600)
        assert len(await epochs(folder)) == 2, "nothing was dropped"
        await drop(folder, site, 1, None)
        assert [epoch.number for epoch in await epochs(folder)] == [2]

        # Readers, verifiers and components that start anew read across the archive, unaware.
        after = await checked(folder, tmp_path / "after")
        assert after.size >= before.size
        shutil.rmtree(folder.root / "snapshots", ignore_errors=True)
        for component in ("sidecar", "orchestrator", "supervisor"):
            os.kill(supervisor.pid_of(component), signal.SIGKILL)
        await completes(folder, await ask(folder, "writer", "files.write"))
    async with up(folder):
        await turned(folder)
        assert [epoch.number for epoch in await epochs(folder)] == [2, 3]
        await archive(folder, site_of(folder), 2)
        await drop(folder, site_of(folder), 2, None)
        await completes(folder, await ask(folder, "writer", "files.write"))
        await checked(folder, tmp_path / "last")
    # Without the archive nothing starts: a ledger whose beginning is gone is no ledger.
    folder.archive("acme").rename(tmp_path / "elsewhere")
    with pytest.raises(BusError, match="not on the bus"):
        async with up(folder):
            pass


async def test_an_epoch_in_which_a_live_run_began_stays_on_the_bus(tmp_path: Path) -> None:
    folder = prepared(tmp_path / "home")
    async with up(folder):
        run = await ask(folder, "writer", "files.write", effects=())
        await until(folder, run, is_a(ApprovalRequested))
        await turned(folder)
        await archive(folder, site_of(folder), 1)
        with pytest.raises(NotTurned, match="have not ended: " + run):
            await drop(folder, site_of(folder), 1, None)
        await halt(folder, run, "enough")
        await until(folder, run, is_end)
        await drop(folder, site_of(folder), 1, None)
        await checked(folder, tmp_path / "export")
