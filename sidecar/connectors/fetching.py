"""One GET of one URL at one address that was checked before: no name is resolved here.

The connection is made to the address itself, so nothing can answer otherwise between the check
and the use (DNS rebinding); the host's name goes into TLS (SNI, and the certificate is held
against it) and into `Host`. No cookie, credential, referrer or proxy; what comes back is
bounded as it travels and as it unpacks.
"""

import asyncio
import ssl
import zlib
from typing import Final

import httpx
from msgspec import Struct

from schemas.addresses import Address
from sidecar.connectors.tls import system_roots
from sidecar.connectors.urls import Target
from sidecar.errors import Unanswered, Unreachable

ADDRESSES_TRIED: Final = 3

_HEADERS: Final = {
    "User-Agent": "anyteam-trust",
    "Accept": "text/html, text/plain, application/json;q=0.9, */*;q=0.1",
    "Accept-Encoding": "gzip",
    "Connection": "close",
}
_NOT_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class Fetched(Struct, frozen=True):
    """An answer: `body` unpacked, `whole` False where it was cut, `problem` why none is here."""

    status: int
    type: str
    location: str
    body: bytes
    whole: bool
    problem: str = ""


class Fetcher:
    """Fetches, at most `limit` bytes in `timeout_s` seconds, trusting what `context` does."""

    def __init__(
        self, *, limit: int, timeout_s: float, context: ssl.SSLContext | None = None
    ) -> None:
        self._limit, self._timeout_s = limit, timeout_s
        self._context = context or system_roots()

    async def fetch(self, target: Target, addresses: tuple[Address, ...]) -> Fetched:
        """The answer of the first address that takes a connection.

        Raises `Unreachable` where nothing was sent, `Unanswered` where it may have been.
        """
        failure = "it has no address"
        for address in addresses[:ADDRESSES_TRIED]:
            try:
                return await self._get(target, address)
            except _NOT_SENT as error:
                failure = type(error).__name__
        raise Unreachable(f"the host cannot be reached: {failure}")

    async def _get(self, target: Target, address: Address) -> Fetched:
        url = httpx.URL(
            scheme=target.scheme,
            host=str(address),
            port=target.port,
            raw_path=target.path.encode("ascii"),
        )
        client = httpx.AsyncClient(
            verify=self._context, trust_env=False, timeout=self._timeout_s, follow_redirects=False
        )
        try:
            async with (
                asyncio.timeout(self._timeout_s),
                client,
                client.stream(
                    "GET",
                    url,
                    headers={**_HEADERS, "Host": target.authority},
                    extensions={"sni_hostname": target.host},
                ) as answer,
            ):
                return await self._bounded(answer)
        except _NOT_SENT:
            raise
        except (httpx.TransportError, TimeoutError) as error:
            raise Unanswered(f"sent, but not answered: {type(error).__name__}") from error

    async def _bounded(self, answer: httpx.Response) -> Fetched:
        headers = answer.headers
        encoding = headers.get("content-encoding", "identity").strip().lower()
        body, whole, problem = b"", True, ""
        if encoding in ("identity", "gzip"):
            body, whole, problem = await self._unpacked(answer, packed=encoding == "gzip")
        else:
            problem = "it is packed in a way that was not asked for"
        return Fetched(
            answer.status_code,
            headers.get("content-type", ""),
            headers.get("location", ""),
            body,
            whole,
            problem,
        )

    async def _unpacked(self, answer: httpx.Response, *, packed: bool) -> tuple[bytes, bool, str]:
        """At most `limit` bytes. What unpacks to more than that is never unpacked further."""
        unpack = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16) if packed else None
        body, travelled = bytearray(), 0
        async for chunk in answer.aiter_raw():
            travelled += len(chunk)
            room = self._limit - len(body)
            try:
                plain = chunk if unpack is None else unpack.decompress(chunk, room + 1)
            except zlib.error:
                return b"", False, "it does not unpack"
            body += plain[:room]
            if len(plain) > room or travelled > self._limit:
                return bytes(body), False, ""
        if unpack is not None and not unpack.eof and travelled:
            return b"", False, "it does not unpack"
        return bytes(body), True, ""
