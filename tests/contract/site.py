"""A web site on loopback over TLS, under names of the test's own, whose manners a test chooses."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable

import trustme

NAMES = ("docs.example", "www.docs.example", "other.example")

Manner = Callable[[asyncio.StreamWriter], Awaitable[None]]


def page(status: str, body: bytes = b"", *headers: str) -> bytes:
    """An answer with its length."""
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


def html(text: str, *headers: str) -> bytes:
    """A page that is found."""
    return page("200 OK", text.encode(), "Content-Type: text/html; charset=utf-8", *headers)


def redirect(location: str, *headers: str) -> bytes:
    """An answer that leads on."""
    return page("302 Found", b"", f"Location: {location}", *headers)


class Site:
    """Answers `pages` by path; `heads` are the requests, `names` what TLS was asked for (SNI)."""

    def __init__(self, authority: trustme.CA, *, tls: bool = True) -> None:
        self.pages: dict[str, bytes | Manner] = {}
        self.heads: list[str] = []
        self.names: list[str | None] = []
        self.port = 0
        self._context: ssl.SSLContext | None = None
        if tls:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            authority.issue_cert(*NAMES).configure_cert(self._context)
            self._context.sni_callback = self._asked_for
        self._server: asyncio.Server | None = None

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen; on a port that the system picks, unless told."""
        self._server = await asyncio.start_server(self._serve, host, port, ssl=self._context)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()

    def _asked_for(self, _: object, name: str | None, __: object) -> None:
        self.names.append(name)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.heads.append(head)
            answer = self.pages.get(head.split(" ")[1], page("404 Not Found"))
            if isinstance(answer, bytes):
                writer.write(answer)
                await writer.drain()
            else:
                await answer(writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
