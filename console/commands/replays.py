"""`anyteam replay --check`: derive every recorded decision again from the ledger."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from bus.component import connect_as
from bus.connection import disconnect
from bus.consume import CaughtUp, follow
from bus.folder import DataFolder
from console.cast import cast
from console.custody import content_keys
from console.output import JsonFlag, emit
from console.session import DEFAULT_DATA, DataOption
from crypto.trust import Trust
from ledger.export import ExportReader
from ledger.replay import Replayed, replay
from schemas.names import Role


def register(app: typer.Typer) -> None:
    """Add this noun's commands."""
    app.command(name="replay")(replay_command)


def replay_command(
    check: Annotated[bool, typer.Option("--check", help="Derive every decision again.")] = True,
    export: Annotated[
        Path | None, typer.Option(help="Replay this export, not the running installation.")
    ] = None,
    data: DataOption = DEFAULT_DATA,
    json: JsonFlag = False,
) -> None:
    """Derive every recorded decision again, bit for bit; exits 1 where one differs.

    Needs the workspace's key in the data folder: decisions rest on sealed arguments too.
    """
    folder = DataFolder(data)
    if export is not None:
        entries = [(e.index, e.subject, e.body) for e in ExportReader(export).entries()]
        found = derived(folder, entries)
    else:
        found = asyncio.run(replayed(folder))
    text = (
        f"{found.entries} entries; decisions derived again: "
        + (", ".join(f"{n} {kind}" for kind, n in sorted(found.derived.items())) or "none")
        + f"; {sum(found.facts.values())} facts taken as given"
    )
    if found.erased:
        text += f"; {sum(found.erased.values())} rested on content that was erased since"
    for difference in found.differences:
        text += f"\n[red]differs[/] {difference.index} {difference.type}: {difference.what}"
    emit(found, json, text)
    raise typer.Exit(0 if found.ok else 1)


async def replayed(folder: DataFolder) -> Replayed:
    """Replay the ledger of a running installation."""
    client = await connect_as(folder, Role.REP)
    entries: list[tuple[int, str, bytes]] = []
    try:
        stream = follow(
            client, stream="LEDGER", filter_subject=None, consumer="replay", throwaway=True
        )
        async for message in stream:
            if isinstance(message, CaughtUp):
                break
            entries.append((message.index, message.subject, message.body))
    finally:
        await disconnect(client)
    return derived(folder, entries)


def derived(folder: DataFolder, entries: list[tuple[int, str, bytes]]) -> Replayed:
    """Replay `entries` with the keys of a data folder."""
    settings = folder.settings()
    trust = Trust(settings.workspace, folder.root_public())
    return replay(entries, trust, content_keys(folder, settings), cast)
