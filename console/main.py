"""The `anyteam` command: every noun's commands, and the one place errors become exit codes.

0 done · 1 the answer is no (a failed verification, a run that failed) · 2 bad usage or bad
input · 3 the installation is not up, or is up already · 4 a component does not stay up.
"""

import sys
from typing import Annotated

import typer
from rich.markup import escape
from typer.exceptions import TyperException

from bus.eventloop import quiet_tls_close
from console.custody import read_passphrase_from
from console.helping import EXIT_CODES
from console.nouns import LazyNouns
from console.output import err
from schemas.errors import AnyTeamError

app = typer.Typer(
    name="anyteam",
    cls=LazyNouns,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback(epilog=EXIT_CODES)
def options(
    passphrase_fd: Annotated[
        int | None,
        typer.Option(help="Read the key files' passphrase from this open descriptor.", min=0),
    ] = None,
) -> None:
    """Agent power without the agent risk: run, watch, stop and verify AI agents."""
    read_passphrase_from(passphrase_fd)


def main() -> None:
    """Run the command line and exit."""
    quiet_tls_close()
    try:
        code = app(standalone_mode=False)
    except AnyTeamError as error:
        err.print(f"[red]error:[/] {escape(error.what)}")
        if error.fix:
            err.print(f"[dim]fix:[/]   {escape(error.fix)}")
        sys.exit(error.exit_code)
    except typer.Exit as leave:
        sys.exit(leave.exit_code)
    except typer.Abort:
        err.print("stopped")
        sys.exit(130)
    except TyperException as error:
        err.print(f"[red]error:[/] {escape(error.format_message())}")
        err.print("[dim]fix:[/]   see `anyteam --help`, or `anyteam COMMAND --help`")
        sys.exit(2)
    sys.exit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    main()
