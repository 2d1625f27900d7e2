"""The `anyteam-desktop` command: prepare a model, and turn speech into redacted text.

Exit codes: 0 done, 1 it failed, 2 bad usage or bad input.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.markup import escape

from desktop_agent.capture.messages import Ended, Order, Ready, Said, Segment
from desktop_agent.capturing import Capture, opened, start_capture
from desktop_agent.home import found, settings_in, token_key_in
from desktop_agent.model.prepare import check_model, prepare, weights_folder
from schemas.errors import AnyTeamError

_out = Console(highlight=False, soft_wrap=True)
_err = Console(stderr=True, highlight=False, soft_wrap=True)

app = typer.Typer(name="anyteam-desktop", no_args_is_help=True, pretty_exceptions_enable=False)
model_app = typer.Typer(no_args_is_help=True)
app.add_typer(model_app, name="model", help="The speech model on this machine.")

Home = Annotated[
    Path,
    typer.Option("--home", envvar="ANYTEAM_DESKTOP", help="The agent's folder on this machine."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]
DEFAULT_HOME = Path(os.path.expanduser("~/.anyteam-desktop"))


@app.callback()
def options() -> None:
    """Speech becomes redacted text on this machine; sound never leaves it."""


@model_app.command("prepare")
def prepare_model(
    target: Annotated[Path, typer.Argument(help="The ggml file to be made.")],
    weights: Annotated[
        Path | None, typer.Option(help="A folder with CTranslate2 weights, instead of a package's.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a model file for whisper.cpp from weights that a package ships."""
    made = prepare(weights or weights_folder(), target)
    if as_json:
        _print(made)
    else:
        _out.print(f"{escape(made.path)}\n[dim]sha256[/] {made.sha256}  ({made.size:,} bytes)")


@app.command()
def init(
    model: Annotated[Path, typer.Argument(help="The ggml file to listen with.")],
    sha256: Annotated[str, typer.Option(help="Its digest, as you know it from elsewhere.")],
    home: Home = DEFAULT_HOME,
) -> None:
    """Set up this machine with a model that you approve by its digest."""
    check_model(model, sha256)
    _out.print(f"wrote {escape(str(found(home, model, sha256)))}")


@app.command()
def devices(as_json: Json = False) -> None:
    """List what can be listened to: microphones, and monitors of what the system plays."""
    from desktop_agent.capture.devices import devices as known

    for device in known():
        if as_json:
            _print(device)
        else:
            mark = "*" if device.default else " "
            _out.print(f"{mark} {device.number:>3}  {escape(device.name)}")


@app.command()
def transcribe(
    path: Annotated[Path, typer.Argument(help="A sound file: WAV, FLAC, OGG or MP3.")],
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Print the redacted transcript of a sound file."""
    with opened(path) as descriptor:
        asyncio.run(_listen(_order(home, descriptor), as_json))


@app.command()
def listen(
    home: Home = DEFAULT_HOME,
    device: Annotated[
        str | None, typer.Option(help="A device's number, or part of its name.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Listen to a device until Ctrl-C, and print what is said, redacted.

    Whether everybody who is heard must agree is the law's to say, and yours to see to.
    """
    order = _order(home, None)
    if device is not None:
        order = msgspec.structs.replace(order, device=int(device) if device.isdigit() else device)
    _err.print("[bold red]●[/] [bold]listening[/] [dim](Ctrl-C ends it; see that all agree)[/]")
    asyncio.run(_listen(order, as_json))
    _err.print("[dim]○ not listening[/]")


def _order(home: Path, descriptor: int | None) -> Order:
    settings = settings_in(home)
    check_model(Path(settings.model), settings.model_sha256)
    return Order(
        model=settings.model,
        language=settings.language,
        threads=settings.threads,
        descriptor=descriptor,
        device=settings.device,
        token_key=token_key_in(home),
        persons=settings.persons,
        organisations=settings.organisations,
        walls_required=settings.walls == "required",
    )


async def _listen(order: Order, as_json: bool) -> None:
    show = _print if as_json else _show
    async with await start_capture(order) as capture:
        stopping = None
        if order.descriptor is None:
            interrupted = asyncio.Event()
            asyncio.get_running_loop().add_signal_handler(signal.SIGINT, interrupted.set)
            stopping = asyncio.ensure_future(_stop_once(interrupted, capture))
        try:
            async for message in capture.said():
                show(message)
        finally:
            if stopping is not None:
                stopping.cancel()


async def _stop_once(interrupted: asyncio.Event, capture: Capture) -> None:
    await interrupted.wait()
    await capture.tell("stop")


def _show(message: Said) -> None:
    if isinstance(message, Ready) and message.confinement.absent:
        for wall, why in message.confinement.absent.items():
            _err.print(f"[yellow]no wall[/] {wall.value}: {escape(why)}")
    elif isinstance(message, Segment):
        minutes, seconds = divmod(message.start_ms // 1_000, 60)
        _out.print(f"[dim]{minutes:>3}:{seconds:02}[/]  {escape(message.text)}")
    elif isinstance(message, Ended) and message.dropped:
        _err.print(f"[yellow]{message.dropped} frames were lost[/]: this machine is too slow")


def _print(value: object) -> None:
    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")
    sys.stdout.flush()


def main() -> None:
    """Run the command line and exit."""
    try:
        app(standalone_mode=True)
    except AnyTeamError as error:
        _err.print(f"[red]error:[/] {escape(error.what)}")
        if error.fix:
            _err.print(f"[dim]fix:[/]   {escape(error.fix)}")
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
