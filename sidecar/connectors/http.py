"""A service over HTTP with a credential, its failures sorted by what may have happened.

Every request has a connection of its own: on a kept-alive one, a close by the far side is
no sign of whether the request arrived, so that each would be an unknown outcome. Nothing
is redirected, no proxy or credential is taken from the environment, answers are bounded.
The credential travels over TLS, or to this machine only.
"""

import asyncio
import base64
import ipaddress
import re
from collections.abc import Mapping
from typing import Final, TypeVar

import httpx
import msgspec
from msgspec import Struct

from schemas.errors import UNREADABLE
from sidecar.connectors.tls import system_roots
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


class Reply(Struct, frozen=True):
    """What a service answered, whatever its status; `retry_after` as the header has it."""

    status: int
    body: bytes
    retry_after: str


class HttpService:
    """The service at `url`, which wants `token` in the header `header`: `Authorization` takes a
    bearer token, another one the bare key, and an empty one stands for no credential at all. With
    a `login`, `token` is its password (RFC 7617).

    Raises `BadConnector` where the credential would travel in the clear.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        timeout_s: float,
        header: str = "Authorization",
        login: str = "",
    ) -> None:
        self._base = service_url(url)
        self._token = token
        self._header = header
        self._login = login
        self._timeout_s = timeout_s
        self._context = system_roots()

    async def get(self, path: str, query: dict[str, str] | None = None) -> bytes:
        """The answer's body; silence is `Unreachable`, since a read leaves nothing behind.

        Raises `BadTarget`, `Denied`, `TargetRefused`, `Unreachable` or `Garbled`.
        """
        try:
            return checked(await self.exchange("GET", path, query=query))
        except Unanswered as error:
            raise Unreachable(error.what) from error

    async def patch(self, path: str, body: bytes, key: str) -> bytes:
        """Send a change under an idempotency key; the errors of `get`, and `Unanswered`."""
        headers = {"Idempotency-Key": key}
        return checked(await self.exchange("PATCH", path, body=body, headers=headers))

    async def post(self, path: str, body: bytes) -> bytes:
        """Ask for something that has no idempotency key; the errors of `patch`."""
        return checked(await self.exchange("POST", path, body=body))

    async def delete(self, path: str) -> None:
        """Remove something; the errors of `patch`."""
        checked(await self.exchange("DELETE", path))

    async def exchange(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | list[str]] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """One request and its answer, of any status; a body is JSON unless `headers` say else.

        Raises `Denied` where there is no credential to send, `Unreachable` and `BadTarget`
        where nothing was sent, and `Unanswered` or `Garbled` where it may have been.
        """
        sent = {**self._credential(), "Accept": "application/json"}
        # Uncompressed, so that the bound on the answer is a bound on what it unpacks to.
        sent["Accept-Encoding"] = "identity"
        if body is not None:
            sent["Content-Type"] = "application/json"
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
                return Reply(
                    answer.status_code,
                    await _bounded_body(answer),
                    answer.headers.get("retry-after", ""),
                )
        except _NOT_SENT as error:
            raise Unreachable(f"the service cannot be reached: {type(error).__name__}") from error
        except (httpx.TransportError, TimeoutError) as error:
            raise Unanswered(f"sent, but not answered: {type(error).__name__}") from error
        except httpx.InvalidURL as error:
            raise BadTarget("the target makes no URL") from error

    def _credential(self) -> dict[str, str]:
        if not self._header:
            return {}
        if not self._token:
            raise Denied(
                "the vault has no credential for this service", fix="anyteam credential add"
            )
        if self._login:
            both = base64.b64encode(f"{self._login}:{self._token}".encode()).decode("ascii")
            return {self._header: f"Basic {both}"}
        if not re.fullmatch(r"[!-~]+", self._token):
            raise Denied(
                "the credential is no bearer token (RFC 6750)", fix="check what was pasted"
            )
        bearer = self._header == "Authorization"
        return {self._header: f"Bearer {self._token}" if bearer else self._token}


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


def checked(reply: Reply) -> bytes:
    """The body of an answer that says yes; any other is raised as the error it stands for."""
    status = reply.status
    if 200 <= status < 300:
        return reply.body
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
    except UNREADABLE as error:
        raise Garbled("the service's answer is not what it declares") from error


def is_this_machine(host: str) -> bool:
    """Whether `host` is a loopback address, or the name of one."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
