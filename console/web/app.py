"""The application: each door behind its permission, and one place where errors become pages.

Order for every request: host, origin and size (`security.Guard`), session, permission, and for
what changes something the form's token; only then the handler.
"""

import logging
from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from console.web.doors import DOORS, OPEN, Door, OpenDoor
from console.web.errors import Forged, NotAllowed, NotHere, SignInFirst, WebError
from console.web.here import Here, drop_cookie, see, set_cookie
from console.web.permissions import Visitor
from console.web.problems import API, problem
from console.web.security import Guard
from console.web.sessions import BROWSER_COOKIE, SESSION_COOKIE, same_csrf
from schemas.errors import AnyTeamError

_LOG = logging.getLogger("anyteam.console")

Endpoint = Callable[[Request], Awaitable[Response]]


def application(here: Here, *beside: BaseRoute) -> Starlette:
    """The console as an ASGI application, with what else is served beside its pages."""
    routes: list[BaseRoute] = [*beside]
    routes += [
        Route(door.path, _endpoint(here, door), methods=[door.method]) for door in (*OPEN, *DOORS)
    ]
    elsewhere = [door.path for door in OPEN if door.from_elsewhere]
    return Starlette(
        routes=routes,
        middleware=[Middleware(Guard, origin=here.origin, elsewhere=elsewhere)],
        exception_handlers={HTTPException: _not_found(here)},
    )


def _endpoint(here: Here, door: Door | OpenDoor) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        cookie = request.cookies.get(SESSION_COOKIE, "")
        visitor = here.sessions.visitor(cookie)
        try:
            if visitor is None:
                await here.sessions.watch(cookie)
            if isinstance(door, OpenDoor):
                if request.method == "POST" and not door.from_elsewhere:
                    await _check_form(request, BROWSER_COOKIE)
                return await door.handler(request, here, visitor)
            if visitor is None:
                raise SignInFirst("nobody is signed in here", fix="sign in, and come back")
            if not visitor.may(door.needs):
                raise NotAllowed(
                    f"the role {visitor.role.value} may not {door.needs.value}",
                    fix="ask an admin, if it should",
                )
            if request.method == "POST":
                await _check_form(request, SESSION_COOKIE)
            answer = await door.handler(request, here, visitor)
            if request.method == "GET" and (fresh := here.sessions.turned(cookie)) is not None:
                set_cookie(answer, SESSION_COOKIE, fresh)
            return answer
        except AnyTeamError as error:
            return _told(here, request, visitor, error)
        except ClientDisconnect:
            return Response(status_code=400)

    return endpoint


async def _check_form(request: Request, cookie: str) -> None:
    form = await request.form()
    given = form.get("csrf")
    if not isinstance(given, str) or not same_csrf(request.cookies.get(cookie, ""), given):
        raise Forged(
            "the form is of another session, or not ours", fix="open the page again and repeat it"
        )


def _told(here: Here, request: Request, visitor: Visitor | None, error: AnyTeamError) -> Response:
    """An error as a page. One that is not the visitor's doing is logged as well."""
    if isinstance(error, SignInFirst) and request.method == "GET":
        answer = see("/sign-in")
        if SESSION_COOKIE in request.cookies:
            drop_cookie(answer, SESSION_COOKIE)
        return answer
    web = isinstance(error, WebError)
    if not web:
        _LOG.error("%s %s: %s", request.method, request.url.path, error)
    status = error.status if isinstance(error, WebError) else 503
    title = error.title if isinstance(error, WebError) else "The console could not do that"
    return here.page(
        "message.html", request, visitor, status, title=title, text=error.what, fix=error.fix
    )


def _not_found(here: Here) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def answer(request: Request, error: Exception) -> Response:
        if request.url.path.startswith(API):
            # What no pattern has, a path with a line break among it, ends here.
            return problem(404, "NotHere", NotHere.title, "there is no such resource")
        visitor = here.sessions.visitor(request.cookies.get(SESSION_COOKIE, ""))
        missing = NotHere("there is no such page", fix="go back to the overview")
        page = _told(here, request, visitor, missing)
        if isinstance(error, HTTPException):
            page.status_code = error.status_code
        return page

    return answer
