"""What the example services share: how one says that it is ready, logs, keeps and ends.

Everything is durable before it is answered for: a file is replaced whole and synced, a log
line is synced. A service ends on SIGTERM, and with `--lifeline` at the end of its standard
input. It says each thing that others may wait for on one line of standard output.
"""

import argparse
import asyncio
import json
import os
import signal
import socket
from pathlib import Path
from typing import Any

HOST = "127.0.0.1"


def common_arguments(program: str) -> argparse.ArgumentParser:
    """A parser with the options every example service has."""
    parser = argparse.ArgumentParser(prog=f"python -m {program}")
    parser.add_argument("--port", type=int, default=0, help="0 lets the system choose")
    parser.add_argument("--port-file", type=Path, required=True, help="written when ready")
    parser.add_argument("--log", type=Path, required=True, help="one JSON line per change asked")
    parser.add_argument("--lifeline", action="store_true", help="end with standard input")
    parser.add_argument(
        "--drop-writes", action="store_true", help="lie: accept changes and keep none"
    )
    parser.add_argument(
        "--hold-answers", action="store_true", help="keep changes and never answer for them"
    )
    return parser


def listening_socket(port: int) -> socket.socket:
    """A socket that takes connections from this machine from now on."""
    opened = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    opened.bind((HOST, port))
    opened.listen(128)
    return opened


def announce(opened: socket.socket, port_file: Path) -> None:
    """Write the port file, then say that the service listens."""
    port = opened.getsockname()[1]
    write_durably(port_file, f"{port}\n".encode())
    say(f"listening on {HOST}:{port}")


def say(line: str) -> None:
    """One line of standard output, at once."""
    print(line, flush=True)


def write_durably(path: Path, data: bytes) -> None:
    """Replace `path` whole, synced."""
    draft = path.with_name(f".{path.name}.draft")
    with draft.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def append_durably(path: Path, entry: dict[str, Any]) -> None:
    """Append one JSON line, synced."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(entry, sort_keys=True) + "\n")
        file.flush()
        os.fsync(file.fileno())


def ending(lifeline: bool) -> asyncio.Event:
    """Set on SIGTERM or SIGINT, or at the end of standard input where it is a lifeline.

    Asked for before the service is announced, so that who has seen it ready can end it.
    """
    loop = asyncio.get_running_loop()
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    if lifeline:
        loop.add_reader(0, _at_end_of_input, told)
    return told


def _at_end_of_input(told: asyncio.Event) -> None:
    if not os.read(0, 4096):
        asyncio.get_running_loop().remove_reader(0)
        told.set()
