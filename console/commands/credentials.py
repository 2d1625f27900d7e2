"""`anyteam credential add`: give the sidecar a credential, by prompt or standard input."""

import sys
from typing import Annotated

import typer

from bus.folder import DataFolder
from console.custody import workspace_kms
from console.output import JsonFlag, emit
from console.session import DEFAULT_DATA, DataOption
from crypto.kms import ensure_data_key
from schemas.names import check_name
from sidecar.vault import open_vault, seal_vault


def register(app: typer.Typer) -> None:
    """Add this noun's commands."""
    app.command(name="credential")(credential)


def credential(
    name: Annotated[str, typer.Argument(help="What it opens, as in `crm`.")],
    data: DataOption = DEFAULT_DATA,
    json: JsonFlag = False,
) -> None:
    """Store a credential in the vault; asks for it, or reads standard input. Never an argument."""
    check_name(name, "credential")
    secret = (
        typer.prompt(f"credential {name}", hide_input=True)
        if sys.stdin.isatty()
        else sys.stdin.readline().rstrip("\n")
    )
    store(DataFolder(data), name, secret)
    emit({"stored": name}, json, f"stored {name}; it takes effect when the sidecar starts")


def store(folder: DataFolder, name: str, secret: str) -> None:
    """Seal one credential into the workspace's vault."""
    settings = folder.settings()
    workspace = settings.workspace
    with workspace_kms(folder, settings) as kms:
        kms.create(workspace)
        key = ensure_data_key(kms, folder.data_key_file(workspace), workspace)
    vault = folder.vault_file(workspace)
    held = open_vault(vault, key, workspace) if vault.exists() else None
    kept = {other: held.get(other) for other in held.names()} if held is not None else {}
    seal_vault(vault, key, workspace, {**kept, name: secret})
