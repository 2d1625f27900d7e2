"""A service over HTTP with a bearer token, its failures sorted by what may have happened.

Every request has a connection of its own: on a kept-alive one, a close by the far side is
no sign of whether the request arrived, so that each would be an unknown outcome. Nothing
is redirected, no proxy or credential is taken from the environment, answers are bounded.
The token travels over TLS, or to this machine only.
"""

import asyncio
import ipaddress
import re
import ssl
from typing import Final, TypeVar

import httpx
import msgspec
from msgspec import Struct

from sidecar.errors import (
    BadConnector,
    BadTarget,
    Denied,
    Garbled,
    TargetRefused,
    Unanswered,
    Unreachable,
)

MAX_ANSWER_BYTES: Final = 1024 * 1024

_NOT_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)

Kind = TypeVar("Kind", bound=Struct)


class HttpService:
    """The service at `url`. Raises `BadConnector` where the token would travel in the clear."""

    def __init__(self, url: str, token: str, *, timeout_s: float) -> None:
        self._base = service_url(url)
        self._token = token
        self._timeout_s = timeout_s
        self._context = ssl.create_default_context()

    async def get(self, path: str, query: dict[str, str] | None = None) -> bytes:
        """The answer's body; silence is `Unreachable`, since a read leaves nothing behind.

        Raises `BadTarget`, `Denied`, `TargetRefused`, `Unreachable` or `Garbled`.
        """
        try:
            return await self._request("GET", path, query=query)
        except Unanswered as error:
            raise Unreachable(error.what) from error

    async def patch(self, path: str, body: bytes, key: str) -> bytes:
        """Send a change under an idempotency key; the errors of `get`, and `Unanswered`."""
        headers = {"Idempotency-Key": key, "Content-Type": "application/json"}
        return await self._request("PATCH", path, body=body, headers=headers)

    async def _request(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, str] | None = None,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> bytes:
        if not self._token:
            raise Denied("the vault has no credential for this service", fix="anyteam credential")
        if not re.fullmatch(r"[!-~]+", self._token):
            raise Denied(
                "the credential is no bearer token (RFC 6750)", fix="check what was pasted"
            )
        # Uncompressed, so that the bound on the answer is a bound on what it unpacks to.
        sent = {"Authorization": f"Bearer {self._token}", "Accept-Encoding": "identity"}
        client = httpx.AsyncClient(
            verify=self._context, trust_env=False, timeout=self._timeout_s, follow_redirects=False
        )
        try:
            async with (
                asyncio.timeout(self._timeout_s),
                client,
                client.stream(
                    method,
                    self._base + path,
                    params=query,
                    content=body,
                    headers={**sent, **(headers or {})},
                ) as answer,
            ):
                _check_status(answer.status_code)
                return await _bounded_body(answer)
        except _NOT_SENT as error:
            raise Unreachable(f"the service cannot be reached: {type(error).__name__}") from error
        except (httpx.TransportError, TimeoutError) as error:
            raise Unanswered(f"sent, but not answered: {type(error).__name__}") from error
        except httpx.InvalidURL as error:
            raise BadTarget("the target makes no URL") from error


def service_url(url: str) -> str:
    """`url` as a service's base. Raises `BadConnector` where a credential would be in the clear."""
    try:
        base = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise BadConnector(f"{url!r} is no URL: {error}", fix="check the settings") from error
    if base.scheme != "https" and not (base.scheme == "http" and is_this_machine(base.host)):
        raise BadConnector(
            f"{url!r} would send the credential in the clear",
            fix="use https, or a service on this machine",
        )
    if base.userinfo or base.query or base.fragment:
        raise BadConnector(
            "the service's URL holds more than a host and a path",
            fix="keep credentials in the vault",
        )
    return str(base).rstrip("/")


async def _bounded_body(answer: httpx.Response) -> bytes:
    body = bytearray()
    async for chunk in answer.aiter_raw():
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise Garbled(f"the service's answer is over {MAX_ANSWER_BYTES} bytes")
    return bytes(body)


def _check_status(status: int) -> None:
    if 200 <= status < 300:
        return
    if status in (401, 403):
        raise Denied(f"the service refused the credential ({status})", fix="renew it in the vault")
    if status in (404, 410):
        raise BadTarget(f"the service knows no such record ({status})")
    if 400 <= status < 500 and status != 408:
        raise TargetRefused(f"the service refused the request ({status})")
    if status >= 500 or status == 408:
        raise Unanswered(f"the service failed ({status})")
    raise Garbled(f"the service answered {status}")


def decoded(body: bytes, kind: type[Kind]) -> Kind:
    """A JSON answer as a Struct. Raises `Garbled`."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Garbled("the service's answer is not what it declares") from error


def is_this_machine(host: str) -> bool:
    """Whether `host` is a loopback address, or the name of one."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
