"""The whole ledger of a running installation as an export, for those who need no more."""

import time
from pathlib import Path

from bus.component import connect_as
from bus.connection import disconnect
from bus.consume import CaughtUp, follow
from bus.folder import DataFolder
from bus.roles import LEDGER, SEALS
from ledger.export import ExportWriter, Manifest
from schemas.names import Role


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
