"""Taking a ledger away: the signed original, whole or in part, and what goes beside it.

The folder appears under its name only when all of it is there. A selection is made in two passes
over the source: one chooses and builds the proofs' tree, the other writes.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec import Struct

from console.author import Pen
from console.sources import Entry, Source
from console.sources import source as source_of
from crypto.errors import Rejected
from crypto.sealing import ContentKeys
from crypto.trust import Trust
from ledger.chain import leaf_of
from ledger.disclosure import FILE, disclosed, written
from ledger.errors import NothingSelected
from ledger.export import ExportReader, ExportWriter, Manifest
from ledger.page import page
from ledger.parcel import FILES, SIGNATURE, FilesSignature, NewFolder, list_files, signed_message
from ledger.renderings.line import Invalid, line_of
from ledger.renderings.writing import Rendering, Renderings
from ledger.selection.choosing import Choosing, Plan
from ledger.selection.criteria import Criteria
from ledger.selection.folder import (
    SelectedEntry,
    SelectionManifest,
    SelectionReader,
    SelectionWriter,
)

PAGE = "index.html"


class Wanted(Struct, frozen=True, kw_only=True):
    """What is to be taken away. `keys` open content, None to leave it sealed."""

    criteria: Criteria = Criteria()
    keys: ContentKeys | None = None
    renderings: tuple[Rendering, ...] = ()
    page: bool = True
    signer: Pen | None = None
    recipients: tuple[str, ...] = ()


class Taken(Struct, frozen=True, kw_only=True):
    """What was taken away; JSON-able. `opened` counts content fields."""

    export: str
    manifest: Manifest | SelectionManifest
    opened: int
    renderings: tuple[Rendering, ...]
    signed_by: str
    recipients: tuple[str, ...]


async def take_whole(data: Path, out: Path) -> Manifest:
    """Export the whole ledger of a running installation, and nothing beside it.

    Raises `ExportExists`, or a `BusError` where the installation is not up.
    """
    async with source_of(data, None, None, content=False) as source:
        return await _whole(source, out)


async def take(source: Source, out: Path, wanted: Wanted) -> Taken:
    """Export `source` to `out`. Raises `ExportExists`, `NothingSelected` or `BadRecipient`."""
    with NewFolder(out) as new:
        if wanted.criteria.everything:
            manifest: Manifest | SelectionManifest = await _whole(source, new.folder)
        else:
            manifest = await _part(source, new.folder, wanted.criteria)
        opened = await _beside(source, new.folder, wanted, manifest)
        if wanted.page:
            (new.folder / PAGE).write_text(page(), encoding="utf-8")
        if wanted.signer is not None:
            _sign(new.folder, wanted.signer)
        if wanted.recipients:
            new.place_encrypted(wanted.recipients)
        else:
            new.place()
    return Taken(
        export=str(out),
        manifest=manifest,
        opened=opened,
        renderings=wanted.renderings,
        signed_by=wanted.signer.actor.instance if wanted.signer is not None else "",
        recipients=wanted.recipients,
    )


async def _whole(source: Source, folder: Path) -> Manifest:
    with ExportWriter(folder, source.workspace, source.root_public) as writer:
        # First, so that what they cover is among the entries read after.
        writer.add_cosigned(source.cosigned())
        async for note in source.seals():
            writer.add_seal(note)
        async for index, subject, body in source.entries():
            writer.add(index, subject, body)
        return writer.finish(time.time_ns())


async def _part(source: Source, folder: Path, criteria: Criteria) -> SelectionManifest:
    cosigned = source.cosigned()
    choosing = Choosing(source.workspace, source.root_public, criteria)
    async for index, subject, body in source.entries():
        choosing.fold(index, subject, body)
    plan = _planned(choosing, [note async for note in source.seals()], cosigned)
    with SelectionWriter(folder, source.workspace, source.root_public) as writer:
        async for index, subject, body in source.entries():
            part = plan.parts.get(index)
            if part is not None:
                path = choosing.path(index, plan.size)
                writer.add(SelectedEntry(index, part, subject, body, path))
        return writer.finish(criteria, plan, time.time_ns())


def _planned(choosing: Choosing, seals: list[str], cosigned: tuple[str, ...]) -> Plan:
    """What goes, under the newest seal, or a cosigned one where that leaves nothing out."""
    newest = choosing.plan(seals)
    try:
        witnessed = choosing.plan(cosigned)
    except NothingSelected:
        return newest
    return witnessed if witnessed.unsealed == newest.unsealed else newest


async def _beside(
    source: Source, folder: Path, wanted: Wanted, manifest: Manifest | SelectionManifest
) -> int:
    """Renderings and opened content of what was written; how many fields were opened."""
    if not wanted.renderings and wanted.keys is None:
        return 0
    partial = isinstance(manifest, SelectionManifest)
    trust = Trust(source.workspace, source.root_public, partial=partial)
    opened = 0
    with (
        Renderings(folder, wanted.renderings, source.workspace) as renderings,
        (folder / FILE).open("xb") as content,
    ):
        for index, subject, body in _written(folder, partial):
            try:
                verified = trust.accept(subject, body)
            except Rejected as error:
                leaf = leaf_of(body).hex()
                reason = error.reason
                renderings.add(Invalid(index=index, subject=subject, leaf=leaf, reason=reason))
                continue
            renderings.add(line_of(index, subject, body, verified))
            if wanted.keys is None:
                continue
            wanted.keys.learn(verified.event)
            for field in disclosed(index, verified.event, wanted.keys):
                content.write(written(field))
                opened += 1
    if wanted.keys is None:
        (folder / FILE).unlink()
    return opened


def _written(folder: Path, partial: bool) -> Iterator[Entry]:
    """The entries of the folder just written: what stands beside it is made from it."""
    reader = SelectionReader(folder) if partial else ExportReader(folder)
    for entry in reader.entries():
        yield entry.index, entry.subject, entry.body


def _sign(folder: Path, signer: Pen) -> None:
    """List every file, and sign the list."""
    files = list_files(folder)
    said = FilesSignature(
        role=signer.actor.role,
        name=signer.actor.instance,
        key_id=signer.key_id,
        signature=signer.sign(signed_message(files)),
    )
    (folder / FILES).write_bytes(files)
    text = msgspec.json.format(msgspec.json.encode(said)) + b"\n"
    (folder / SIGNATURE).write_bytes(text)
