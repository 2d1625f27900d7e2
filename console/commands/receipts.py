"""`anyteam receipt …`: what was done and confirmed, to show, take away and verify offline."""

import asyncio
import json as json_
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.markup import escape

from bus.component import connect_as
from bus.connection import disconnect
from bus.consume import CaughtUp, follow
from bus.folder import DataFolder
from bus.roles import LEDGER, SEALS
from console.output import JsonFlag, emit, err
from console.session import DEFAULT_DATA, DataOption
from crypto.keyfile import read_key, read_public, write_secret
from ledger import offline
from ledger.bundle import Issued, Receipts
from ledger.errors import BadReceipt, ExportDamaged, ExportExists
from schemas.actions import ActionOutcome
from schemas.names import SECOND, Role

Which = Annotated[
    str, typer.Argument(metavar="ID", help="An action's or proposal's digest, or its beginning.")
]

commands = typer.Typer(no_args_is_help=True, help="What was done, to take away and verify.")
_COLOURS = {
    ActionOutcome.CONFIRMED: "green",
    ActionOutcome.FAILED: "red",
    ActionOutcome.UNKNOWN: "yellow",
}


def register(app: typer.Typer) -> None:
    """Add this noun's commands."""
    app.add_typer(commands, name="receipt")


@commands.command(name="list")
def list_(
    run: Annotated[str | None, typer.Option("--run", help="Only this run's.")] = None,
    data: DataOption = DEFAULT_DATA,
    json: JsonFlag = False,
) -> None:
    """Every receipt, in the ledger's order."""
    receipts, _ = asyncio.run(_read(DataFolder(data)))
    shown = [one for one in receipts if run is None or one.receipt.run == run]
    if not shown and not json:
        emit({}, json, "no receipts")
    for one in shown:
        receipt = one.receipt
        colour = _COLOURS[receipt.outcome]
        line = (
            f"{receipt.action.hex()[:12]}  {one.index:>6}  {receipt.run:<22} {receipt.tool:<20}"
            f" [{colour}]{receipt.outcome.value}[/]"
        )
        emit(_row(one), json, line)


@commands.command()
def show(which: Which, data: DataOption = DEFAULT_DATA, json: JsonFlag = False) -> None:
    """One receipt, in words."""
    receipts, _ = asyncio.run(_read(DataFolder(data)))
    one = receipts.find(which)
    emit(
        {"index": one.index, "receipt": _plain(msgspec.structs.asdict(one.receipt))},
        json,
        _card(one),
    )


@commands.command()
def export(
    which: Which,
    out: Annotated[Path, typer.Option("--out", help="The new file.")],
    data: DataOption = DEFAULT_DATA,
    json: JsonFlag = False,
) -> None:
    """Take a receipt away: a file, and beside it the program that verifies it offline."""
    receipts, seals = asyncio.run(_read(DataFolder(data)))
    bundle = receipts.bundle(receipts.find(which), seals)
    program = out.with_name("verify_receipt.py")
    _write(out, json_.dumps(bundle, indent=2) + "\n")
    if not program.exists():
        _write(program, Path(offline.__file__).read_text(encoding="utf-8"))
    emit(
        {"receipt": str(out), "program": str(program)},
        json,
        f"wrote {escape(str(out))}; {escape(str(program))} verifies it with the root public key",
    )


@commands.command()
def verify(
    file: Annotated[Path, typer.Argument(help="A file of `anyteam receipt export`.")],
    root: Annotated[Path, typer.Option(help="The root public key, got by another way.")],
    receipt_key: Annotated[
        Path | None, typer.Option(help="The workspace's receipt key, to check the HMAC too.")
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Verify a receipt with nothing but the root public key; exits 1 where anything is wrong."""
    root_key = read_public(root)
    mac_key = read_key(receipt_key) if receipt_key is not None else None
    try:
        bundle = json_.loads(file.read_bytes())
        receipt = offline.verify(bundle, root_key, mac_key)
    except OSError as error:
        raise ExportDamaged(f"{file} cannot be read: {error.strerror}") from error
    except offline.NotProved as problem:
        raise BadReceipt(f"not verified: {problem}", fix="ask for the receipt again") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadReceipt(
            f"not verified: the file is out of form: {error}", fix="ask for the receipt again"
        ) from None
    words = escape(offline.told(receipt, mac_key is not None)).replace(
        "VERIFIED", "[green]VERIFIED[/]", 1
    )
    emit({"ok": True, "receipt": _plain(receipt), "hmac": mac_key is not None}, json, words)


@commands.command()
def key(
    out: Annotated[Path, typer.Option("--out", help="The new file, for its owner alone.")],
    data: DataOption = DEFAULT_DATA,
    json: JsonFlag = False,
) -> None:
    """Copy the workspace's receipt key for its auditor, who checks HMACs with it."""
    folder = DataFolder(data)
    held = read_key(folder.identity(Role.SIDECAR) / "receipts.mac")
    if out.exists():
        raise ExportExists(f"{out} exists", fix="choose a new place")
    write_secret(out, held.hex().encode() + b"\n")
    err.print("[yellow]whoever holds this key can make HMACs too; the signature is what binds[/]")
    emit({"key": str(out)}, json, f"wrote {escape(str(out))}")


async def _read(folder: DataFolder) -> tuple[Receipts, list[str]]:
    """The ledger's receipts and seals, verified as they are read."""
    client = await connect_as(folder, Role.REP)
    receipts, seals = Receipts(folder.settings().workspace, folder.root_public()), list[str]()
    try:
        for stream in (LEDGER, SEALS):
            entries = follow(
                client, stream=stream, filter_subject=None, consumer="export", throwaway=True
            )
            async for message in entries:
                if isinstance(message, CaughtUp):
                    break
                if stream == LEDGER:
                    receipts.fold(message.index, message.subject, message.body)
                else:
                    seals.append(message.body.decode("utf-8", "replace"))
    finally:
        await disconnect(client)
    return receipts, seals


def _row(one: Issued) -> dict[str, Any]:
    return {"index": one.index, "receipt": _plain(msgspec.structs.asdict(one.receipt))}


def _plain(receipt: dict[str, Any]) -> dict[str, Any]:
    """A receipt's fields with digests in hex, as commands take them."""
    return {
        name: value.hex() if isinstance(value, bytes) else value for name, value in receipt.items()
    }


def _card(one: Issued) -> str:
    receipt = one.receipt
    colour = _COLOURS[receipt.outcome]
    at = datetime.fromtimestamp(receipt.at / SECOND, UTC).isoformat(timespec="seconds")
    lines = (
        ("outcome", f"[{colour}]{receipt.outcome.value}[/], {_MEANINGS[receipt.outcome]}"),
        ("who", escape(f"{receipt.rep}, by agent {receipt.agent}")),
        ("for", escape(receipt.intent)),
        ("tool", receipt.tool),
        ("when", at),
        ("run", receipt.run),
        ("action", f"{receipt.action.hex()} (entry {receipt.index})"),
        ("proposal", one.proposal.hex()),
        ("receipt", f"entry {one.index}"),
        ("arguments", f"sha256 {receipt.arguments.hex()}"),
        ("evidence", f"sha256 {receipt.evidence.hex()}"),
        ("key", f"{receipt.key} (the idempotency key at the tool)"),
    )
    return "\n".join(f"[dim]{name:<10}[/] {said}" for name, said in lines)


_MEANINGS = {
    ActionOutcome.CONFIRMED: "read back at the tool",
    ActionOutcome.FAILED: "nothing was done, by the tool's own word",
    ActionOutcome.UNKNOWN: "nobody can say whether it was done: look at the tool",
}


def _write(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise ExportExists(f"{path} exists", fix="choose a new place") from error
    except OSError as error:
        raise ExportExists(f"{path} cannot be written: {error.strerror}", fix="check it") from error
