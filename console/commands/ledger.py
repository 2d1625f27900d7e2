"""`anyteam export`: take the ledger away."""

import asyncio
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from bus.component import connect_as
from bus.connection import disconnect
from bus.consume import CaughtUp, follow
from bus.folder import DataFolder
from bus.roles import LEDGER, SEALS
from console.output import JsonFlag, emit
from console.session import DEFAULT_DATA, DataOption
from ledger.export import ExportWriter, Manifest
from schemas.names import Role


def register(app: typer.Typer) -> None:
    """Add this noun's command."""
    app.command(name="export")(export_command)


def export_command(
    out: Annotated[Path, typer.Argument(help="The new folder of the export.")],
    data: DataOption = DEFAULT_DATA,
    json: JsonFlag = False,
) -> None:
    """Write the whole ledger, with its seals, into a folder that stands alone."""
    manifest = asyncio.run(export(DataFolder(data), out))
    emit(
        {"export": str(out), "manifest": manifest},
        json,
        f"exported {manifest.size} entries and {manifest.seals} seals to {escape(str(out))}",
    )


async def export(folder: DataFolder, out: Path) -> Manifest:
    """Export a running installation's ledger. Raises `ExportExists`."""
    settings = folder.settings()
    client = await connect_as(folder, Role.REP)
    try:
        with ExportWriter(out, settings.workspace, folder.root_public()) as writer:
            for stream in (SEALS, LEDGER):
                entries = follow(
                    client, stream=stream, filter_subject=None, consumer="export", throwaway=True
                )
                async for message in entries:
                    if isinstance(message, CaughtUp):
                        break
                    if stream == SEALS:
                        writer.add_seal(message.body.decode("utf-8", "replace"))
                    else:
                        writer.add(message.index, message.subject, message.body)
            return writer.finish(time.time_ns())
    finally:
        await disconnect(client)
