"""`anyteam key`: which keys are certified; the workspace's own, wrapped anew or sealed."""

import asyncio
import os
from pathlib import Path

import typer
from rich.markup import escape

from bus.folder import DataFolder
from console.custody import new_passphrase, present_passphrase, workspace_kms
from console.errors import NoSuch
from console.inventory import Key, keys_of
from console.output import JsonFlag, emit
from console.session import DEFAULT_DATA, DataOption, in_no_run, session
from console.supervisor import take_lock
from crypto.errors import KmsSetup
from crypto.kms import KeyFiles, change_keyring, rewrap
from schemas.names import Role

app = typer.Typer(
    no_args_is_help=True, help="Who holds which key; the workspace's wrapping key and root."
)


def register(parent: typer.Typer) -> None:
    """Add this noun's commands."""
    parent.add_typer(app, name="key")


@app.command(name="list")
def list_(data: DataOption = DEFAULT_DATA, json: JsonFlag = False) -> None:
    """Every key that the root certified: whose, since which entry, and whether it still counts.

    A run's own keys are in its lease, and end with it.
    """
    for one in asyncio.run(_certified(data)):
        own = one.certificate
        value = {
            "key": own.key_id.hex(),
            "role": own.role,
            "instance": own.instance,
            "index": one.index,
            "revoked": one.revoked,
        }
        state = f"[red]revoked: {escape(one.revoked)}[/]" if one.revoked else "counts"
        who = f"{own.role.value} {escape(own.instance)}"
        emit(value, json, f"{own.key_id.hex()}  {who:<28} entry {one.index:<8} {state}")


async def _certified(data: Path) -> list[Key]:
    async with session(data, Role.ADMIN, scope=in_no_run, content=False) as opened:
        return keys_of(opened.past)


@app.command(name="rewrap")
def wrap_anew(data: DataOption = DEFAULT_DATA, json: JsonFlag = False) -> None:
    """Wrap data key and keyring under a new version of the wrapping key. Nothing has to stop.

    The data key itself stays: what is sealed under it is not sealed anew. Once the older version
    of the wrapping key is gone, no backup of vault/ from before opens, nor what it still held.
    """
    folder = DataFolder(data)
    settings = folder.settings()
    with workspace_kms(folder, settings) as kms:
        done = rewrap(kms, folder.data_key_file(settings.workspace), settings.workspace)
        ring = folder.keyring_file(settings.workspace)
        if ring.exists():
            change_keyring(kms, ring, settings.workspace, lambda same: same)
    rotated = done.before != done.after
    emit(
        {"before": done.before, "after": done.after, "rotated": rotated, "data_key": "unchanged"},
        json,
        f"the data key was wrapped under version {done.before}, and now is under {done.after}"
        if rotated
        else f"wrapped anew under the same version, {done.after}: make a newer one primary first",
    )


@app.command()
def seal(data: DataOption = DEFAULT_DATA, json: JsonFlag = False) -> None:
    """Seal the local key files under a passphrase, or under another one than before.

    The installation must be down: it holds the passphrase it was started with.
    """
    folder = DataFolder(data)
    settings = folder.settings()
    if settings.kms.provider != "local":
        raise KmsSetup(
            f"provider {settings.kms.provider} keeps no key files", fix="there is nothing to seal"
        )
    lock = take_lock(folder)
    try:
        files = KeyFiles(folder.kms, present_passphrase(folder, settings))
        sealed = files.seal_all(settings.workspace, new_passphrase())
    finally:
        os.close(lock)
    if not sealed:
        raise NoSuch(f"there are no key files in {folder.kms}", fix="`anyteam up` makes them")
    advice = "" if settings.kms.passphrase else "; now set kms.passphrase = true in the settings"
    emit({"sealed": sealed}, json, f"sealed {', '.join(sealed)} under the passphrase{advice}")
