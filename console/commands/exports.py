"""`anyteam export`: take the ledger away, whole or in part, for somebody who trusts nobody."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.markup import escape

from bus.folder import DataFolder
from console.author import Pen
from console.errors import NoSuch
from console.output import JsonFlag, emit, err
from console.pens import person_pen
from console.session import DEFAULT_DATA, DataOption
from console.sources import ExportOption, RootOption, source
from console.taking import Taken, Wanted, take
from crypto.errors import KeyFileError
from crypto.sealing import NoKeys
from ledger.parcel import SUFFIX, check_recipients
from ledger.renderings.writing import Rendering
from ledger.selection.criteria import Criteria
from ledger.selection.folder import SelectionManifest
from schemas.names import SECOND, Role

ALL = tuple(Rendering)


def register(app: typer.Typer) -> None:
    """Add this noun's commands."""
    app.command(name="export")(export_command)


def export_command(
    out: Annotated[Path, typer.Argument(help="The new folder, or NAME.tar.age where encrypted.")],
    workspace: Annotated[
        str | None, typer.Option(help="The workspace; an error where it is another's.")
    ] = None,
    run: Annotated[list[str] | None, typer.Option(help="Only this run's entries; repeat.")] = None,
    rep: Annotated[list[str] | None, typer.Option(help="Only this rep's; repeat.")] = None,
    since: Annotated[
        str | None, typer.Option("--from", help="Only from this time on: 2026-11-26T09:00, UTC.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Only before this time.")] = None,
    content: Annotated[
        bool, typer.Option("--content", help="Open what is sealed, into a file beside it.")
    ] = False,
    render: Annotated[
        list[Rendering] | None, typer.Option(help="A rendering beside it; repeat. All by default.")
    ] = None,
    bare: Annotated[
        bool, typer.Option("--bare", help="The signed original alone: no renderings, no page.")
    ] = False,
    signer: Annotated[
        str | None, typer.Option("--as", help="Who signs the parcel; the first admin by default.")
    ] = None,
    unsigned: Annotated[
        bool, typer.Option("--unsigned", help="Nobody signs the parcel; the ledger's own do.")
    ] = False,
    age_recipient: Annotated[
        list[str] | None, typer.Option(help="Encrypt to this age key (age1...); repeat.")
    ] = None,
    export: ExportOption = None,
    root: RootOption = None,
    data: DataOption = DEFAULT_DATA,
    json: JsonFlag = False,
) -> None:
    """Write the ledger, with its seals, into a folder that stands alone.

    With --run, --rep, --from or --until only what is asked for goes, each entry whole and proved
    against a seal. Sealed content stays sealed, unless --content.
    """
    if unsigned and signer is not None:
        raise typer.BadParameter(
            "--as says who signs; give one of the two", param_hint="--unsigned"
        )
    recipients = tuple(age_recipient or ())
    check_recipients(recipients)
    if recipients and not out.name.endswith(SUFFIX):
        out = out.with_name(out.name + SUFFIX)
    criteria = Criteria(
        runs=tuple(run or ()),
        reps=tuple(rep or ()),
        since=moment(since, "--from") if since is not None else None,
        until=moment(until, "--until") if until is not None else None,
    )
    wanted = Wanted(
        criteria=criteria,
        renderings=() if bare else tuple(render) if render else ALL,
        page=not bare,
        signer=_signer(DataFolder(data), signer) if not bare and not unsigned else None,
        recipients=recipients,
    )
    taken = asyncio.run(_export(out, workspace, content, wanted, export, root, data))
    if content and not recipients:
        err.print("[yellow]content.jsonl is in the clear and cannot be erased any more[/]")
    emit(taken, json, _in_words(taken))


async def _export(
    out: Path,
    workspace: str | None,
    content: bool,
    wanted: Wanted,
    export: Path | None,
    root: Path | None,
    data: Path,
) -> Taken:
    async with source(data, export, root, content=content) as found:
        if workspace is not None and workspace != found.workspace:
            raise NoSuch(
                f"this is workspace {found.workspace}, not {workspace}",
                fix="give --data the folder of the other one",
            )
        if content:
            keys = found.keys()
            if isinstance(keys, NoKeys):
                raise KeyFileError(
                    "the content keys are not on this machine",
                    fix="export where the workspace's key is, or without --content",
                )
            wanted = msgspec.structs.replace(wanted, keys=keys)
        return await take(found, out, wanted)


def moment(text: str, what: str) -> int:
    """A time as ns since the epoch; without an offset it is UTC. Raises `BadParameter`."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(
            f"{text!r} is no time: write 2026-11-26 or 2026-11-26T09:00:00", param_hint=what
        ) from error
    at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    whole = int(at.replace(microsecond=0).timestamp())
    if whole < 0:
        raise typer.BadParameter(f"{text!r} is before 1970", param_hint=what)
    return whole * SECOND + at.microsecond * 1_000


def _signer(folder: DataFolder, named: str | None) -> Pen | None:
    """Who signs: the one named, or the first admin whose key is here, or nobody."""
    if named is None and not folder.settings_file.exists():
        return None
    settings = folder.settings()
    for name in [named] if named is not None else settings.admins:
        role = Role.ADMIN if name in settings.admins else Role.REP
        if name not in (*settings.admins, *settings.reps):
            people = ", ".join((*settings.admins, *settings.reps))
            raise NoSuch(f"no rep or admin {name}", fix=f"one of {people}")
        try:
            return person_pen(folder, name, role)
        except KeyFileError:
            if named is not None:
                raise
    return None


def _in_words(taken: Taken) -> str:
    manifest = taken.manifest
    if isinstance(manifest, SelectionManifest):
        what = (
            f"{manifest.chosen} entries of {escape(manifest.asked_for.in_words())}, and"
            f" {manifest.support} that they need, proved in the sealed state of {manifest.size}"
        )
        if manifest.unsealed:
            what += f"; {manifest.unsealed} more are not sealed yet, and left out"
    else:
        what = f"{manifest.size} entries and {manifest.seals} seals"
    lines = [f"exported {what} to {escape(taken.export)}"]
    if taken.opened:
        lines.append(f"{taken.opened} fields are opened in content.jsonl")
    if taken.signed_by:
        lines.append(f"signed by {escape(taken.signed_by)}")
    if taken.recipients:
        lines.append(f"encrypted to {escape(', '.join(taken.recipients))}")
    return "\n".join(lines)
