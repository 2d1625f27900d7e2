"""The API as an ASGI application: for each request its token, its permission, its form, its answer.

Order: rate and token, permission, content type and size, form, idempotency key; only then the
handler. Every error is a problem document (RFC 9457), and each status is in the API's document.
"""

import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from bus.errors import PublishRefused
from console.api.answers import Answers, Kept, fingerprint, key_from
from console.api.bearers import Bearers
from console.api.errors import (
    BadRequest,
    NotOffered,
    Slower,
    TokenInvalid,
    TooLarge,
    Unfit,
    WrongType,
)
from console.api.openapi import document
from console.api.operations import DOCUMENT, OPERATIONS, Operation
from console.api.shapes import PREFIX
from console.web.errors import NotAllowed, NotHere, WebError
from console.web.here import Here
from console.web.permissions import Visitor
from console.web.problems import problem
from crypto.errors import KeyFileError
from schemas.errors import AnyTeamError

_LOG = logging.getLogger("anyteam.console")

Endpoint = Callable[[Request], Awaitable[Response]]


def api(here: Here, bearers: Bearers, answers: Answers) -> Mount:
    """Everything under `/api/v1`."""
    written = msgspec.json.encode(document(here.origin))

    async def described(request: Request) -> Response:
        return Response(written, media_type="application/json")

    by_path: dict[str, dict[str, Operation]] = {}
    for operation in OPERATIONS:
        by_path.setdefault(operation.path, {})[operation.method] = operation
    routes = [Route(DOCUMENT, described, methods=["GET"])]
    routes += [
        Route(path, _endpoint(here, bearers, answers, found), methods=list(found))
        for path, found in by_path.items()
    ]
    app = Starlette(
        routes=routes, exception_handlers={HTTPException: _not_routed, Exception: _broken}
    )
    app.router.redirect_slashes = False
    return Mount(PREFIX, app=app)


def _endpoint(
    here: Here, bearers: Bearers, answers: Answers, found: dict[str, Operation]
) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        operation = found.get(request.method) or found["GET"]
        try:
            peer = request.client.host if request.client is not None else "unknown"
            token = bearers.token(request.headers.get("authorization", ""), peer)
            visitor = await bearers.visitor(token)
            if operation.needs is not None and not visitor.may(operation.needs):
                raise NotAllowed(
                    f"the role {visitor.role.value} with this token's scopes may not"
                    f" {operation.needs.value}",
                    fix="use a token with a wider scope, of somebody who may",
                )
            if operation.writes:
                return await _written(here, visitor, operation, request, answers)
            given = _query(request, operation.takes)
            return _given(
                operation.status,
                msgspec.json.encode(
                    await operation.handler(here, visitor, _at(request, operation), given)
                ),
            )
        except AnyTeamError as error:
            return _told(request, error)

    return endpoint


async def _written(
    here: Here, visitor: Visitor, operation: Operation, request: Request, answers: Answers
) -> Response:
    """Do it once for its key. An error by which nothing was done leaves the key free."""
    body = await _body(request)
    key = key_from(request.headers.get("idempotency-key"))
    given = _fitting(body, operation.takes)
    at = _at(request, operation)
    whose = visitor.token
    asked = fingerprint(request.method, request.url.path, body)
    kept = answers.begin(whose, key, asked, int(time.time()))
    if kept is not None:
        return _given(kept.status, kept.body, replayed=True)
    try:
        said = msgspec.json.encode(await operation.handler(here, visitor, at, given))
    except (WebError, PublishRefused, KeyFileError):
        answers.free(whose, key)
        raise
    except BaseException:
        answers.lose(whose, key)
        raise
    answers.keep(whose, key, Kept(operation.status, said))
    return _given(operation.status, said)


def _given(status: int, body: bytes, *, replayed: bool = False) -> Response:
    headers = {"idempotency-replayed": "true"} if replayed else None
    return Response(body, status, headers, media_type="application/json")


def _at(request: Request, operation: Operation) -> Any:
    try:
        return msgspec.convert(request.path_params, operation.at, strict=False)
    except msgspec.ValidationError as error:
        raise NotHere(f"there is nothing of that name: {error}", fix="see its list") from error


def _query(request: Request, shape: type[msgspec.Struct]) -> Any:
    given = request.query_params.multi_items()
    if len({name for name, _ in given}) < len(given):
        raise BadRequest("a parameter is there twice", fix="give each one once")
    try:
        return msgspec.convert(dict(given), shape, strict=False)
    except msgspec.ValidationError as error:
        raise BadRequest(f"query: {error}", fix=f"see {PREFIX}{DOCUMENT}") from error


async def _body(request: Request) -> bytes:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().casefold()
    if kind != "application/json":
        raise WrongType(
            f"the body is {kind[:80] or 'of no type'}", fix="send Content-Type: application/json"
        )
    try:
        return await request.body()
    except ClientDisconnect:
        # `security.Guard` ends what is larger than a request may be.
        raise TooLarge("the body is over 64 KiB", fix="send less") from None


def _fitting(body: bytes, shape: type[msgspec.Struct]) -> Any:
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError as error:
        raise Unfit(f"body: {error}", fix=f"see {PREFIX}{DOCUMENT}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest("the body is no JSON", fix="send one JSON object in UTF-8") from error


def _told(request: Request, error: AnyTeamError) -> Response:
    if not isinstance(error, WebError):
        _LOG.error("%s %s: %s", request.method, request.url.path, error)
        return problem(503, "Unavailable", "Not possible now", error.what, error.fix)
    headers = {}
    if isinstance(error, TokenInvalid):
        headers["www-authenticate"] = 'Bearer realm="anyteam"'
    if isinstance(error, Slower):
        headers["retry-after"] = str(error.wait_s)
    return problem(error.status, type(error).__name__, error.title, error.what, error.fix, headers)


async def _not_routed(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        allow = dict(error.headers or {}).get("Allow", "")
        kind: type[WebError] = NotOffered
        told = problem(405, kind.__name__, kind.title, "no such method here", f"one of {allow}")
        told.headers["allow"] = allow
        return told
    return problem(
        error.status_code,
        NotHere.__name__,
        NotHere.title,
        "there is no such resource",
        f"see {PREFIX}{DOCUMENT}",
    )


async def _broken(request: Request, error: Exception) -> Response:
    return problem(
        500,
        "Broken",
        "A fault of the console",
        "the console met an error that it does not know",
        "look into the console's log, and report it",
    )
