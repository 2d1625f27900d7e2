"""`anyteam device …`: the machines on which reps' speech becomes redacted text."""

import asyncio
from typing import Annotated

import typer
from rich.markup import escape

from bus.folder import DataFolder
from console import enrolling
from console.output import JsonFlag, emit
from console.session import DEFAULT_DATA, DataOption

Name = Annotated[str, typer.Argument(help="The device's name, given once and for all.")]

commands = typer.Typer(no_args_is_help=True, help="Reps' machines that send transcripts.")


def register(app: typer.Typer) -> None:
    """Add this noun's commands."""
    app.add_typer(commands, name="device")


@commands.command()
def invite(
    device: Name,
    rep: Annotated[str, typer.Option(help="The rep whose machine it is.")],
    minutes: Annotated[int, typer.Option(help="How long the code is good.", min=1, max=60)] = 10,
    listen: Annotated[
        str, typer.Option(help="The address of this machine at which the device asks.")
    ] = "127.0.0.1",
    data: DataOption = DEFAULT_DATA,
    json: JsonFlag = False,
) -> None:
    """Show a code that is good once, and wait until a device is enrolled with it."""

    def show(code: str) -> None:
        text = f"on the device, within {minutes} minutes:\n  anyteam-desktop enrol {escape(code)}"
        emit({"code": code, "minutes": minutes}, json, text)

    certificate = asyncio.run(
        enrolling.invite(DataFolder(data), device, rep, listen, minutes, show)
    )
    value = {"device": device, "rep": rep, "key": certificate.key_id.hex()}
    emit(value, json, f"enrolled {escape(device)} of {escape(rep)}")


@commands.command(name="list")
def show_all(data: DataOption = DEFAULT_DATA, json: JsonFlag = False) -> None:
    """Which devices were enrolled, and which of them were revoked."""
    for certificate, revoked in asyncio.run(enrolling.devices(DataFolder(data))):
        value = {
            "device": certificate.instance,
            "rep": certificate.rep,
            "key": certificate.key_id.hex(),
            "revoked": revoked,
        }
        state = f"[red]revoked: {escape(revoked)}[/]" if revoked else "enrolled"
        who = f"{certificate.instance} of {certificate.rep}"
        emit(value, json, f"{escape(who):<32} {state}")


@commands.command()
def revoke(
    device: Name,
    reason: Annotated[str, typer.Option(help="Why; it goes on record.")] = "revoked by hand",
    data: DataOption = DEFAULT_DATA,
    json: JsonFlag = False,
) -> None:
    """Take a device off, at once: nothing that its key signs counts from here on."""
    certificate = asyncio.run(enrolling.revoke(DataFolder(data), device, reason))
    value = {"device": device, "key": certificate.key_id.hex(), "revoked": reason}
    emit(value, json, f"{escape(device)} is revoked")
