"""The console's own style, script and icon: nothing comes from anywhere else."""

from typing import Final

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from console.web.errors import NotHere
from console.web.here import STATIC, Here
from console.web.permissions import Visitor

_TYPES: Final = {
    "console.css": "text/css; charset=utf-8",
    "console.js": "text/javascript; charset=utf-8",
    "passkeys.js": "text/javascript; charset=utf-8",
    "verify.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}


async def serve(request: Request, here: Here, visitor: Visitor | None) -> Response:
    """A static file; its address changes with its content, so it may be kept for good."""
    name = str(request.path_params["name"])
    if name not in _TYPES:
        raise NotHere("there is no such file")
    keep = {"cache-control": "public, max-age=31536000, immutable"}
    return FileResponse(STATIC / name, media_type=_TYPES[name], headers=keep)
