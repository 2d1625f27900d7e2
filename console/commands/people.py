"""`anyteam console …`: who may use the web console, and where it is."""

import asyncio
import sys
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from bus.folder import DataFolder
from console import inviting
from console.errors import NoSuch
from console.output import JsonFlag, emit
from console.session import DEFAULT_DATA, DataOption, in_no_run, session
from console.web.mail import dropped
from console.web.store import Store
from crypto.keyfile import write_secret
from schemas.access import AccessRole
from schemas.names import Role, check_name

Address = Annotated[str, typer.Argument(help="Their mail address.")]
AdminOption = Annotated[str | None, typer.Option("--as", help="The admin who decides.")]

commands = typer.Typer(no_args_is_help=True, help="Who may use the web console, and where it is.")


def register(app: typer.Typer) -> None:
    """Add this noun's commands."""
    app.add_typer(commands, name="console")


@commands.command()
def invite(
    address: Address,
    role: Annotated[AccessRole, typer.Option(help="What they may do.")],
    person: Annotated[
        str | None, typer.Option(help="The rep or admin whose key signs for them.")
    ] = None,
    admin: AdminOption = None,
    data: DataOption = DEFAULT_DATA,
    json: JsonFlag = False,
) -> None:
    """Let somebody into the console, in one role; a second invitation changes the role."""
    asyncio.run(_invite(data, address, role, person, admin, json))


async def _invite(
    data: Path, address: str, role: AccessRole, person: str | None, admin: str | None, json: bool
) -> None:
    folder = DataFolder(data)
    url = inviting.console_url(folder)
    async with session(data, Role.ADMIN, scope=in_no_run, content=False) as opened:
        with closing(Store(inviting.store_file(folder))) as store:
            account = await inviting.invite(opened, store, address, role, person, admin)
    value = {"account": account, "role": role.value, "console": url}
    emit(value, json, f"{escape(address)} may sign in at {url} as {role.value}")


@commands.command()
def revoke(
    address: Address,
    reason: Annotated[str, typer.Option(help="Why; it goes on record.")] = "revoked by hand",
    admin: AdminOption = None,
    data: DataOption = DEFAULT_DATA,
    json: JsonFlag = False,
) -> None:
    """Take somebody's access away; their sessions are over at once."""
    asyncio.run(_revoke(data, address, reason, admin, json))


async def _revoke(data: Path, address: str, reason: str, admin: str | None, json: bool) -> None:
    folder = DataFolder(data)
    async with session(data, Role.ADMIN, scope=in_no_run, content=False) as opened:
        with closing(Store(inviting.store_file(folder))) as store:
            account = await inviting.revoke(opened, store, address, reason, admin)
    emit({"account": account}, json, f"{escape(address)} has no access any more")


@commands.command()
def people(data: DataOption = DEFAULT_DATA, json: JsonFlag = False) -> None:
    """Who has access, and in which role."""
    asyncio.run(_people(data, json))


async def _people(data: Path, json: bool) -> None:
    folder = DataFolder(data)
    async with session(data, Role.ADMIN, scope=in_no_run, content=False) as opened:
        grants = inviting.granted(opened)
    with closing(Store(inviting.store_file(folder))) as store:
        addresses = store.addresses()
    for account, grant in grants.items():
        address = addresses.get(account, "")
        value = {
            "account": account,
            "address": address,
            "role": grant.role.value,
            "person": grant.person,
            "revoked": grant.revoked,
        }
        state = f"[red]revoked: {escape(grant.revoked)}[/]" if grant.revoked else grant.role.value
        emit(value, json, f"{escape(address or account):<32} {state}")


@commands.command()
def link(data: DataOption = DEFAULT_DATA, json: JsonFlag = False) -> None:
    """The sign-in links that wait, where no mail server is configured."""
    folder = DataFolder(data)
    console = folder.settings().console
    if console is not None and console.mail is not None:
        raise NoSuch("links travel by mail here", fix="look into the mailbox")
    found = dropped(folder.identity(Role.CONSOLE))
    if not found:
        raise NoSuch(
            "no link waits", fix="ask for one in the browser: each opens in that browser alone"
        )
    for address, url in found:
        emit({"address": address, "link": url}, json, f"{escape(address)}\n  {escape(url)}")


@commands.command()
def secret(
    name: Annotated[str, typer.Argument(help="`mail`, or an OpenID provider's name.")],
    data: DataOption = DEFAULT_DATA,
    json: JsonFlag = False,
) -> None:
    """Keep the console's password or client secret of that name; asked for, or from stdin."""
    check_name(name, "secret")
    folder = DataFolder(data)
    text = (
        str(typer.prompt(name, hide_input=True, err=True))
        if sys.stdin.isatty()
        else sys.stdin.readline().rstrip("\r\n")
    )
    if not text:
        raise NoSuch("standard input holds no secret", fix="give it as one line")
    write_secret(folder.identity(Role.CONSOLE) / f"{name}.secret", text.encode() + b"\n")
    emit({"stored": name}, json, f"stored {name}; restart the installation to use it")
