"""Server-sent events: tells an open page that the ledger has moved on, and nothing of how.

The page then asks for itself again, with its own permission. The stream ends when the session
does, at the next beat at the latest. Source: WHATWG HTML, server-sent events.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from console.web.here import Here
from console.web.permissions import Visitor

BEAT_S: Final = 10.0
PACE_S: Final = 0.3
"""A page is told at most so often, however busy the ledger is."""


async def events(request: Request, here: Here, visitor: Visitor) -> Response:
    """The stream."""

    async def told() -> AsyncIterator[str]:
        seen = here.feed.index
        yield f"retry: 1000\nevent: at\ndata: {seen}\n\n"
        while here.sessions.lasts(visitor):
            if await here.feed.moved(seen, BEAT_S):
                await asyncio.sleep(PACE_S)
                seen = here.feed.index
                yield f"event: moved\ndata: {seen}\n\n"
            else:
                yield ": still here\n\n"
        yield "event: over\ndata: 0\n\n"

    return StreamingResponse(told(), media_type="text/event-stream")
