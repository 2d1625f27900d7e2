"""`anyteam prove`: an entry stands in a ledger, or a ledger only grew, shown by tiles alone."""

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from console.output import JsonFlag, emit
from console.tiles_over_http import http_fetch, new_client
from ledger.chain import leaf_of
from ledger.checkpoint import NoteKey, parse_vkey
from ledger.errors import BadProof, ExportDamaged
from ledger.proof import prove, prove_extends
from ledger.tiles import TILE_WIDTH, Fetch, entry_in, tile_path
from ledger.tiling import folder_fetch


def register(app: typer.Typer) -> None:
    """Add this noun's command."""
    app.command(name="prove")(prove_command)


def prove_command(
    source: Annotated[str, typer.Argument(help="An export's folder, or where it is served.")],
    vkey: Annotated[
        str, typer.Option(help="The seal key: `seal_keys` of `anyteam verify --json`.")
    ],
    index: Annotated[int | None, typer.Option(min=1, help="Prove this entry.")] = None,
    since: Annotated[
        Path | None, typer.Option(help="Prove that the ledger extends this checkpoint.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write the entry's .tlog-proof here.")] = None,
    json: JsonFlag = False,
) -> None:
    """Prove an entry, or that a ledger only grew, reading nothing but tiles and a checkpoint."""
    if (index is None) is (since is None):
        raise typer.BadParameter("give --index or --since")
    key = parse_vkey(vkey)
    with ExitStack() as stack:
        fetch = _fetch(source, stack)
        if index is not None:
            _entry(fetch, index, key, out, json)
        elif since is not None:
            _growth(fetch, since, key, json)


def _entry(fetch: Fetch, index: int, key: NoteKey, out: Path | None, json: bool) -> None:
    proof, leaf = prove(fetch, index - 1, key)
    size = int(proof.note.split("\n")[1])
    shown = _entry_is(fetch, index - 1, size, leaf)
    if out is not None:
        out.write_text(proof.text, encoding="utf-8")
    fields = {"index": index, "size": size, "leaf": leaf, "path": proof.path, "entry": shown}
    words = "its bytes are there too" if shown else "its bytes are in no bundle"
    emit(fields, json, f"[green]proved[/] entry {index} in the sealed tree of {size}; {words}")


def _growth(fetch: Fetch, since: Path, key: NoteKey, json: bool) -> None:
    try:
        earlier = since.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ExportDamaged(f"checkpoint {since} cannot be read: {error}") from error
    before, now = prove_extends(fetch, earlier, key)
    fields = {"before": before.size, "size": now.size, "root": now.root}
    emit(fields, json, f"[green]proved[/] {now.size} entries extend the {before.size} you knew")


def _entry_is(fetch: Fetch, position: int, size: int, leaf: bytes) -> bool:
    """Whether the bundles hold the entry. Raises `BadProof` where they hold another."""
    n, place = divmod(position, TILE_WIDTH)
    path = tile_path("entries", n, min(size - n * TILE_WIDTH, TILE_WIDTH))
    try:
        bundle = fetch(path)
    except BadProof:
        # A bundle with an entry that is too long for one is left out.
        return False
    if leaf_of(entry_in(bundle, place)) != leaf:
        raise BadProof(f"{path}: entry {position + 1} is not the one that is sealed")
    return True


def _fetch(source: str, stack: ExitStack) -> Fetch:
    if source.startswith(("http://", "https://")):
        return http_fetch(source, stack.enter_context(new_client()))
    if not Path(source).is_dir():
        raise BadProof(f"{escape(source)} is no folder", fix="name an export's folder, or its URL")
    return folder_fetch(Path(source))
