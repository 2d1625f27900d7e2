"""What a page works with: the feed, the desk, who is there, and how a page is made."""

import hashlib
import time
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bus.client import Client
from bus.folder import DataFolder
from console.view.state import Workspace
from console.web import shown
from console.web.desk import Desk
from console.web.exporting import Exports
from console.web.feed import Feed
from console.web.mail import Post
from console.web.oidc import Providers
from console.web.permissions import May, Visitor
from console.web.saml.providers import SamlProviders
from console.web.sessions import BROWSER_COOKIE, Sessions, csrf_of, new_browser
from crypto.sealing import ContentKeys
from schemas.settings import Settings

_ROOM: Final = Path(__file__).parent
STATIC: Final = _ROOM / "static"


class Here:
    """One running console."""

    def __init__(
        self,
        *,
        folder: DataFolder,
        settings: Settings,
        origin: str,
        client: Client,
        feed: Feed,
        desk: Desk,
        sessions: Sessions,
        post: Post,
        providers: Providers,
        saml: SamlProviders,
        keys: ContentKeys,
        sealed: str,
        exports: Exports,
    ) -> None:
        self.folder = folder
        self.settings = settings
        self.origin = origin
        self.client = client
        self.feed = feed
        self.desk = desk
        self.sessions = sessions
        self.post = post
        self.providers = providers
        self.saml = saml
        self.keys = keys
        self.sealed = sealed
        self.exports = exports
        self._pages = templates(settings.workspace)

    @property
    def view(self) -> Workspace:
        """What the ledger says."""
        return self.feed.view

    def page(
        self, name: str, request: Request, visitor: Visitor | None, status: int = 200, **given: Any
    ) -> Response:
        """A page made from the template `name`."""
        view = self.view
        cookie = request.cookies.get(BROWSER_COOKIE, "")
        fresh = "" if visitor is not None or cookie else new_browser()
        text = self._pages.get_template(name).render(
            path=request.url.path,
            visitor=visitor,
            csrf=visitor.csrf if visitor is not None else csrf_of(cookie or fresh),
            engaged=view.engaged() if visitor is not None else [],
            waiting=len(self.questions(visitor)) if visitor is not None else 0,
            sealed=self.sealed,
            size=self.feed.index,
            now=time.time_ns(),
            **given,
        )
        answer = HTMLResponse(text, status)
        if fresh:
            set_cookie(answer, BROWSER_COOKIE, fresh)
        return answer

    def questions(self, visitor: Visitor) -> list[Any]:
        """What waits for a person, of what this one sees."""
        view = self.view
        return [step for step in view.questions() if visitor.sees(view.runs[step.run])]


def templates(workspace: str) -> Environment:
    """The pages' templates: whatever they are given is escaped, what they are not is an error."""
    made = Environment(
        loader=FileSystemLoader(_ROOM / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(shown.FILTERS)
    made.globals.update(asset=asset, May=May, workspace=workspace)
    return made


def set_cookie(answer: Response, name: str, value: str, max_age: int | None = None) -> None:
    """A cookie of this host alone, over TLS alone, that no script reads."""
    answer.set_cookie(
        name, value, max_age=max_age, path="/", secure=True, httponly=True, samesite="lax"
    )


def drop_cookie(answer: Response, name: str) -> None:
    """Have the browser forget a cookie."""
    answer.delete_cookie(name, path="/", secure=True, httponly=True, samesite="lax")


def see(place: str) -> Response:
    """Go on to another page, by GET."""
    return RedirectResponse(place, 303)


def asset(name: str) -> str:
    """Where a static file is, under a name that changes with what it holds."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{digest}/{name}"
