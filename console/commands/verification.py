"""`anyteam verify`: an export held against the root public key, offline, on every core."""

import os
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

from console.beside import beside_in_words, check_beside, verify_part
from console.output import JsonFlag, emit, err
from crypto.keyfile import ensure_key, read_key, read_public, write_secret
from ledger.checkpoint import NoteKey, origin_of
from ledger.cosignature import MOST_UNWITNESSED, Witnessed, WitnessKey, parse_witness_vkey
from ledger.ended import EndedOnDisk
from ledger.errors import ExportDamaged
from ledger.export import ExportReader
from ledger.resume import Prefix, read_prefix, write_prefix
from ledger.selection.folder import is_selection
from ledger.spread import Spread
from ledger.verify import Report, verify

WORTH_A_PROCESS = 4_000
"""Entries below which another process takes longer to start than it saves."""


def register(app: typer.Typer) -> None:
    """Add this noun's command."""
    app.command(name="verify")(verify_command)


def verify_command(
    export: Annotated[Path, typer.Argument(help="The export's folder.")],
    root: Annotated[Path, typer.Option(help="The root public key, got by another way.")],
    receipt_key: Annotated[
        Path | None, typer.Option(help="The workspace's receipt key, to check HMACs too.")
    ] = None,
    checkpoint: Annotated[Path | None, typer.Option(help="A checkpoint known from before.")] = None,
    cores: Annotated[
        int | None,
        typer.Option(
            min=1, max=256, help="Processes that check signatures; all cores unless given."
        ),
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option(help="Keep in this file what was verified, and go on from there."),
    ] = None,
    witness: Annotated[
        list[str] | None, typer.Option(help="A witness that you trust (vkey); repeatable.")
    ] = None,
    quorum: Annotated[
        int | None, typer.Option(min=1, help="How many of them must have cosigned; all by default.")
    ] = None,
    unwitnessed: Annotated[
        int, typer.Option(min=0, help="How many sealed entries may be without their word.")
    ] = MOST_UNWITNESSED,
    json: JsonFlag = False,
) -> None:
    """Verify an export with nothing but the root public key; exits 1 where anything is wrong."""
    root_key = read_public(root)
    if is_selection(export):
        keys, needed = _asked(witness or [], quorum)
        raise typer.Exit(verify_part(export, root_key, json, keys, needed))
    mac_key = read_key(receipt_key) if receipt_key is not None else None
    known = _text(checkpoint) if checkpoint is not None else None
    reader = ExportReader(export)
    witnessed = _witnessed(reader, witness or [], quorum, unwitnessed)
    memory = _Memory(resume, reader.manifest.workspace, root_key) if resume is not None else None
    prefix = memory.prefix() if memory is not None else None
    bar = Progress(
        TextColumn("verifying"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=err,
        transient=True,
    )
    with ExitStack() as stack:
        spread = stack.enter_context(Spread(_cores(cores, reader), root_key))
        ended = stack.enter_context(closing(EndedOnDisk()))
        stack.enter_context(bar)
        task = bar.add_task("verify", total=reader.manifest.size)
        report = verify(
            reader,
            root_key,
            receipt_key=mac_key,
            checkpoint=known,
            progress=lambda done: bar.update(task, completed=done),
            ahead=spread.ahead,
            prefix=prefix,
            save=memory.save if memory is not None else None,
            witnessed=witnessed,
            ended=ended,
        )
    if prefix is not None and report.resumed < prefix.size:
        err.print("the ledger does not begin as the one verified before; it was verified whole")
    beside = check_beside(export, root_key)
    value = {**msgspec.structs.asdict(report), "beside": beside}
    emit(value, json, f"{in_words(report)}\n{beside_in_words(beside)}".rstrip())
    raise typer.Exit(0 if report.ok and beside.ok else 1)


def in_words(report: Report) -> str:
    """A verification's outcome (rich markup)."""
    if report.ok:
        whole = (
            f"[green]verified[/] {report.size} entries, {report.seals} seals;"
            f" chain head {report.head[:16]}…, root {report.root[:16]}…"
        )
        if not report.witnesses:
            return whole
        names = ", ".join(sorted(vkey.partition("+")[0] for vkey in report.witnesses))
        return f"{whole}\n{report.witnessed} entries have the word of {escape(names)}"
    lines = [f"[red]not verified[/]: {len(report.findings)} findings"]
    for finding in report.findings[:10]:
        lines.append(f"  entry {finding.index}: {finding.kind}: {escape(finding.what)}")
        if finding.by:
            lines.append(f"    [dim]shown by: {escape(finding.by)}[/]")
    return "\n".join(lines)


class _Memory:
    """The file of what was verified, under a key that never leaves the auditor's machine."""

    def __init__(self, path: Path, workspace: str, root_public: bytes) -> None:
        self._path = path
        self._workspace = workspace
        self._root_key = NoteKey(origin_of(workspace), root_public).vkey
        self._key = ensure_key(Path(typer.get_app_dir("anyteam")) / "verified.key")

    def prefix(self) -> Prefix | None:
        """What was verified before, or None. Raises `BadResume`, `ExportDamaged`."""
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ExportDamaged(f"{self._path} cannot be read: {error.strerror}") from error
        return read_prefix(data, self._workspace, self._root_key, self._key)

    def save(self, prefix: Prefix) -> None:
        """Keep it in place of what was kept before."""
        write_secret(self._path, write_prefix(prefix, self._workspace, self._root_key, self._key))


def _witnessed(
    reader: ExportReader, vkeys: list[str], quorum: int | None, lag: int
) -> Witnessed | None:
    """What is asked of witnesses, and the notes of the export that could have their word."""
    keys, needed = _asked(vkeys, quorum)
    if not needed:
        return None
    return Witnessed(reader.cosigned(), keys, needed, lag)


def _asked(vkeys: list[str], quorum: int | None) -> tuple[tuple[WitnessKey, ...], int]:
    """Whose word is asked for, and of how many of them."""
    keys = tuple(dict.fromkeys(parse_witness_vkey(text) for text in vkeys))
    needed = len(keys) if quorum is None else quorum
    if needed > len(keys):
        raise typer.BadParameter(f"{needed} of {len(keys)} witnesses", param_hint="--quorum")
    return keys, needed


def _cores(asked: int | None, reader: ExportReader) -> int:
    if asked is not None:
        return asked
    return (os.cpu_count() or 1) if reader.manifest.size >= WORTH_A_PROCESS else 1


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ExportDamaged(f"checkpoint {path} cannot be read: {error}") from error
