"""`anyteam verify`: check offline what was taken away, and what stands beside it."""

import time
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from bus.component import connect_as
from bus.connection import disconnect
from bus.consume import CaughtUp, follow
from bus.folder import DataFolder
from bus.roles import LEDGER, SEALS
from console.beside import beside_in_words, check_beside, verify_part
from console.output import JsonFlag, emit, err
from crypto.keyfile import read_key, read_public
from ledger.errors import ExportDamaged
from ledger.export import ExportReader, ExportWriter, Manifest
from ledger.selection.folder import is_selection
from ledger.verify import Report, verify
from schemas.names import Role


def register(app: typer.Typer) -> None:
    """Add this noun's commands."""
    app.command(name="verify")(verify_command)


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


def verify_command(
    export: Annotated[Path, typer.Argument(help="The export's folder.")],
    root: Annotated[Path, typer.Option(help="The root public key, got by another way.")],
    receipt_key: Annotated[
        Path | None, typer.Option(help="The workspace's receipt key, to check HMACs too.")
    ] = None,
    checkpoint: Annotated[Path | None, typer.Option(help="A checkpoint known from before.")] = None,
    json: JsonFlag = False,
) -> None:
    """Verify an export with nothing but the root public key; exits 1 where anything is wrong."""
    root_key = read_public(root)
    if is_selection(export):
        raise typer.Exit(verify_part(export, root_key, json))
    mac_key = read_key(receipt_key) if receipt_key is not None else None
    known = _text(checkpoint) if checkpoint is not None else None
    reader = ExportReader(export)
    bar = Progress(
        TextColumn("verifying"), BarColumn(), MofNCompleteColumn(), console=err, transient=True
    )
    with bar:
        task = bar.add_task("verify", total=reader.manifest.size)
        report = verify(
            reader,
            root_key,
            receipt_key=mac_key,
            checkpoint=known,
            progress=lambda done: bar.update(task, completed=done),
        )
    beside = check_beside(export, root_key)
    emit({**msgspec.structs.asdict(report), "beside": beside}, json, in_words(report))
    if not json:
        emit(beside, json, beside_in_words(beside))
    raise typer.Exit(0 if report.ok and beside.ok else 1)


def in_words(report: Report) -> str:
    """A verification's outcome (rich markup)."""
    if report.ok:
        return (
            f"[green]verified[/] {report.size} entries, {report.seals} seals;"
            f" chain head {report.head[:16]}…, root {report.root[:16]}…"
        )
    lines = [f"[red]not verified[/]: {len(report.findings)} findings"]
    for finding in report.findings[:10]:
        lines.append(f"  entry {finding.index}: {finding.kind}: {escape(finding.what)}")
    return "\n".join(lines)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ExportDamaged(f"checkpoint {path} cannot be read: {error}") from error
