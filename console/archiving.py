"""Archiving a closed epoch, and dropping its stream: nothing leaves the bus that is not kept.

An archive counts once it verifies: all archives up to it and the ledger after them, from the root
key on, read back from the blobs. Dropping does all of that again from the archive as it lies there
then, and refuses where it does not hold, where the epoch is not the oldest on the bus, or where a
run that began in it has not ended, since that run's own processes can read the bus alone.
"""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncGenerator, Iterable, Iterator
from pathlib import Path

import msgspec
from msgspec import Struct

from bus.archive import FORMAT, SEGMENT_BYTES, ArchivedEpoch, Entry, LedgerArchive, Segment
from bus.blobs import FolderBlobs
from bus.component import connect_as
from bus.connection import BusClient, disconnect
from bus.consume import CaughtUp, follow
from bus.epochs import Epoch, epochs_of
from bus.folder import DataFolder
from bus.provision import Site
from bus.roles import LEDGER, SEALS
from console.epochs import alone
from console.errors import NotTurned
from ledger.archived import ArchivedExport
from ledger.checkpoint import read_checkpoint
from ledger.errors import BadCheckpoint
from ledger.verify import Progress, Report, verify
from schemas.envelope import decode_envelope
from schemas.errors import SchemaError
from schemas.events import decode_event
from schemas.names import Role
from schemas.runs import RunCompleted, RunHalted, RunRefused, RunRequested

_LENGTH_BYTES = 4
_RUN_LIVES = (".request", ".run")
_ENDS = (RunCompleted, RunHalted, RunRefused)


class Rest(Struct, frozen=True):
    """The ledger after an archive, put by for a while: entries in a file, and seals."""

    file: Path
    seals: tuple[str, ...]

    def entries(self) -> Iterator[Entry]:
        """Every entry in order."""
        with self.file.open("rb") as file:
            while prefix := file.read(_LENGTH_BYTES):
                yield msgspec.msgpack.decode(file.read(int.from_bytes(prefix, "big")), type=Entry)


async def archive(
    folder: DataFolder, site: Site, number: int, progress: Progress | None = None
) -> tuple[ArchivedEpoch, Report | None]:
    """Archive closed epoch `number`; what it is, and how all up to now verified. One that is
    archived already stays as it is, and has no report.

    Raises `NotTurned` where it cannot be, or does not verify, and `ArchiveError`.
    """
    with alone(folder):
        workspace = folder.settings().workspace
        store = LedgerArchive(FolderBlobs(folder.archive(workspace)), workspace)
        known = store.epoch(number)
        if known is not None:
            return known, None
        earlier = _archived(store, number - 1)
        async with epochs_of(site, workspace) as epochs:
            epoch = _closed(await epochs.all(), number)
        client = await connect_as(folder, Role.ROOT)
        try:
            made = await _put_by(client, store, workspace, epoch, earlier)
            report = await _verified(client, folder, store, (*earlier, made), progress)
        finally:
            await disconnect(client)
        store.commit(made)
        return made, report


async def drop(folder: DataFolder, site: Site, number: int, progress: Progress | None) -> Report:
    """Remove the stream of an archived epoch, once the archive has verified again.

    Raises `NotTurned` where it may not go, and `ArchiveError`.
    """
    with alone(folder):
        workspace = folder.settings().workspace
        store = LedgerArchive(FolderBlobs(folder.archive(workspace)), workspace)
        archived = _archived(store, number)
        async with epochs_of(site, workspace) as epochs:
            there = await epochs.all()
            epoch = _closed(there, number)
            if epoch != there[0]:
                raise NotTurned(
                    f"epoch {there[0].number} is older, and still on the bus",
                    fix=f"drop epoch {there[0].number} first",
                )
            if (archived[-1].first, archived[-1].last) != (epoch.first, epoch.last):
                raise NotTurned(
                    f"the archive of epoch {number} holds entries {archived[-1].first} to"
                    f" {archived[-1].last}, its stream {epoch.first} to {epoch.last}",
                    fix="move the archive away, and archive the epoch again",
                )
            client = await connect_as(folder, Role.ROOT)
            try:
                report = await _verified(client, folder, store, archived, progress, epoch.last)
            finally:
                await disconnect(client)
            await epochs.drop(epoch)
            return report


def _archived(store: LedgerArchive, last: int) -> tuple[ArchivedEpoch, ...]:
    found = []
    for number in range(1, last + 1):
        epoch = store.epoch(number)
        if epoch is None:
            raise NotTurned(
                f"epoch {number} is not archived", fix=f"anyteam epoch archive {number}"
            )
        found.append(epoch)
    return tuple(found)


def _closed(there: tuple[Epoch, ...], number: int) -> Epoch:
    epoch = next((epoch for epoch in there if epoch.number == number), None)
    if epoch is None:
        numbers = ", ".join(str(one.number) for one in there)
        raise NotTurned(f"epoch {number} is not on the bus", fix=f"there are {numbers}")
    if not epoch.sealed:
        raise NotTurned(f"epoch {number} is not closed", fix="anyteam epoch turn")
    return epoch


async def _put_by(
    client: BusClient,
    store: LedgerArchive,
    workspace: str,
    epoch: Epoch,
    earlier: tuple[ArchivedEpoch, ...],
) -> ArchivedEpoch:
    """The epoch's entries and seals as blobs; it is no archive before it is committed."""
    segments: list[Segment] = []
    batch: list[Entry] = []
    size = 0
    async for entry in _read(client, LEDGER, epoch.first - 1):
        batch.append(entry)
        size += len(entry[2])
        if size >= SEGMENT_BYTES or entry[0] == epoch.last:
            segments.append(store.put_entries(batch))
            batch, size = [], 0
        if entry[0] == epoch.last:
            break
    notes: list[str] = []
    before = earlier[-1].seals_last if earlier else 0
    async for _, _, body in _read(client, SEALS, before):
        note = body.decode("utf-8", "replace")
        if _size_of(note) > epoch.last:
            break
        notes.append(note)
    return ArchivedEpoch(
        format=FORMAT,
        workspace=workspace,
        epoch=epoch.number,
        first=epoch.first,
        last=epoch.last,
        segments=tuple(segments),
        seals=store.put_seals(notes),
        seals_first=before + 1,
        seals_last=before + len(notes),
    )


async def _verified(
    client: BusClient,
    folder: DataFolder,
    store: LedgerArchive,
    epochs: tuple[ArchivedEpoch, ...],
    progress: Progress | None,
    ended_by: int = 0,
) -> Report:
    """Hold the archives and what the bus has after them against the root key; with `ended_by`, no
    run requested up to that index may still go on. Raises `NotTurned`.
    """
    last = epochs[-1]
    with tempfile.TemporaryDirectory(prefix="anyteam-") as scratch:
        rest = await _rest(client, Path(scratch), last)
        export = ArchivedExport(store, epochs, folder.root_public(), rest.entries, rest.seals)
        report = await asyncio.to_thread(verify, export, folder.root_public(), progress=progress)
        if not report.ok:
            finding = report.findings[0]
            raise NotTurned(
                f"epoch {last.epoch} does not verify: entry {finding.index}: {finding.what}",
                fix="run `anyteam verify` on an export; nothing was dropped",
            )
        if ended_by:
            _refuse_live_runs(export.all(), ended_by)
        return report


async def _rest(client: BusClient, scratch: Path, last: ArchivedEpoch) -> Rest:
    # The seals first: the entries read afterwards go at least as far.
    seals = [
        body.decode("utf-8", "replace")
        async for _, _, body in _read(client, SEALS, last.seals_last)
    ]
    with (scratch / "rest").open("xb") as file:
        async for entry in _read(client, LEDGER, last.last):
            record = msgspec.msgpack.encode(entry)
            file.write(len(record).to_bytes(_LENGTH_BYTES, "big") + record)
    return Rest(scratch / "rest", tuple(seals))


def _refuse_live_runs(entries: Iterable[Entry], ended_by: int) -> None:
    live: set[str] = set()
    for index, subject, body in entries:
        if not subject.endswith(_RUN_LIVES):
            continue
        try:
            event = decode_event(decode_envelope(body).payload)
        except SchemaError:
            continue
        if event.run is not None and isinstance(event.body, RunRequested) and index <= ended_by:
            live.add(event.run)
        elif event.run is not None and isinstance(event.body, _ENDS):
            live.discard(event.run)
    if live:
        names = ", ".join(sorted(live)[:5])
        raise NotTurned(
            f"{len(live)} runs that began by entry {ended_by} have not ended: {names}",
            fix="let them end, or halt them, and drop the epoch then",
        )


async def _read(client: BusClient, stream: str, after: int) -> AsyncGenerator[Entry, None]:
    """What the stream holds after index `after`, up to now."""
    reading = follow(
        client,
        stream=stream,
        filter_subject=None,
        consumer=Role.ROOT.value,
        throwaway=True,
        after=after,
    )
    async with contextlib.aclosing(reading) as messages:
        async for message in messages:
            if isinstance(message, CaughtUp):
                return
            yield message.index, message.subject, message.body


def _size_of(note: str) -> int:
    """What a seal says it covers; 0 of junk."""
    try:
        return read_checkpoint(note).size
    except BadCheckpoint:
        return 0
