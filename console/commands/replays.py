"""`anyteam replay`: derive every recorded decision again, or ask what another policy would do."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from bus.component import connect_as
from bus.connection import disconnect
from bus.consume import CaughtUp, follow
from bus.folder import DataFolder
from console.cast import cast
from console.commands.exports import moment
from console.custody import content_keys
from console.declaring import policy_of
from console.errors import NoSuch
from console.output import JsonFlag, emit
from console.session import DEFAULT_DATA, DataOption
from console.sources import Entry, ExportOption, RootOption, source
from crypto.sealing import ContentKeys, NoKeys
from crypto.trust import Trust
from ledger.incident.standing import Changed, changes, standing
from ledger.otherwise import Counterfactual, otherwise
from ledger.replay import Replayed, replay, verified_entries
from schemas.envelope import decode_envelope
from schemas.errors import SchemaError
from schemas.events import decode_event
from schemas.names import Role
from schemas.sections import BadSettings
from schemas.settings import parse_settings
from schemas.tools import Policy


def register(app: typer.Typer) -> None:
    """Add this noun's commands."""
    app.command(name="replay")(replay_command)


def replay_command(
    check: Annotated[bool, typer.Option("--check", help="Derive every decision again.")] = True,
    policy: Annotated[
        Path | None,
        typer.Option(help="Settings with another [policy]: what would have happened?"),
    ] = None,
    run: Annotated[str | None, typer.Option(help="Only this run's decisions.")] = None,
    until: Annotated[
        str | None, typer.Option(help="Only up to this ledger index, or before this time (UTC).")
    ] = None,
    diff: Annotated[
        tuple[str, str] | None,
        typer.Option(help="What changed between two ledger indexes, or times (UTC)."),
    ] = None,
    export: ExportOption = None,
    root: RootOption = None,
    data: DataOption = DEFAULT_DATA,
    json: JsonFlag = False,
) -> None:
    """Derive every recorded decision again, bit for bit; exits 1 where one differs.

    Needs the workspace's key in the data folder, or an export with its content: decisions rest on
    sealed arguments too. With --policy no decision is wrong: those that would differ are listed.
    """
    entries, trust, keys = asyncio.run(_read(data, export, root, content=diff is None))
    if diff is not None:
        changed = _changed(entries, trust, *diff)
        emit({"changes": changed}, json, _changed_in_words(changed))
        return
    if until is not None:
        entries = up_to(entries, until)
    if run is not None and not any(f".run.{run}." in subject for _, subject, _ in entries):
        raise NoSuch(f"no entry is of run {run}", fix="see `anyteam runs`")
    if policy is not None:
        wanted = _policy(policy)
        told = otherwise(entries, trust, keys, cast, wanted, run=run)
        emit(told, json, _otherwise_in_words(told))
        return
    found = replay(entries, trust, keys, cast, run=run)
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


async def _read(
    data: Path, export: Path | None, root: Path | None, *, content: bool
) -> tuple[list[Entry], Trust, ContentKeys]:
    async with source(data, export, root, content=content) as ledger:
        entries = [entry async for entry in ledger.entries()]
        keys = ledger.keys() if content else NoKeys()
        return entries, Trust(ledger.workspace, ledger.root_public), keys


def _changed(entries: list[Entry], trust: Trust, start: str, end: str) -> tuple[Changed, ...]:
    """What stands otherwise at `end` than at `start`."""
    known = list(verified_entries(entries, trust, NoKeys()))
    before, after = (len(up_to(entries, point)) for point in (start, end))
    return changes(standing(known[:before]), standing(known[:after]))


def _changed_in_words(changed: tuple[Changed, ...]) -> str:
    lines = [
        escape(f"{one.area} {one.name}: {_short(one.before)} -> {_short(one.after)}")
        for one in changed
    ]
    return "\n".join(lines) or "nothing changed"


def _short(value: object) -> str:
    text = "(none)" if value is None else str(value)
    return text if len(text) <= 100 else f"{text[:100]}…"


def up_to(entries: list[Entry], until: str) -> list[Entry]:
    """The entries up to an index, or before the first that is dated at or after a time.

    Raises `BadParameter` where it is neither.
    """
    if until.isdecimal():
        return [entry for entry in entries if entry[0] <= int(until)]
    end = moment(until, "--until")
    for place, (_, _, body) in enumerate(entries):
        try:
            at = decode_event(decode_envelope(body).payload).at
        except SchemaError:
            continue
        if at >= end:
            return entries[:place]
    return entries


def _policy(file: Path) -> Policy:
    """The policy that a settings file describes. Raises `BadSettings`."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadSettings(
            f"{file} cannot be read: {error}", fix="give a copy of anyteam.toml, changed"
        ) from error
    return policy_of(parse_settings(text, str(file)), 1, file.parent)


def _otherwise_in_words(told: Counterfactual) -> str:
    lines = [
        f"{told.entries} entries; under that policy {told.same} decisions would be as they were,"
        f" {len(told.differences)} would not"
    ]
    for one in told.differences:
        would = one.would or "nothing yet: it would have waited"
        said = f"layer {one.layer} ({one.name}): {one.reason}" if one.layer else one.reason
        lines.append(
            f"{one.index:>6} {escape(one.run)} {escape(one.tool)} {one.proposal[:12]}"
            f" was {one.was}, would be [bold]{would}[/] {escape(said)}".rstrip()
        )
    return "\n".join(lines)


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
