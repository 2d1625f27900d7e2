"""The loopback address that a browser brings a consent back to (RFC 8252 section 7.3).

It listens on this machine alone, on a port that the system picks, and takes one answer: what
comes to any other path, or by any other verb, is not it.
"""

import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import TracebackType
from typing import Final, Self

from console.errors import NoAnswer

_PATH: Final = "/consent"
_PAGE: Final = b"""<!doctype html><title>AnyTeam Trust</title>
<p>The consent has arrived. You can close this page and go back to the terminal.
"""


class Listener:
    """Open while used as a context; `redirect` is its address."""

    def __init__(self) -> None:
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self.redirect = f"http://127.0.0.1:{self._server.server_port}{_PATH}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.server_close()

    def answer(self, wait_s: float) -> str:
        """The address that the browser was sent to, whole. Raises `NoAnswer` after `wait_s`."""
        deadline = time.monotonic() + wait_s
        while (left := deadline - time.monotonic()) > 0:
            self._server.timeout = left
            self._server.handle_request()
            if self._server.came is not None:
                return self.redirect.removesuffix(_PATH) + self._server.came
        raise NoAnswer(f"no consent came within {wait_s:.0f} s", fix="connect again")


class _Server(HTTPServer):
    came: str | None = None


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 10

    def do_GET(self) -> None:
        """Take the answer."""
        if self.path.partition("?")[0] != _PATH:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        self.server.came = self.path
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(_PAGE)))
        self.send_header("Referrer-Policy", "no-referrer")
        self.end_headers()
        self.wfile.write(_PAGE)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the request line holds the code."""
