"""Between the sidecar and an MCP server of its own: nothing of the server outlives the sidecar.

    python -I guard.py --keep VARIABLE -- program argument...

Passes lines both ways. At end of file on its standard input, which comes with the sidecar's
end however that came, the server may end by itself for `GRACE_S`; then its whole process
group is killed. The server gets the kept variables and no other environment. A line longer
than `MAX_LINE_BYTES` ends it: the client would hold it in memory whole.
"""

import argparse
import os
import signal
import subprocess
import sys
import threading
from typing import IO, NoReturn

GRACE_S = 1.0
MAX_LINE_BYTES = 4 * 1024 * 1024
_CHUNK = 65536


def guard(command: list[str], kept: list[str]) -> NoReturn:
    """Run `command` until it or standard input ends."""
    if os.getpgrp() != os.getpid():
        os.setpgid(0, 0)
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    server = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, cwd="/"
    )
    assert server.stdin is not None
    assert server.stdout is not None
    threading.Thread(target=_pass_answers, args=(server.stdout,), daemon=True).start()
    try:
        while chunk := os.read(0, _CHUNK):
            server.stdin.write(chunk)
            server.stdin.flush()
        server.stdin.close()
    except BrokenPipeError:
        pass
    try:
        server.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        pass
    _end()


def _pass_answers(source: IO[bytes]) -> None:
    length = 0
    while chunk := os.read(source.fileno(), _CHUNK):
        last = chunk.rfind(b"\n")
        length = length + len(chunk) if last < 0 else len(chunk) - last - 1
        if length > MAX_LINE_BYTES:
            sys.stderr.write("the MCP server's line is too long; ended\n")
            break
        view = memoryview(chunk)
        while view:
            view = view[os.write(1, view) :]
    _end()


def _end() -> NoReturn:
    """End the whole group, ourselves included: what the server started is not left behind."""
    os.killpg(0, signal.SIGKILL)
    raise SystemExit(1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--keep", action="append", default=[])
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    guard(options.command[1:] if options.command[:1] == ["--"] else options.command, options.keep)
