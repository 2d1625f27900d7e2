"""`anyteam telemetry`: traces and metrics of the ledger's actions, to OpenTelemetry."""

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bus.consume import CaughtUp
from bus.decider import Recorded
from console.errors import NotSent
from console.output import JsonFlag, emit
from console.session import DEFAULT_DATA, DataOption, session
from console.sources import ExportOption, RootOption, source
from crypto.sealing import NoKeys
from crypto.trust import Trust
from ledger.replay import verified_entries
from ledger.telemetry.fold import Telemetry
from schemas.names import Role

if TYPE_CHECKING:
    from console.sending import Sender


def register(app: typer.Typer) -> None:
    """Add this noun's command."""
    app.command()(telemetry)


def telemetry(
    otlp: Annotated[str | None, typer.Option(help="A collector's OTLP/HTTP endpoint.")] = None,
    file: Annotated[Path | None, typer.Option(help="A new file, JSON lines.")] = None,
    follow: Annotated[bool, typer.Option("--follow", help="Go on with what comes.")] = False,
    export: ExportOption = None,
    root: RootOption = None,
    data: DataOption = DEFAULT_DATA,
    json: JsonFlag = False,
) -> None:
    """Send a trace for each action, and metrics: no content, no person, no reason in words."""
    if (otlp is None) == (file is None):
        raise NotSent("say where it goes", fix="give --otlp http://127.0.0.1:4318 or --file FILE")
    entries = asyncio.run(_run(otlp, file, follow, data, export, root))
    emit({"entries": entries}, json, f"told of {entries} entries")


async def _run(
    otlp: str | None,
    file: Path | None,
    follow: bool,
    data: Path,
    export: Path | None,
    root: Path | None,
) -> int:
    fold, count = Telemetry(), 0
    if export is not None:
        async with source(data, export, root, content=False) as ledger:
            entries = [entry async for entry in ledger.entries()]
            trust = Trust(ledger.workspace, ledger.root_public)
            with _sender(otlp, file, ledger.workspace) as sender:
                for entry in verified_entries(entries, trust, NoKeys()):
                    if isinstance(entry, Recorded):
                        sender.take(fold.observe(entry))
                    count += 1
        return count
    async with session(data, Role.REP, read=False, content=False) as opened:
        with _sender(otlp, file, opened.settings.workspace) as sender:
            async for item in opened.reader.follow():
                if isinstance(item, Recorded):
                    sender.take(fold.observe(item))
                    count += 1
                elif isinstance(item, CaughtUp) and not follow:
                    break
                if follow:
                    sender.flush()
    return count


@contextlib.contextmanager
def _sender(otlp: str | None, file: Path | None, workspace: str) -> Iterator["Sender"]:
    """Where it goes. Raises `NotSent` where the packages for it are missing, or the file is not
    to be made.
    """
    try:
        from console.sending import into, over_otlp
    except ImportError as error:
        raise NotSent(
            f"the package {error.name} is not installed",
            fix='pip install "anyteam-trust[telemetry]"',
        ) from error
    if otlp is not None:
        with over_otlp(otlp, workspace) as sender:
            yield sender
        return
    assert file is not None
    try:
        with file.open("x", encoding="utf-8") as out, into(out, workspace) as sender:
            yield sender
    except FileExistsError as error:
        raise NotSent(f"{file} exists", fix="choose a new place") from error
