"""`anyteam webhook …`: endpoints that the ledger's events are posted to."""

import asyncio
import datetime
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from msgspec import Struct
from rich.markup import escape

from bus.folder import DataFolder
from console.errors import NotUp
from console.output import JsonFlag, emit
from console.session import DEFAULT_DATA, DataOption
from crypto.keyfile import ensure_key
from projections.webhooks.administration import (
    add_endpoint,
    replay_dead,
    replay_from,
    rotate_secret,
    try_out,
)
from projections.webhooks.endpoint import Kept, TlsChoice
from projections.webhooks.filters import filter_of
from projections.webhooks.progress import Answered, Status, in_words, paused, resumed
from projections.webhooks.store import Store
from schemas.names import Classification
from schemas.sections import BadSettings
from schemas.settings import WebhookSettings

NameArgument = Annotated[str, typer.Argument(help="The endpoint's name.")]

_SHOWN = {Status.ACTIVE: "green", Status.PAUSED: "yellow", Status.DISABLED: "bold red"}

commands = typer.Typer(no_args_is_help=True, help="Endpoints that events are posted to.")


def register(app: typer.Typer) -> None:
    """Add this noun's commands."""
    app.add_typer(commands, name="webhook")


class Desk(Struct, frozen=True):
    """What a command works with."""

    workspace: str
    settings: WebhookSettings
    store: Store
    key: bytes


@commands.command()
def add(
    name: NameArgument,
    url: Annotated[str, typer.Argument(help="Where to post, as in https://example.com/hook.")],
    types: Annotated[
        list[str] | None, typer.Option("--type", help="Only these events, as in run.*.")
    ] = None,
    runs: Annotated[list[str] | None, typer.Option("--run", help="Only of these runs.")] = None,
    ceiling: Annotated[
        Classification, typer.Option(help="Of events above this, the body is not told.")
    ] = Classification.INTERNAL,
    start: Annotated[
        int | None, typer.Option("--from", help="From this ledger index on; else from now.", min=1)
    ] = None,
    roots: Annotated[Path | None, typer.Option("--ca", help="PEM file of roots to trust.")] = None,
    certificate: Annotated[
        Path | None, typer.Option("--client-cert", help="PEM file, for mutual TLS.")
    ] = None,
    key: Annotated[Path | None, typer.Option("--client-key", help="Its key, PEM.")] = None,
    secret: Annotated[
        bool, typer.Option("--secret-stdin", help="Read the secret from standard input.")
    ] = False,
    data: DataOption = DEFAULT_DATA,
    json: JsonFlag = False,
) -> None:
    """Add an endpoint. Its signing secret is printed, once."""
    given = sys.stdin.readline().strip() if secret else ""
    chosen = filter_of(tuple(types or ()), tuple(runs or ()), ceiling)
    tls = TlsChoice(roots=_path(roots), certificate=_path(certificate), key=_path(key))
    with _desk(data) as desk:
        told = add_endpoint(
            desk.store,
            desk.key,
            desk.workspace,
            desk.settings,
            name=name,
            url=url,
            chosen=chosen,
            tls=tls,
            start=start,
            secret=given,
            now=time.time_ns(),
        )
    since = "from now on" if start is None else f"from ledger index {start} on"
    shown = {"added": name, "url": url} | ({} if given else {"secret": told})
    words = f"added {name}: events are posted {since}"
    if not given:
        words += f"\nits secret, told this once: {told}"
    emit(shown, json, words)


@commands.command(name="list")
def list_(data: DataOption = DEFAULT_DATA, json: JsonFlag = False) -> None:
    """The endpoints, and how far each has come."""
    with _desk(data) as desk:
        kept = [(one, len(desk.store.dead(one.endpoint.name))) for one in desk.store.endpoints()]
    if not kept and not json:
        emit({}, json, "there are no endpoints; anyteam webhook add NAME URL")
    for one, dead in kept:
        emit(_told(one, dead), json, _line(one, dead))


@commands.command()
def rotate(
    name: NameArgument,
    overlap: Annotated[
        int, typer.Option(help="Hours that the old secret signs beside it.", min=0, max=720)
    ] = 24,
    data: DataOption = DEFAULT_DATA,
    json: JsonFlag = False,
) -> None:
    """Make a new signing secret. It is printed, once."""
    with _desk(data) as desk:
        told = rotate_secret(
            desk.store,
            desk.key,
            desk.workspace,
            name,
            overlap_s=overlap * 3_600,
            now=time.time_ns(),
        )
    words = f"{name} has a new secret, told this once: {told}\nthe old one signs for {overlap} h"
    emit({"rotated": name, "secret": told, "overlap_h": overlap}, json, words)


@commands.command()
def pause(name: NameArgument, data: DataOption = DEFAULT_DATA, json: JsonFlag = False) -> None:
    """Post nothing to an endpoint until it is resumed; nothing is lost."""
    with _desk(data) as desk:
        kept = desk.store.change(name, paused)
    emit({"name": name, "status": kept.progress.status.value}, json, _line(kept, None))


@commands.command()
def resume(name: NameArgument, data: DataOption = DEFAULT_DATA, json: JsonFlag = False) -> None:
    """Post to an endpoint at once, from where it stands: was it paused, disabled or waiting."""
    with _desk(data) as desk:
        kept = desk.store.change(name, resumed)
    emit({"name": name, "status": kept.progress.status.value}, json, _line(kept, None))


@commands.command(name="test")
def test_(name: NameArgument, data: DataOption = DEFAULT_DATA, json: JsonFlag = False) -> None:
    """Post one signed test message, now and from here."""
    with _desk(data) as desk:
        kept = desk.store.get(name)
        result = asyncio.run(try_out(kept, desk.key, desk.workspace, desk.settings, time.time_ns()))
    good = isinstance(result, Answered) and 200 <= result.status < 300
    emit({"name": name, "ok": good, "result": in_words(result)}, json, escape(in_words(result)))
    if not good:
        raise typer.Exit(1)


@commands.command()
def deliveries(
    name: NameArgument,
    limit: Annotated[int, typer.Option(help="How many, the newest.", min=1, max=10_000)] = 20,
    data: DataOption = DEFAULT_DATA,
    json: JsonFlag = False,
) -> None:
    """The delivery log: each attempt, the newest first."""
    with _desk(data) as desk:
        attempts = desk.store.attempts(name, limit)
    for one in attempts:
        words = (
            f"{_time(one.at)} #{one.index:<7} {one.type:<20} attempt {one.number:<3}"
            f" {one.outcome.value:<9} {one.took_ms:>6} ms  {escape(one.detail)}"
        )
        emit(one, json, words)


@commands.command()
def dead(name: NameArgument, data: DataOption = DEFAULT_DATA, json: JsonFlag = False) -> None:
    """The dead letters: messages that the receiver would not take."""
    with _desk(data) as desk:
        letters = desk.store.dead(name)
    if not letters and not json:
        emit({}, json, "no dead letters")
    for one in letters:
        words = (
            f"{_time(one.at)} #{one.index:<7} {one.type:<20} {one.attempts} attempts"
            f"  {escape(one.reason)}"
        )
        emit(one, json, words)


@commands.command()
def replay(
    name: NameArgument,
    start: Annotated[
        int | None, typer.Option("--from", help="Everything from this ledger index on.")
    ] = None,
    letters: Annotated[bool, typer.Option("--dead", help="The dead letters.")] = False,
    indexes: Annotated[
        list[int] | None, typer.Option("--index", help="Of these, only this one; repeatable.")
    ] = None,
    data: DataOption = DEFAULT_DATA,
    json: JsonFlag = False,
) -> None:
    """Post again: all from a ledger index on, or dead letters."""
    if (start is None) is not letters or (indexes and not letters):
        raise typer.BadParameter(
            "say what: --from INDEX, or --dead (perhaps with --index)", param_hint="--from"
        )
    with _desk(data) as desk:
        if start is not None:
            replay_from(desk.store, name, start)
            emit({"name": name, "from": start}, json, f"{name} is posted all from {start} on")
            return
        again = replay_dead(desk.store, name, indexes or ())
    emit({"name": name, "dead": again}, json, f"{name} is posted {len(again)} dead letters again")


@commands.command()
def remove(name: NameArgument, data: DataOption = DEFAULT_DATA, json: JsonFlag = False) -> None:
    """Forget an endpoint, its log and its dead letters."""
    with _desk(data) as desk:
        desk.store.remove(name)
    emit({"removed": name}, json, f"removed {name}")


@contextmanager
def _desk(data: Path) -> Iterator[Desk]:
    folder = DataFolder(data)
    settings = folder.settings()
    if settings.webhooks is None:
        raise BadSettings(
            f"{folder.settings_file} has no section [webhooks], so nothing is posted",
            fix="add it, and start the installation anew; see docs/webhooks.md",
        )
    if not folder.root_public_file.exists():
        raise NotUp(f"{data} was never up", fix=f"anyteam up --data {data}")
    store = Store(folder.webhook_file, settings.workspace)
    try:
        key = ensure_key(folder.webhook_key_file)
        yield Desk(settings.workspace, settings.webhooks, store, key)
    finally:
        store.close()


def _told(kept: Kept, dead: int) -> dict[str, Any]:
    endpoint, progress = kept.endpoint, kept.progress
    return {
        "name": endpoint.name,
        "url": endpoint.url,
        "status": progress.status.value,
        "reason": progress.reason,
        "after": progress.after,
        "failures": progress.trouble.failures if progress.trouble else 0,
        "trouble": progress.trouble.reason if progress.trouble else "",
        "dead": dead,
        "types": endpoint.filter.types,
        "runs": endpoint.filter.runs,
        "ceiling": endpoint.filter.ceiling.value,
    }


def _line(kept: Kept, dead: int | None) -> str:
    progress = kept.progress
    at = f"has all up to {progress.after}" if progress.after is not None else "begins now"
    words = (
        f"{kept.endpoint.name:<16} [{_SHOWN[progress.status]}]{progress.status.value:<8}[/] {at}"
    )
    if dead:
        words += f", [red]{dead} dead letters[/]"
    if progress.trouble is not None:
        trouble = progress.trouble
        words += (
            f", [yellow]{trouble.failures} failures: {escape(trouble.reason)};"
            f" next attempt {_time(trouble.next_at)}[/]"
        )
    if progress.reason:
        words += f": {escape(progress.reason)}"
    return f"{words}  [dim]{escape(kept.endpoint.url)}[/]"


def _time(at: int) -> str:
    moment = datetime.datetime.fromtimestamp(at / 1e9, datetime.UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def _path(path: Path | None) -> str:
    return str(path.absolute()) if path is not None else ""
