"""`anyteam key`: the workspace's own keys, wrapped anew or sealed under a passphrase."""

import typer

from bus.folder import DataFolder
from console.custody import workspace_kms
from console.output import JsonFlag, emit
from console.session import DEFAULT_DATA, DataOption
from crypto.kms import rewrap

app = typer.Typer(no_args_is_help=True, help="The workspace's wrapping key and root.")


def register(parent: typer.Typer) -> None:
    """Add this noun's commands."""
    parent.add_typer(app, name="key")


@app.command(name="rewrap")
def wrap_anew(data: DataOption = DEFAULT_DATA, json: JsonFlag = False) -> None:
    """Wrap the same data key under a new version of the wrapping key. Nothing has to stop.

    The data key itself stays: what is sealed under it is not sealed anew.
    """
    folder = DataFolder(data)
    settings = folder.settings()
    with workspace_kms(folder, settings) as kms:
        done = rewrap(kms, folder.data_key_file(settings.workspace), settings.workspace)
    rotated = done.before != done.after
    emit(
        {"before": done.before, "after": done.after, "rotated": rotated, "data_key": "unchanged"},
        json,
        f"the data key was wrapped under version {done.before}, and now is under {done.after}"
        if rotated
        else f"wrapped anew under the same version, {done.after}: make a newer one primary first",
    )
