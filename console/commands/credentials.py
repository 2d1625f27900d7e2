"""`anyteam credential …`: what the sidecar opens tools with. No value is ever an argument."""

import asyncio
import sys
from typing import Annotated

import typer
from rich.markup import escape

from bus.folder import DataFolder
from console.consent import Listener
from console.errors import NoSuch
from console.output import JsonFlag, emit, err
from console.session import DEFAULT_DATA, DataOption
from console.vaults import vault_of
from schemas.connectors import OAuthSettings
from schemas.names import check_name
from schemas.settings import Settings
from sidecar import oauth
from sidecar.errors import ConnectorError
from sidecar.vault import Grant, Secret

NameArgument = Annotated[str, typer.Argument(help="What it opens, as in `crm`.")]
RepOption = Annotated[str | None, typer.Option("--rep", help="The rep whose it is.")]

commands = typer.Typer(no_args_is_help=True, help="What the sidecar opens tools with.")


def register(app: typer.Typer) -> None:
    """Add this noun's commands."""
    app.add_typer(commands, name="credential")


@commands.command()
def add(
    name: NameArgument,
    rep: RepOption = None,
    data: DataOption = DEFAULT_DATA,
    json: JsonFlag = False,
) -> None:
    """Keep a secret, in the place of one of that name. It is asked for, or read from stdin."""
    check_name(name, "credential")
    folder = DataFolder(data)
    _check_rep(folder.settings(), rep)
    vault = vault_of(folder)
    vault.put(name, Secret(asked(f"credential {name}")), rep)
    emit({"stored": name, "rep": rep}, json, f"stored {name}{_of(rep)}; it serves from now on")


@commands.command()
def connect(
    name: Annotated[str, typer.Argument(help="The client, as [oauth.NAME] in the settings.")],
    rep: Annotated[str, typer.Option("--rep", help="The rep who consents.")],
    secret: Annotated[
        bool, typer.Option("--client-secret", help="Ask for the client's secret, too.")
    ] = False,
    wait: Annotated[int, typer.Option(help="Seconds to wait for the consent.", min=1)] = 300,
    data: DataOption = DEFAULT_DATA,
    json: JsonFlag = False,
) -> None:
    """Let a rep consent in their browser (OAuth 2); tokens for single actions come of it."""
    folder = DataFolder(data)
    settings = folder.settings()
    _check_rep(settings, rep)
    client = _client(settings, name)
    client_secret = asked(f"client secret of {name}") if secret else ""
    vault = vault_of(folder)
    with Listener() as listener:
        asking = oauth.ask(client, listener.redirect)
        err.print(f"{rep} consents here:")
        # Not wrapped: a link that is cut at the terminal's width cannot be followed.
        typer.echo(asking.url, err=True)
        answer = listener.answer(wait)
    grant = asyncio.run(oauth.consent(client, asking, answer, client_secret))
    vault.put(name, grant, rep)
    told = {"connected": name, "rep": rep, "scopes": grant.scopes}
    emit(told, json, f"connected {name}{_of(rep)}: {' '.join(grant.scopes)}")


@commands.command(name="list")
def list_(data: DataOption = DEFAULT_DATA, json: JsonFlag = False) -> None:
    """What the vault holds: names, never values."""
    kept = vault_of(DataFolder(data)).kept()
    if not kept and not json:
        emit({}, json, "the vault is empty")
    for one in kept:
        value = {"name": one.name, "kind": one.kind, "rep": one.rep, "scopes": one.scopes}
        words = f"{one.name:<16} {one.kind:<7} {one.rep or '(workspace)':<14}"
        emit(value, json, f"{words} {escape(' '.join(one.scopes))}".rstrip())


@commands.command()
def revoke(
    rep: RepOption = None,
    name: Annotated[str | None, typer.Option("--name", help="Only this one.")] = None,
    data: DataOption = DEFAULT_DATA,
    json: JsonFlag = False,
) -> None:
    """Take a rep's credentials away, and tell the providers; or one of the workspace's."""
    folder = DataFolder(data)
    vault, settings = vault_of(folder), folder.settings()
    if rep is None and name is None:
        raise typer.BadParameter("say whose: --rep REP, or which: --name NAME", param_hint="--rep")
    names = tuple(sorted(vault.held(rep))) if name is None else (name,)
    gone = {one: vault.remove(one, rep) for one in names}
    if not any(gone.values()):
        raise NoSuch(f"the vault has no such credential{_of(rep)}", fix="anyteam credential list")
    told = {one: asyncio.run(_told(settings, one, held)) for one, held in gone.items() if held}
    for one, said in told.items():
        emit({"revoked": one, "rep": rep, "provider": said}, json, f"revoked {one}{_of(rep)}{said}")


def store(folder: DataFolder, name: str, secret: str, rep: str | None = None) -> None:
    """Keep one secret in the workspace's vault."""
    vault_of(folder).put(name, Secret(secret), rep)


async def _told(settings: Settings, name: str, held: Secret | Grant) -> str:
    """What the provider was told, in words."""
    client = settings.oauth.get(name)
    if client is None or not isinstance(held, Grant):
        return ""
    if not client.revoke_url:
        return "; its provider takes no revocations, so end the consent there too"
    try:
        await oauth.revoke(client, held.refresh_token, "refresh_token", held.client_secret)
    except ConnectorError as error:
        return f"; its provider was not told ({error.what}), so end the consent there too"
    return "; its provider was told"


def asked(what: str) -> str:
    """A secret, asked for at the terminal, or the first line of standard input."""
    if sys.stdin.isatty():
        return str(typer.prompt(what, hide_input=True))
    return sys.stdin.readline().rstrip("\r\n")


def _client(settings: Settings, name: str) -> OAuthSettings:
    client = settings.oauth.get(name)
    if client is None:
        raise NoSuch(f"no OAuth client {name}", fix=f"add [oauth.{name}] to the settings")
    return client


def _check_rep(settings: Settings, rep: str | None) -> None:
    if rep is not None and rep not in settings.reps:
        raise NoSuch(f"no rep {rep}", fix=f"one of {', '.join(settings.reps)}")


def _of(rep: str | None) -> str:
    return f" of {rep}" if rep is not None else ""
