"""`anyteam witness` and `anyteam cosign`: be a ledger's witness, and ask witnesses."""

from pathlib import Path
from typing import Annotated

import typer
import uvicorn
from rich.markup import escape

from console.asking_witnesses import cosignature_of
from console.listening import listen
from console.output import JsonFlag, emit
from console.tiles_over_http import new_client
from console.witnessing import Witness, app_of
from crypto.keyfile import write_secret
from ledger.checkpoint import parse_vkey
from ledger.cosignature import cosigned_by, parse_witness_vkey
from ledger.errors import NotWitnessed
from ledger.proof import checkpoint_of
from ledger.tiles import CHECKPOINT, TileTree
from ledger.tiling import folder_fetch


def register(app: typer.Typer) -> None:
    """Add this noun's commands."""
    app.command(name="witness")(witness_command)
    app.command(name="cosign")(cosign_command)


def witness_command(
    folder: Annotated[Path, typer.Argument(help="The witness's key and memory; back it up.")],
    name: Annotated[str, typer.Option(help="Its name, as in witness.example.com/w1.")],
    log: Annotated[list[str], typer.Option(help="Seal key (vkey) of a ledger; repeatable.")],
    host: Annotated[str, typer.Option(help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0: the system's choice.")] = 0,
    json: JsonFlag = False,
) -> None:
    """Serve C2SP tlog-witness: cosign checkpoints of these ledgers, never two histories of one."""
    witness = Witness(folder, name, [parse_vkey(text) for text in log])
    # What cannot be read back must not be handed out either.
    parse_witness_vkey(witness.key.vkey)
    with listen(host, port) as listening:
        url = f"http://{host}:{listening.getsockname()[1]}"
        fields = {"url": url, "vkey": witness.key.vkey}
        emit(fields, json, f"witness {escape(witness.key.vkey)} at {url}")
        config = uvicorn.Config(app_of(witness), log_level="warning", access_log=False)
        uvicorn.Server(config).run(sockets=[listening])
    witness.close()


def cosign_command(
    export: Annotated[Path, typer.Argument(help="The export's folder.")],
    vkey: Annotated[
        str, typer.Option(help="The seal key: `seal_keys` of `anyteam verify --json`.")
    ],
    witness: Annotated[
        list[str], typer.Option(help="URL and vkey of a witness: URL=VKEY; repeatable.")
    ],
    json: JsonFlag = False,
) -> None:
    """Have witnesses cosign an export's checkpoint, and keep their cosignatures in it."""
    asked = []
    for one in witness:
        url, separator, text = one.partition("=")
        if not separator:
            raise typer.BadParameter("it reads URL=VKEY", param_hint="--witness")
        asked.append((url, parse_witness_vkey(text)))
    fetch = folder_fetch(export)
    note, sealed = checkpoint_of(fetch, parse_vkey(vkey))
    tree = TileTree(fetch, sealed.size)
    refused: list[str] = []
    with new_client() as client:
        for url, key in asked:
            try:
                note += cosignature_of(client, url, key, note, tree)
            except NotWitnessed as error:
                refused.append(str(error))
                continue
            # One after the other: what a witness gave is not lost to the next one's failure.
            write_secret(export / CHECKPOINT, note.encode())
    given = [key.name for key in cosigned_by(note, [key for _, key in asked])]
    words = f"{sealed.size} entries cosigned by {', '.join(given) or 'nobody'}"
    emit(
        {"size": sealed.size, "cosigned": given, "refused": refused},
        json,
        "\n".join([escape(words), *(f"[red]refused[/] {escape(why)}" for why in refused)]),
    )
    raise typer.Exit(1 if refused else 0)
