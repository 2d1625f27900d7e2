"""Taking the ledger away: start it, see how it goes, fetch it."""

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from console.web.here import Here, see
from console.web.permissions import Visitor


async def shown(request: Request, here: Here, visitor: Visitor) -> Response:
    """The last export, and how to hold it against the root key."""
    root = here.folder.root_public().hex()
    return here.page("export.html", request, visitor, job=here.exports.last(), root=root)


async def start(request: Request, here: Here, visitor: Visitor) -> Response:
    """Begin one, signed by whoever asked, where they sign anything."""
    here.exports.start(visitor.account, visitor.person)
    return see("/export")


async def fetch(request: Request, here: Here, visitor: Visitor) -> Response:
    """The last one, as one file."""
    file = here.exports.fetched()
    return FileResponse(file, media_type="application/x-tar", filename=file.name)
