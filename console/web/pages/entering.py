"""Signing in and out: by a link in a mail, or at a provider that speaks OpenID Connect or SAML.

A link is opened by a button, not by looking at it: mail scanners look. What a stranger is told does
not depend on whether an address is known.
"""

import asyncio
import logging

from starlette.datastructures import URL
from starlette.requests import Request
from starlette.responses import Response

from console.web.errors import BadForm, NotAllowed
from console.web.here import Here, drop_cookie, see, set_cookie
from console.web.identity import Identity
from console.web.mail import UNDELIVERED
from console.web.permissions import Visitor
from console.web.sessions import BROWSER_COOKIE, SESSION_COOKIE, new_browser
from console.web.store import plain_address
from schemas.webconsole import ConsoleSettings

_LOG = logging.getLogger("anyteam.console")
_SENDING: set[asyncio.Task[None]] = set()


async def show(request: Request, here: Here, visitor: Visitor | None) -> Response:
    """The sign-in page."""
    if visitor is not None:
        return see("/")
    return here.page("sign_in.html", request, None, providers=_providers(here))


async def ask(request: Request, here: Here, visitor: Visitor | None) -> Response:
    """Send a link, if the address has access; say the same in any case."""
    form = await request.form()
    address = plain_address(str(form.get("address", "")))
    browser = request.cookies[BROWSER_COOKIE]
    token = here.sessions.link_for(address, browser, _peer(request))
    if token is not None:
        url = str(URL(f"{here.origin}/sign-in/link").include_query_params(token=token))
        # Apart from the answer, whose time would tell that there is something to send.
        task = asyncio.create_task(_send(here, address, url))
        _SENDING.add(task)
        task.add_done_callback(_SENDING.discard)
    return here.page("link_sent.html", request, None, address=address, by_mail=here.post.by_mail)


async def show_link(request: Request, here: Here, visitor: Visitor | None) -> Response:
    """What a link leads to: a button."""
    token = request.query_params.get("token", "")
    if not token:
        raise BadForm("the link is not whole", fix="copy all of it, or ask for a new one")
    return here.page("link.html", request, None, token=token)


async def spend(request: Request, here: Here, visitor: Visitor | None) -> Response:
    """Sign in by the link."""
    form = await request.form()
    browser = request.cookies[BROWSER_COOKIE]
    cookie = await here.sessions.spend(str(form.get("token", "")), browser, _peer(request))
    return _entered(cookie)


async def go_to_provider(request: Request, here: Here, visitor: Visitor | None) -> Response:
    """Off to an OpenID provider."""
    here.sessions.begins(_peer(request))
    browser = request.cookies.get(BROWSER_COOKIE) or new_browser()
    url = await here.providers.begin(str(request.path_params["name"]), browser)
    answer = see(url)
    set_cookie(answer, BROWSER_COOKIE, browser)
    return answer


async def come_back(request: Request, here: Here, visitor: Visitor | None) -> Response:
    """Back from an OpenID provider."""
    name = str(request.path_params["name"])
    state = request.query_params.get("state", "")
    browser = request.cookies.get(BROWSER_COOKIE, "")
    whole = f"{here.origin}{request.url.path}?{request.url.query}"
    with here.sessions.answers(_peer(request)):
        identity = await here.providers.finish(name, whole, state, browser)
    return await _entered_as(here, identity, f"oidc/{name}")


async def saml_metadata(request: Request, here: Here, visitor: Visitor | None) -> Response:
    """What the admin of a SAML provider needs to know of this console."""
    said = here.saml.metadata(str(request.path_params["name"]))
    return Response(said, media_type="application/samlmetadata+xml")


async def saml_begin(request: Request, here: Here, visitor: Visitor | None) -> Response:
    """Off to a SAML provider."""
    here.sessions.begins(_peer(request))
    browser = request.cookies.get(BROWSER_COOKIE) or new_browser()
    answer = see(here.saml.begin(str(request.path_params["name"]), browser))
    set_cookie(answer, BROWSER_COOKIE, browser)
    return answer


async def saml_answer(request: Request, here: Here, visitor: Visitor | None) -> Response:
    """What a SAML provider's page had the browser send: verified, and then on to `saml_enter`."""
    name = str(request.path_params["name"])
    form = await request.form()
    with here.sessions.answers(_peer(request)):
        ticket = here.saml.answered(name, str(form.get("SAMLResponse", "")))
    return see(str(URL(f"/sign-in/saml/{name}/enter").include_query_params(ticket=ticket)))


async def saml_enter(request: Request, here: Here, visitor: Visitor | None) -> Response:
    """Back from a SAML provider, in the browser that was sent there."""
    name = str(request.path_params["name"])
    ticket = request.query_params.get("ticket", "")
    with here.sessions.answers(_peer(request)):
        identity = here.saml.enter(name, ticket, request.cookies.get(BROWSER_COOKIE, ""))
    return await _entered_as(here, identity, f"saml/{name}")


async def leave(request: Request, here: Here, visitor: Visitor) -> Response:
    """Sign out."""
    await here.sessions.close(visitor, "signed out")
    answer = see("/sign-in")
    drop_cookie(answer, SESSION_COOKIE)
    return answer


async def _entered_as(here: Here, identity: Identity, method: str) -> Response:
    store = here.sessions.store
    account = store.account_of(identity.address)
    if account is None:
        raise NotAllowed("this account has no access", fix="ask an admin for an invitation")
    if not store.bind_subject(account, identity.subject):
        raise NotAllowed(
            "this address belonged to another identity at a provider before",
            fix="ask an admin; they forget the old one by inviting you anew",
        )
    return _entered(await here.sessions.open(account, method))


def _entered(cookie: str) -> Response:
    answer = see("/")
    set_cookie(answer, SESSION_COOKIE, cookie)
    # What was bound to the browser before is over: whoever planted it holds nothing now.
    set_cookie(answer, BROWSER_COOKIE, new_browser())
    return answer


def _providers(here: Here) -> list[tuple[str, str]]:
    """Each provider's way in, and what its button says."""
    console = here.settings.console or ConsoleSettings()
    return [
        *((f"/sign-in/with/{name}", one.label or name) for name, one in console.oidc.items()),
        *((f"/sign-in/saml/{name}/begin", one.label or name) for name, one in console.saml.items()),
    ]


async def _send(here: Here, address: str, url: str) -> None:
    try:
        await here.post.send(address, url, here.settings.workspace)
    except UNDELIVERED as error:
        _LOG.error("a sign-in link could not be sent: %s", type(error).__name__)


def _peer(request: Request) -> str:
    return request.client.host if request.client is not None else "unknown"
