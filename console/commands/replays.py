"""`anyteam replay --check`: derive every recorded decision again from the ledger."""

import asyncio
from typing import Annotated

import typer

from bus.component import connect_as
from bus.consume import CaughtUp, follow
from bus.folder import DataFolder
from console.cast import cast
from console.output import JsonFlag, emit
from console.session import DEFAULT_DATA, DataOption, content_keys
from crypto.trust import Trust
from ledger.replay import Replayed, replay
from schemas.names import Role


def register(app: typer.Typer) -> None:
    """Add this noun's commands."""
    app.command(name="replay")(replay_command)


def replay_command(
    check: Annotated[bool, typer.Option("--check", help="Derive every decision again.")] = True,
    data: DataOption = DEFAULT_DATA,
    json: JsonFlag = False,
) -> None:
    """Derive every recorded decision again, bit for bit; exits 1 where one differs.

    Needs the workspace's key on this machine: decisions rest on sealed arguments too.
    """
    found = asyncio.run(replayed(DataFolder(data)))
    text = (
        f"{found.entries} entries; decisions derived again: "
        + (", ".join(f"{n} {kind}" for kind, n in sorted(found.derived.items())) or "none")
        + f"; {sum(found.facts.values())} facts taken as given"
    )
    for difference in found.differences:
        text += f"\n[red]differs[/] {difference.index} {difference.type}: {difference.what}"
    emit(found, json, text)
    raise typer.Exit(0 if found.ok else 1)


async def replayed(folder: DataFolder) -> Replayed:
    """Replay the ledger of a running installation."""
    settings = folder.settings()
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
        await client.close()
    workspace = settings.workspace
    trust = Trust(workspace, folder.root_public())
    return replay(entries, trust, content_keys(folder, workspace), cast)
