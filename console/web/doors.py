"""Every route: its method, path, handler, and what it needs. Whatever is not listed is not there.

`None` marks the few that serve whoever comes: signing in, and the static files.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from console.web.here import Here
from console.web.pages import (
    acting,
    entering,
    exports,
    hooks,
    ledger,
    live,
    passkeys,
    reading,
    runs,
    static,
)
from console.web.permissions import May, Visitor

Handler = Callable[[Request, Here, Visitor], Awaitable[Response]]
OpenHandler = Callable[[Request, Here, Visitor | None], Awaitable[Response]]


class Door(Struct, frozen=True):
    """A route behind a permission."""

    method: str
    path: str
    handler: Handler
    needs: May


class OpenDoor(Struct, frozen=True):
    """A route for anybody. `from_elsewhere` marks a form that another site's page sends, by its
    protocol: it carries no token of ours, and proves itself.
    """

    method: str
    path: str
    handler: OpenHandler
    from_elsewhere: bool = False


OPEN: Final = (
    OpenDoor("GET", "/sign-in", entering.show),
    OpenDoor("POST", "/sign-in", entering.ask),
    OpenDoor("GET", "/sign-in/link", entering.show_link),
    OpenDoor("POST", "/sign-in/link", entering.spend),
    OpenDoor("GET", "/sign-in/with/{name}", entering.go_to_provider),
    OpenDoor("GET", "/sign-in/back/{name}", entering.come_back),
    OpenDoor("GET", "/sign-in/saml/{name}", entering.saml_metadata),
    OpenDoor("GET", "/sign-in/saml/{name}/begin", entering.saml_begin),
    OpenDoor("POST", "/sign-in/saml/{name}/acs", entering.saml_answer, from_elsewhere=True),
    OpenDoor("GET", "/sign-in/saml/{name}/enter", entering.saml_enter),
    OpenDoor("GET", "/static/{version}/{name}", static.serve),
)

DOORS: Final = (
    Door("POST", "/sign-out", entering.leave, May.SEE),
    Door("GET", "/", reading.overview, May.SEE),
    Door("GET", "/live", live.events, May.SEE),
    Door("GET", "/runs", runs.listed, May.SEE),
    Door("GET", "/runs/new", runs.form, May.REQUEST),
    Door("POST", "/runs", runs.request, May.REQUEST),
    Door("GET", "/runs/{run}", runs.one, May.SEE),
    Door("GET", "/inbox", acting.inbox, May.SEE),
    Door("GET", "/inbox/{proposal}", acting.question, May.SEE),
    Door("POST", "/inbox/{proposal}", acting.answer, May.DECIDE),
    Door("GET", "/halt", acting.halts, May.SEE),
    Door("POST", "/halt", acting.halt, May.HALT),
    Door("POST", "/release", acting.release, May.RELEASE),
    Door("GET", "/destinations", reading.destinations, May.SEE_ALL),
    Door("GET", "/memory", reading.memory, May.SEE),
    Door("GET", "/flags", reading.flags, May.SEE_ALL),
    Door("GET", "/webhooks", hooks.listed, May.SEE_ALL),
    Door("GET", "/ledger", ledger.explorer, May.READ_LEDGER),
    Door("GET", "/ledger/{index:int}", ledger.entry, May.READ_LEDGER),
    Door("GET", "/ledger/{index:int}/proof", ledger.proof, May.READ_LEDGER),
    Door("GET", "/leases", reading.leases, May.SEE),
    Door("GET", "/export", exports.shown, May.EXPORT),
    Door("POST", "/export", exports.start, May.EXPORT),
    Door("GET", "/export/ledger.tar", exports.fetch, May.EXPORT),
    Door("GET", "/people", reading.people, May.AUDIT),
    Door("GET", "/passkeys", passkeys.listed, May.ENROL),
    Door("POST", "/passkeys", passkeys.enrol, May.ENROL),
)
