"""One endpoint's line over HTTP/1.1: kept alive, to a checked address. The only file that posts.

The connection is made to the address itself, with the host's name in TLS (SNI, and the
certificate is held against it) and in `Host`. Nothing is redirected, no proxy or credential is
taken from the environment, the answer is read up to `MAX_ANSWER_BYTES`. A line is given up after
any failure and after `LINE_S`, and the name is looked up anew for the next one.
"""

import asyncio
import contextlib
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import httpx

from projections.webhooks.errors import ForbiddenAddress
from projections.webhooks.lookup import NotFound
from projections.webhooks.progress import Answered, Result, Unreached
from projections.webhooks.schedule import asked_of
from projections.webhooks.target import Network, Target, admitted
from schemas.addresses import Address

MAX_ANSWER_BYTES: Final = 64 * 1024
LINE_S: Final = 60.0
ADDRESSES_TRIED: Final = 3

_HEADERS: Final = {
    "User-Agent": "anyteam-trust-webhooks",
    "Content-Type": "application/json",
    "Accept": "*/*",
    "Accept-Encoding": "identity",
}
_NOT_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)

Lookup = Callable[[Target], Awaitable[tuple[Address, ...]]]


class Line:
    """Posts to `target`, whose addresses must be public or in a `private` network."""

    def __init__(
        self,
        target: Target,
        context: ssl.SSLContext,
        lookup: Lookup,
        *,
        private: tuple[Network, ...] = (),
        timeout_s: float = 15.0,
    ) -> None:
        self._target = target
        self._context = context
        self._lookup = lookup
        self._private = private
        self._timeout_s = timeout_s
        self._client: httpx.AsyncClient | None = None
        self._urls: tuple[httpx.URL, ...] = ()
        self._since = 0.0

    async def post(self, body: bytes, headers: Mapping[str, str]) -> Result:
        """The receiver's answer, or why there is none; nothing is raised for either."""
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._post(body, headers)
        except (NotFound, ForbiddenAddress) as error:
            reason = str(error)
        except TimeoutError:
            reason = f"no answer within {self._timeout_s:g} s"
        except httpx.TransportError as error:
            reason = _in_words(error)
        await self.aclose()
        return Unreached(reason)

    async def aclose(self) -> None:
        """Give the connection up."""
        client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(httpx.TransportError):
                await client.aclose()

    async def _post(self, body: bytes, headers: Mapping[str, str]) -> Result:
        if self._client is not None and time.monotonic() - self._since > LINE_S:
            await self.aclose()
        if self._client is None:
            self._urls = await self._checked()
            self._client = self._opened()
            self._since = time.monotonic()
        for url in self._urls[:-1]:
            try:
                answer = await self._exchange(self._client, url, body, headers)
            except _NOT_SENT:
                continue
            # The next message goes where this one did.
            self._urls = (url,)
            return answer
        return await self._exchange(self._client, self._urls[-1], body, headers)

    async def _checked(self) -> tuple[httpx.URL, ...]:
        target = self._target
        found = admitted(target, await self._lookup(target), self._private)
        return tuple(
            httpx.URL(
                scheme=target.scheme,
                host=str(address),
                port=target.port,
                raw_path=target.path.encode("ascii"),
            )
            for address in found[:ADDRESSES_TRIED]
        )

    def _opened(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            verify=self._context,
            trust_env=False,
            timeout=self._timeout_s,
            follow_redirects=False,
            headers={**_HEADERS, "Host": self._target.authority},
            limits=httpx.Limits(max_connections=ADDRESSES_TRIED, max_keepalive_connections=1),
        )

    async def _exchange(
        self, client: httpx.AsyncClient, url: httpx.URL, body: bytes, headers: Mapping[str, str]
    ) -> Result:
        sent = client.build_request(
            "POST",
            url,
            content=body,
            headers=headers,
            extensions={"sni_hostname": self._target.host},
        )
        answer = await client.send(sent, stream=True)
        try:
            read = 0
            async for chunk in answer.aiter_raw():
                read += len(chunk)
                if read > MAX_ANSWER_BYTES:
                    break
        finally:
            await answer.aclose()
        return Answered(answer.status_code, asked_of(answer.headers.get("retry-after", "")))


def _in_words(error: httpx.TransportError) -> str:
    kind = type(error).__name__
    if isinstance(error, _NOT_SENT):
        return f"no connection: {kind}: {error}"[:200]
    return f"sent, but not answered: {kind}"
