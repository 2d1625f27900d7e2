"""What commands print: lines for people, or one JSON object a line with `--json`.

Machine output goes to standard output and nothing else does; progress and errors go to
standard error.
"""

import sys
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.markup import escape

JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def emit(value: Any, as_json: bool, text: str) -> None:
    """`value` as one JSON line, or `text` (rich markup) for people."""
    if as_json:
        sys.stdout.write(msgspec.json.encode(value, enc_hook=_plain).decode() + "\n")
        sys.stdout.flush()
    else:
        out.print(text)


def progress(text: str) -> None:
    """A step of work under way, for people, on standard error."""
    err.print(f"[dim]·[/] {escape(text)}")


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return value.hex()
    raise TypeError(f"cannot print {type(value).__name__} as JSON")
