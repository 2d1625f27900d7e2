"""A calendar over CalDAV: a real Radicale, with one calendar of one person.

    python -m examples.calendar_service --data FOLDER --seed FOLDER --password-file F \\
        --port-file P --log L

The calendar is `/ann/work/`, and begins with the .ics files of the seed's folder. The log has one
line for each change that was asked for, with the keys that the event bears; `--drop-writes` and
`--hold-answers` are done before and after Radicale's own work.
"""

import asyncio
import base64
import hashlib
import re
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from a2wsgi import WSGIMiddleware
from radicale import config
from radicale.app import Application

from examples.service import append_durably, common_arguments, say
from examples.serving import serve

USER = "ann"
CALENDAR = f"/{USER}/work/"
_KEY = re.compile(rb"X-ANYTEAM-KEY:([0-9a-f -]+)")

Start = Callable[..., Any]


class Logged:
    """Radicale, and a log of what it was asked to change."""

    def __init__(self, radicale: Application, log: Path, *, drop: bool, hold: bool) -> None:
        self._radicale, self._log = radicale, log
        self._drop, self._hold = drop, hold

    def __call__(self, environ: Any, start: Any) -> Iterable[bytes]:
        """WSGI (PEP 3333)."""
        if environ["REQUEST_METHOD"] != "PUT":
            return self._answer(environ, start)
        data = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = _Input(data)
        keys = _KEY.search(data.replace(b"\r\n ", b""))
        entry = {
            "key": keys[1].decode().split()[-1] if keys else "",
            "path": environ["PATH_INFO"],
            "digest": hashlib.sha256(data).hexdigest(),
        }
        if self._drop:
            self._note(entry, "dropped")
            if self._hold:
                return self._held(start)
            start("201 Created", [("ETag", '"none"')])
            return [b""]
        said: list[str] = []

        def starting(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            said.append(status)
            return start(status, headers, *rest)

        answer = list(self._radicale(environ, starting if not self._hold else _noted(said)))
        if said[0].startswith("401"):
            return answer if not self._hold else self._held(start)
        self._note(entry, "applied" if said[0][0] == "2" else f"refused {said[0][:3]}")
        return answer if not self._hold else self._held(start)

    def _answer(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        answer: Iterable[bytes] = self._radicale(environ, start)
        return answer

    def _note(self, entry: dict[str, str], effect: str) -> None:
        append_durably(self._log, {**entry, "effect": effect})

    def _held(self, start: Start) -> Iterable[bytes]:
        """Nothing is answered until the process is ended."""
        say("held")
        while True:
            time.sleep(3600)


class _Input:
    """What was read of a request, to be read again."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self, size: int = -1) -> bytes:
        """As a file would."""
        size = len(self._data) if size < 0 else size
        taken, self._data = self._data[:size], self._data[size:]
        return taken


def _noted(said: list[str]) -> Start:
    return lambda status, headers, *rest: said.append(status)


def application(data: Path, password: str, users: Path) -> Application:
    """Radicale over the folder `data`, with one user."""
    users.write_text(f"{USER}:{password}\n")
    users.chmod(0o600)
    settings = config.load()
    settings.update(
        {
            "auth": {
                "type": "htpasswd",
                "htpasswd_filename": str(users),
                "htpasswd_encryption": "plain",
                "delay": "0",
            },
            "storage": {"filesystem_folder": str(data), "predefined_collections": ""},
            "rights": {"type": "owner_only"},
            "web": {"type": "none"},
            "logging": {"level": "critical"},
        },
        "example",
        privileged=True,
    )
    return Application(settings)


def furnish(radicale: Application, seed: Path | None, password: str) -> None:
    """Make the calendar and put the seed's events into it, by the protocol itself."""
    secret = base64.b64encode(f"{USER}:{password}".encode()).decode()
    _request(radicale, "MKCALENDAR", CALENDAR, secret)
    for file in sorted(seed.glob("*.ics")) if seed is not None else ():
        _request(radicale, "PUT", CALENDAR + file.name, secret, file.read_bytes())


def _request(radicale: Application, method: str, path: str, secret: str, body: bytes = b"") -> None:
    said: list[str] = []
    environ = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "CONTENT_LENGTH": str(len(body)),
        "CONTENT_TYPE": "text/calendar",
        "HTTP_AUTHORIZATION": f"Basic {secret}",
        "REMOTE_ADDR": "127.0.0.1",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "0",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.input": _Input(body),
        "wsgi.errors": sys.stderr,
        "wsgi.url_scheme": "http",
    }
    list(radicale(environ, lambda status, headers, *rest: said.append(status)))
    if said[0][0] != "2":
        raise SystemExit(f"{method} {path}: {said[0]}")


async def main() -> None:
    """Serve until told to end."""
    parser = common_arguments("examples.calendar_service")
    parser.add_argument("--data", type=Path, required=True, help="Radicale's folder")
    parser.add_argument("--seed", type=Path, help="a folder of .ics files to begin with")
    parser.add_argument("--password-file", type=Path, required=True)
    options = parser.parse_args()
    password = options.password_file.read_text().strip()
    fresh = not (options.data / "collection-root").exists()
    options.data.mkdir(parents=True, exist_ok=True)
    radicale = application(options.data, password, options.data / "users")
    if fresh:
        furnish(radicale, options.seed, password)
    logged = Logged(radicale, options.log, drop=options.drop_writes, hold=options.hold_answers)
    await serve(WSGIMiddleware(logged.__call__), options)


if __name__ == "__main__":
    asyncio.run(main())
