"""The `anyteam-desktop` command: prepare a model, turn speech into redacted text, and send it.

Exit codes: 0 done, 1 it failed, 2 bad usage or bad input.
"""

import asyncio
import os
import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.markup import escape

from bus.eventloop import quiet_tls_close
from desktop_agent.capturing import opened
from desktop_agent.enrolled import enrolled_in, is_enrolled
from desktop_agent.enrolling import enrol as ask_to_enrol
from desktop_agent.errors import AudioMissing, BadDesktopSettings, NoSuchSegment, ProgramMissing
from desktop_agent.home import found
from desktop_agent.model.prepare import check_model, prepare, weights_folder
from desktop_agent.ordering import order_for
from desktop_agent.probing import need_program
from desktop_agent.publishing import sync as send_what_waits
from desktop_agent.queue import opened as opened_queue
from desktop_agent.settings import MAX_CONSENT
from desktop_agent.terminal import err, hear, out, print_json
from schemas.captures import TranscriptSynced
from schemas.content import opened as content_of
from schemas.enrolment import parse_code
from schemas.errors import AnyTeamError

app = typer.Typer(name="anyteam-desktop", no_args_is_help=True, pretty_exceptions_enable=False)
model_app = typer.Typer(no_args_is_help=True)
app.add_typer(model_app, name="model", help="The speech model on this machine.")

Home = Annotated[
    Path,
    typer.Option("--home", envvar="ANYTEAM_DESKTOP", help="The agent's folder on this machine."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]
Bus = Annotated[
    str | None, typer.Option("--bus", envvar="ANYTEAM_BUS", help="Where the bus is by now.")
]
DEFAULT_HOME = Path(os.path.expanduser("~/.anyteam-desktop"))


@app.callback()
def options() -> None:
    """Speech becomes redacted text on this machine; sound never leaves it.

    Begin with model prepare and init; then transcribe a file, listen, or show the program. enrol
    makes the machine a device of a workspace, to which redacted text is sent from then on.
    """


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
        print_json(made)
    else:
        out.print(f"{escape(made.path)}\n[dim]sha256[/] {made.sha256}  ({made.size:,} bytes)")
        err.print(f"[dim]next: anyteam-desktop init {escape(made.path)} --sha256 {made.sha256}[/]")


@app.command()
def init(
    model: Annotated[Path, typer.Argument(help="The ggml file to listen with.")],
    sha256: Annotated[str, typer.Option(help="Its digest, as you know it from elsewhere.")],
    home: Home = DEFAULT_HOME,
) -> None:
    """Set up this machine with a model that you approve by its digest."""
    check_model(model, sha256)
    out.print(f"wrote {escape(str(found(home, model, sha256)))}")
    err.print("[dim]next: anyteam-desktop transcribe FILE, listen, or enrol CODE[/]")


@app.command()
def devices(as_json: Json = False) -> None:
    """List what can be listened to: microphones, and monitors of what the system plays."""
    try:
        from desktop_agent.capture.devices import devices as known
    except ImportError as error:
        raise AudioMissing(
            f"no sound can be asked for: {error}", fix="pip install 'anyteam-trust[desktop]'"
        ) from error
    except OSError as error:
        raise AudioMissing(
            f"no sound can be asked for: {error}", fix="install PortAudio (libportaudio2)"
        ) from error

    sources = known()
    if not sources and not as_json:
        err.print(
            "[yellow]no source of sound[/] that this program may hear: see the system's settings"
        )
    for device in sources:
        if as_json:
            print_json(device)
        else:
            mark = "*" if device.default else " "
            out.print(f"{mark} {device.number:>3}  {escape(device.name)}")


@app.command()
def enrol(
    code: Annotated[str, typer.Argument(help="What `anyteam device invite` shows.")],
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Make this machine a device of a workspace, with a code that is good once."""
    admission = asyncio.run(ask_to_enrol(home, parse_code(code))).admission
    if as_json:
        print_json({"workspace": admission.workspace, "device": admission.device})
    else:
        out.print(f"this is {escape(admission.device)} of {escape(admission.workspace)} now")


@app.command()
def transcribe(
    path: Annotated[Path, typer.Argument(help="A sound file: WAV, FLAC, OGG or MP3.")],
    home: Home = DEFAULT_HOME,
    sync: Annotated[bool, typer.Option("--sync", help="Send it to the workspace, now.")] = False,
    bus: Bus = None,
    as_json: Json = False,
) -> None:
    """Print the redacted transcript of a sound file; with --sync it goes on the ledger."""
    if sync:
        enrolled_in(home)
    with opened(path) as descriptor:
        asyncio.run(hear(home, order_for(home, descriptor), as_json, sync, bus))


@app.command()
def listen(
    home: Home = DEFAULT_HOME,
    device: Annotated[
        str | None, typer.Option(help="A device's number, or part of its name.")
    ] = None,
    consent: Annotated[
        str | None,
        typer.Option(help="Who agreed to be heard, on record; the note of desktop.toml otherwise."),
    ] = None,
    bus: Bus = None,
    as_json: Json = False,
) -> None:
    """Listen to a device until Ctrl-C, and print what is said, redacted. Enter pauses.

    On an enrolled machine it goes to the workspace, each segment once its time to be withdrawn is
    over. Whether everybody who is heard must agree is the law's to say, and yours to see to.
    """
    order = order_for(home, None)
    if device is not None:
        order = msgspec.structs.replace(order, device=int(device) if device.isdigit() else device)
    if consent is not None and len(consent) > MAX_CONSENT:
        raise BadDesktopSettings(
            f"--consent has {len(consent)} characters", fix=f"say it in {MAX_CONSENT}"
        )
    err.print("[dim]○ getting ready[/]")
    asyncio.run(hear(home, order, as_json, is_enrolled(home), bus, consent))
    err.print("[dim]○ not listening[/]")


@app.command()
def show(home: Home = DEFAULT_HOME, bus: Bus = None) -> None:
    """Open the desktop program: tray, reminder, live transcript, and withdrawing by a click.

    It needs the extra desktop-ui and a graphical session, and hears nothing until you ask.
    """
    asyncio.run(need_program())
    from desktop_agent.program.running import run

    sys.exit(run(home, bus))


@app.command()
def toggle(home: Home = DEFAULT_HOME) -> None:
    """Have the desktop program that runs start or stop listening: for a key of your own choice.

    Bind it in the system's keyboard settings; it works whichever window is in front.
    """
    try:
        from desktop_agent.program.instance import TOGGLE, tell
    except ImportError as error:
        raise ProgramMissing(
            f"the desktop program is not there: {error}",
            fix="pip install 'anyteam-trust[desktop-ui]'",
        ) from error
    tell(home, TOGGLE)


@app.command()
def pending(home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """What has not gone yet: what can still be withdrawn, and how much is on its way."""
    enrolled_in(home)
    with opened_queue(home) as queue:
        for waiting in queue.held():
            body = waiting.noted.body
            if not isinstance(body, TranscriptSynced):
                continue
            text = content_of(body.text)
            if as_json:
                print_json({"number": waiting.number, "due": waiting.due, "text": text})
            else:
                out.print(f"{waiting.number:>6}  {escape(str(text))}")
        held, outgoing = queue.counts()
        if as_json:
            print_json({"held": held, "signed": outgoing})
        else:
            err.print(f"[dim]{held} held, {outgoing} signed and on their way[/]")


@app.command()
def withdraw(
    number: Annotated[int, typer.Argument(help="As `pending` shows it.")],
    home: Home = DEFAULT_HOME,
) -> None:
    """Take a segment back before it goes; it never leaves this machine."""
    enrolled_in(home)
    with opened_queue(home) as queue:
        if not queue.withdraw(number):
            raise NoSuchSegment(
                f"segment {number} is not held: it has gone, or was withdrawn",
                fix="`anyteam-desktop pending` lists what can be withdrawn",
            )
    out.print(f"segment {number} is withdrawn")


@app.command()
def sync(home: Home = DEFAULT_HOME, bus: Bus = None, as_json: Json = False) -> None:
    """Send what is due and waits, once; what is held stays until its time."""
    enrolled = enrolled_in(home)
    with opened_queue(home) as queue:
        arrived = asyncio.run(send_what_waits(enrolled, queue, bus))
        held, outgoing = queue.counts()
    if as_json:
        print_json({"arrived": arrived, "held": held, "signed": outgoing})
    else:
        out.print(f"{arrived} arrived; {held} held, {outgoing} on their way")


def main() -> None:
    """Run the command line and exit."""
    quiet_tls_close()
    try:
        app(standalone_mode=True)
    except AnyTeamError as error:
        err.print(f"[red]error:[/] {escape(error.what)}")
        if error.fix:
            err.print(f"[dim]fix:[/]   {escape(error.fix)}")
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
