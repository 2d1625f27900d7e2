"""What holds for every request and answer, whatever page it is: hosts, origins, sizes, headers.

Fetch metadata and Origin are checked on everything that changes something (W3C Fetch Metadata;
RFC 6454), beside the form's own token. The policy allows our own files and nothing inline: a text
that an agent wrote stays a text (CSP Level 3).
"""

from collections.abc import Collection
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, Response
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from console.web.problems import API, problem

MAX_BODY: Final = 64 * 1024
POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
HEADERS: Final = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # Not no-referrer: with it browsers say that our own forms come from `null`.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=()",
    "strict-transport-security": "max-age=31536000",
}
_KINDS: Final = {403: "Forged", 413: "TooLarge", 421: "WrongHost"}
_SAFE: Final = ("GET", "HEAD")


class Guard:
    """ASGI middleware around the whole application. `origin` is the console's own, `elsewhere` the
    patterns of paths to which a page of another site posts.
    """

    def __init__(self, app: ASGIApp, origin: str, elsewhere: Collection[str] = ()) -> None:
        self._app = app
        self._elsewhere = [compile_path(path)[0] for path in elsewhere]
        self._origin = origin
        self._host = origin.removeprefix("https://")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(HTTPConnection(scope).headers, scope["method"], scope["path"])
        if refusal is not None:
            await _told(scope["path"], *refusal)(scope, receive, _with_headers(send))
            return
        await self._app(scope, _bounded(receive), _with_headers(send))

    def _refusal(self, headers: Headers, method: str, path: str) -> tuple[int, str] | None:
        # Another name that leads here is a stranger's: rebinding it would make us its origin.
        if headers.get("host", "") != self._host:
            return 421, "this console is not of that name\n"
        if method in _SAFE:
            return None
        if not any(pattern.match(path) for pattern in self._elsewhere):
            if headers.get("origin", self._origin) != self._origin:
                return 403, "this did not come from the console\n"
            if headers.get("sec-fetch-site", "same-origin") != "same-origin":
                return 403, "this did not come from the console\n"
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > MAX_BODY:
            return 413, "that is more than a form holds\n"
        return None


def _told(path: str, status: int, words: str) -> Response:
    if path.startswith(API):
        return problem(status, _KINDS[status], "Refused before it was read", words.strip())
    return PlainTextResponse(words, status)


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
            headers.setdefault("cache-control", "no-store")
        await send(message)

    return sending


def _bounded(receive: Receive) -> Receive:
    taken = 0

    async def receiving() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > MAX_BODY:
            return {"type": "http.disconnect"}
        return message

    return receiving
