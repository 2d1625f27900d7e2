"""`anyteam blast`: everything downstream of a credential, destination, claim or document."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from bus.decider import Recorded
from console.output import JsonFlag, emit
from console.session import DEFAULT_DATA, DataOption
from console.sources import ExportOption, RootOption, source
from crypto.trust import Trust
from ledger.incident.blast import Blast, How, blast, texts
from ledger.replay import verified_entries
from schemas.actions import ActionFinished, ActionStarted, ObservationRecorded

_COLOURS = {How.SEED: "bold", How.CAUSED: "red", How.RECALLED: "yellow", How.EXPOSED: "dim"}


def register(app: typer.Typer) -> None:
    """Add this noun's command."""
    app.command(name="blast")(blast_command)


def blast_command(
    credential: Annotated[
        str | None, typer.Option(help="A credential, by the name of its connector: crm, mail.")
    ] = None,
    destination: Annotated[
        str | None, typer.Option(help="An address or a domain, wherever it stands.")
    ] = None,
    claim: Annotated[str | None, typer.Option(help="A claim of the memory: m-...")] = None,
    document: Annotated[
        str | None, typer.Option(help="A document's name, path or id, or a source of reading.")
    ] = None,
    export: ExportOption = None,
    root: RootOption = None,
    data: DataOption = DEFAULT_DATA,
    json: JsonFlag = False,
) -> None:
    """What a credential, destination, claim or document reached: its blast radius.

    `caused` follows digests and is exact. `exposed` is what a run proposed after it had read
    something that was reached: it may have been steered, or not. Nothing sealed is printed.
    """
    given = [one for one in (credential, destination, claim, document) if one]
    if len(given) != 1:
        raise typer.BadParameter("name one: --credential, --destination, --claim or --document")
    seed = _uses(credential) if credential else _says(given[0])
    found = asyncio.run(_blast(seed, data, export, root))
    emit(found, json, _in_words(found))


async def _blast(
    seed: Callable[[Recorded], bool], data: Path, export: Path | None, root: Path | None
) -> Blast:
    async with source(data, export, root, content=True) as ledger:
        entries = [entry async for entry in ledger.entries()]
        trust = Trust(ledger.workspace, ledger.root_public)
        return blast(verified_entries(entries, trust, ledger.keys()), seed)


def _uses(credential: str) -> Callable[[Recorded], bool]:
    """Actions begun by a tool of that connector: each was done with its credential."""
    return lambda entry: (
        isinstance(entry.event.body, ActionStarted)
        and entry.event.body.tool.startswith(f"{credential}.")
    )


def _says(text: str) -> Callable[[Recorded], bool]:
    """What a run read or did that names it; a policy that allows it is no use of it."""
    wanted = text.casefold()
    kinds = ("proposal.", "observation.", "action.", "memory.", "destination.", "receipt.")

    def says(entry: Recorded) -> bool:
        read = isinstance(entry.event.body, ObservationRecorded | ActionFinished)
        if not read and not entry.event.type.startswith(kinds):
            return False
        return any(wanted in said.casefold() for said in texts(entry))

    return says


def _in_words(found: Blast) -> str:
    counts = {how: sum(one.how is how for one in found.reached) for how in How}
    lines = [
        f"{len(found.reached)} of {found.entries} entries in {len(found.runs)} runs: "
        + ", ".join(f"{count} {how.value}" for how, count in counts.items())
    ]
    if found.sealed:
        lines.append(f"[yellow]{found.sealed} fields stayed sealed, and were not searched[/]")
    for one in found.reached:
        by = f"by {one.by}" if one.by else ""
        lines.append(
            f"{one.index:>6} {escape(one.run or 'workspace'):<22} {one.type:<20}"
            f" [{_COLOURS[one.how]}]{one.how.value}[/] {by}".rstrip()
        )
    return "\n".join(lines)
