"""Webhook endpoints: where events go, and how far each has come."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from console.web.here import Here
from console.web.hooks import hooks_of
from console.web.permissions import Visitor


async def listed(request: Request, here: Here, visitor: Visitor) -> Response:
    """Each endpoint, with its last attempts."""
    # The running component writes there: whoever waits for it is a thread, not every page.
    hooks = await asyncio.to_thread(hooks_of, here.folder, here.settings)
    return here.page(
        "webhooks.html",
        request,
        visitor,
        hooks=hooks,
        switched_on=here.settings.webhooks is not None,
    )
