"""`anyteam passkey …`: which passkeys approve. People enrol them in the console."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from console import passkeys
from console.output import JsonFlag, emit
from console.session import DEFAULT_DATA, DataOption, in_no_run, session
from console.view.passkeys import Passkey
from console.web.shown import moment
from schemas.names import Role

Named = Annotated[str, typer.Argument(help="Its name, or the name's beginning.")]
AdminOption = Annotated[str | None, typer.Option("--as", help="The admin who decides.")]

commands = typer.Typer(no_args_is_help=True, help="Which passkeys approve, and whose they are.")


def register(app: typer.Typer) -> None:
    """Add this noun's commands."""
    app.add_typer(commands, name="passkey")


@commands.command(name="list")
def list_(data: DataOption = DEFAULT_DATA, json: JsonFlag = False) -> None:
    """Every passkey on record, and how it stands."""
    asyncio.run(_list(data, json))


async def _list(data: Path, json: bool) -> None:
    async with session(data, Role.ADMIN, scope=in_no_run, content=False) as opened:
        known = list(passkeys.passkeys_of(opened).known.values())
    if not known and not json:
        emit({}, json, "nobody has enrolled a passkey; that is done in the console, at /passkeys")
    for one in known:
        text = f"{one.name}  {escape(one.person):<16} {one.state:<9} {moment(one.at)} UTC"
        emit(_value(one), json, f"{text}  {escape(one.body.label)}, for {escape(one.body.origin)}")


@commands.command()
def admit(
    name: Named,
    admin: AdminOption = None,
    data: DataOption = DEFAULT_DATA,
    json: JsonFlag = False,
) -> None:
    """Let a passkey approve for the person who enrolled it. Ask them first whether it was they."""
    asyncio.run(_admit(data, name, admin, json))


async def _admit(data: Path, name: str, admin: str | None, json: bool) -> None:
    async with session(data, Role.ADMIN, scope=in_no_run, content=False) as opened:
        one = await passkeys.admit(opened, name, admin)
    emit({"admitted": one.name}, json, f"{one.name} approves for {escape(one.person)} from now on")


@commands.command()
def revoke(
    name: Named,
    reason: Annotated[str, typer.Option(help="Why; it goes on record.")] = "revoked by hand",
    admin: AdminOption = None,
    data: DataOption = DEFAULT_DATA,
    json: JsonFlag = False,
) -> None:
    """Have a passkey approve nothing more, from now on."""
    asyncio.run(_revoke(data, name, reason, admin, json))


async def _revoke(data: Path, name: str, reason: str, admin: str | None, json: bool) -> None:
    async with session(data, Role.ADMIN, scope=in_no_run, content=False) as opened:
        one = await passkeys.revoke(opened, name, reason, admin)
    emit({"revoked": one.name}, json, f"{one.name} approves nothing any more")


def _value(one: Passkey) -> dict[str, object]:
    return {
        "passkey": one.name,
        "person": one.person,
        "state": one.state,
        "label": one.body.label,
        "origin": one.body.origin,
        "enrolled_at": one.at,
        "admitted_by": one.admitted_by,
        "revoked": one.revoked,
    }
