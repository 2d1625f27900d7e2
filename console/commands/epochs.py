"""`anyteam epoch`: the ledger goes on in a new stream, and old ones are archived and dropped."""

import asyncio
from collections.abc import Callable
from typing import Annotated

import typer
from msgspec import Struct
from rich.progress import MofNCompleteColumn, Progress, TextColumn

from bus.archive import LedgerArchive
from bus.blobs import FolderBlobs
from bus.epochs import Turning, epochs_of
from bus.folder import DataFolder
from console.archiving import archive, drop
from console.custody import workspace_kms
from console.epochs import site_of, turn
from console.output import JsonFlag, emit, err
from console.session import DEFAULT_DATA, DataOption

app = typer.Typer(no_args_is_help=True, help="The ledger's epochs, each a stream of its own.")


def register(parent: typer.Typer) -> None:
    """Add this noun's commands."""
    parent.add_typer(app, name="epoch")


@app.command(name="turn")
def turn_command(data: DataOption = DEFAULT_DATA, json: JsonFlag = False) -> None:
    """Close the present epoch and go on in a new stream. Cut off, it is finished by the next try.

    Whoever publishes meanwhile gets no answer for a second or two, and asks again.
    """
    folder = DataFolder(data)

    def step(at: Turning) -> None:
        err.print(f"{at.value}…" if at is not Turning.NOT else "closing the present epoch…")

    with workspace_kms(folder, folder.settings()) as kms:
        opened = asyncio.run(turn(folder, site_of(folder), kms, step))
    emit(opened, json, f"epoch {opened.number} takes the ledger on from entry {opened.first}")


@app.command(name="list")
def list_command(data: DataOption = DEFAULT_DATA, json: JsonFlag = False) -> None:
    """The epochs on the bus and in the archive."""
    folder = DataFolder(data)
    found = asyncio.run(_listed(folder))
    emit(found, json, "\n".join(_in_words(listed) for listed in found))


@app.command(name="archive")
def archive_command(
    epoch: Annotated[int, typer.Argument(help="The closed epoch to archive.", min=1)],
    data: DataOption = DEFAULT_DATA,
    json: JsonFlag = False,
) -> None:
    """Copy a closed epoch to the archive, and verify what lies there from the root key on."""
    folder = DataFolder(data)
    with Progress(TextColumn("verified"), MofNCompleteColumn(), console=err, transient=True) as bar:
        made, report = asyncio.run(archive(folder, site_of(folder), epoch, _shown(bar)))
    words = f"epoch {epoch}, entries {made.first} to {made.last}, is archived"
    if report is None:
        emit({"archived": made, "verified": None}, json, f"{words}, and was before")
        return
    emit({"archived": made, "verified": report.size}, json, f"{words}; {report.size} verified")


@app.command(name="drop")
def drop_command(
    epoch: Annotated[int, typer.Argument(help="The oldest epoch on the bus.", min=1)],
    data: DataOption = DEFAULT_DATA,
    json: JsonFlag = False,
) -> None:
    """Remove an epoch's stream from the bus, once its archive has verified again."""
    folder = DataFolder(data)
    with Progress(TextColumn("verified"), MofNCompleteColumn(), console=err, transient=True) as bar:
        report = asyncio.run(drop(folder, site_of(folder), epoch, _shown(bar)))
    emit(
        {"dropped": epoch, "verified": report.size},
        json,
        f"epoch {epoch} is off the bus; {report.size} entries verified with its archive",
    )


def _shown(bar: Progress) -> Callable[[int], None]:
    task = bar.add_task("verify", total=None)
    return lambda done: bar.update(task, completed=done)


class Listed(Struct, frozen=True):
    """One epoch, wherever it lies. `on_bus` is empty where it was dropped."""

    number: int
    first: int
    last: int
    on_bus: str
    archived: bool


async def _listed(folder: DataFolder) -> list[Listed]:
    workspace = folder.settings().workspace
    store = LedgerArchive(FolderBlobs(folder.archive(workspace)), workspace)
    async with epochs_of(site_of(folder), workspace) as epochs:
        there = await epochs.all()
    found = [Listed(e.number, e.first, e.last, e.taking.value, store.has(e.number)) for e in there]
    for number in range(there[0].number - 1 if there else 0, 0, -1):
        gone = store.epoch(number)
        if gone is not None:
            found.insert(0, Listed(number, gone.first, gone.last, "", True))
    return found


def _in_words(epoch: Listed) -> str:
    holds = f"entries {epoch.first} to {epoch.last}" if epoch.last >= epoch.first else "nothing yet"
    places = [f"on the bus, {epoch.on_bus}"] if epoch.on_bus else []
    places += ["archived"] if epoch.archived else []
    return f"epoch {epoch.number}: {holds}; {', '.join(places)}"
