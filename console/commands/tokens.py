"""`anyteam tokens …`: tokens of the HTTP API, each for one account, some scopes, and a while."""

import asyncio
import datetime
import time
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from bus.folder import DataFolder
from console import inviting, tokens
from console.output import JsonFlag, emit
from console.session import DEFAULT_DATA, DataOption, in_no_run, session
from console.web.store import Store
from schemas.access import TokenScope
from schemas.names import Role

AdminOption = Annotated[str | None, typer.Option("--as", help="The admin who decides.")]

commands = typer.Typer(no_args_is_help=True, help="Tokens of the HTTP API.")


def register(app: typer.Typer) -> None:
    """Add this noun's commands."""
    app.add_typer(commands, name="tokens")


@commands.command()
def create(
    address: Annotated[str, typer.Argument(help="Whose it is: a mail address that has access.")],
    scope: Annotated[
        list[TokenScope], typer.Option(help="What it is good for, within the role; repeat.")
    ],
    days: Annotated[
        int, typer.Option(help="How long: 365 at most, with --scope approve 7.", min=1)
    ] = 7,
    label: Annotated[str, typer.Option(help="What it is used for; goes on record.")] = "",
    admin: AdminOption = None,
    data: DataOption = DEFAULT_DATA,
    json: JsonFlag = False,
) -> None:
    """Issue a token. It is told once, and kept nowhere."""
    asyncio.run(_create(data, address, tuple(scope), days, label, admin, json))


async def _create(
    data: Path,
    address: str,
    scopes: tuple[TokenScope, ...],
    days: int,
    label: str,
    admin: str | None,
    json: bool,
) -> None:
    folder = DataFolder(data)
    async with session(data, Role.ADMIN, scope=in_no_run, content=False) as opened:
        with closing(Store(inviting.store_file(folder))) as store:
            made = await tokens.issue(opened, store, address, scopes, days, label, admin)
    value = {
        "token": made.token,
        "account": made.account,
        "scopes": [scope.value for scope in scopes],
        "expires": _utc(made.expires),
        "secret": made.secret,
    }
    emit(
        value,
        json,
        f"{made.token} for {escape(address)}, until {_utc(made.expires)}; told this once:\n"
        f"  {made.secret}",
    )


@commands.command(name="list")
def list_(data: DataOption = DEFAULT_DATA, json: JsonFlag = False) -> None:
    """Every token that was issued, and how it stands."""
    asyncio.run(_list(data, json))


async def _list(data: Path, json: bool) -> None:
    folder = DataFolder(data)
    async with session(data, Role.ADMIN, scope=in_no_run, content=False) as opened:
        found = list(tokens.access_of(opened).tokens.values())
    with closing(Store(inviting.store_file(folder))) as store:
        addresses = store.addresses()
    if not found and not json:
        emit({}, json, "there are no tokens; anyteam tokens create ADDRESS --scope read")
    now = time.time_ns()
    for token in found:
        body, state = token.body, tokens.standing(token, now)
        address = addresses.get(body.account, "")
        value = {
            "token": body.token,
            "account": body.account,
            "address": address,
            "label": body.label,
            "scopes": [scope.value for scope in body.scopes],
            "expires": _utc(body.expires),
            "by": token.by,
            "state": state or "good",
        }
        whose = escape(address or body.account)
        scopes = ",".join(scope.value for scope in body.scopes)
        until = f"[red]{escape(state)}[/]" if state else f"until {_utc(body.expires)}"
        emit(value, json, f"{body.token}  {whose:<32} {scopes:<24} {until} {escape(body.label)}")


@commands.command()
def revoke(
    token: Annotated[str, typer.Argument(help="Its name, as in t-0123456789abcdef.")],
    reason: Annotated[str, typer.Option(help="Why; it goes on record.")] = "revoked by hand",
    admin: AdminOption = None,
    data: DataOption = DEFAULT_DATA,
    json: JsonFlag = False,
) -> None:
    """Have a token open nothing more, from now on."""
    asyncio.run(_revoke(data, token, reason, admin, json))


async def _revoke(data: Path, token: str, reason: str, admin: str | None, json: bool) -> None:
    async with session(data, Role.ADMIN, scope=in_no_run, content=False) as opened:
        await tokens.revoke(opened, token, reason, admin)
    emit({"revoked": token}, json, f"{token} opens nothing any more")


def _utc(at: int) -> str:
    return datetime.datetime.fromtimestamp(at / 1e9, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
