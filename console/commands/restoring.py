"""`anyteam restore`: a bus that was lost, filled again from an export or the archive."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from bus.folder import DataFolder
from console.errors import NotRestored
from console.output import JsonFlag, emit, err
from console.restoring import archived, restore
from console.session import DEFAULT_DATA, DataOption
from ledger.export import Export, ExportReader


def register(app: typer.Typer) -> None:
    """Add this noun's command."""
    app.command(name="restore")(restore_command)


def restore_command(
    export: Annotated[Path | None, typer.Argument(help="A whole export.")] = None,
    archive: Annotated[
        bool, typer.Option("--archive", help="From the archived epochs in the data folder alone.")
    ] = False,
    data: DataOption = DEFAULT_DATA,
    json: JsonFlag = False,
) -> None:
    """Put a verified ledger back on an empty bus; the data folder has its keys, and is not up."""
    folder = DataFolder(data)
    if (export is None) != archive:
        raise NotRestored("say from what", fix="name an export, or give --archive")
    held: Export = archived(folder) if export is None else ExportReader(export)
    with Progress(console=err, transient=True) as shown:
        task = shown.add_task("restoring", total=held.manifest.size)
        report = asyncio.run(
            restore(
                folder,
                held,
                closed=archive,
                progress=lambda index: shown.update(task, completed=index),
            )
        )
    emit(
        {"entries": report.size, "seals": held.manifest.seals},
        json,
        f"{report.size} entries verified and restored; next: anyteam up --data {data}",
    )
