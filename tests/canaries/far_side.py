"""A CRM that leaks: it says the credential it was reached with in every answer it can.

In answers that are read as records, in error pages, in a header, in base64. `asked` counts its
requests, so that a search that found nothing is known to have had something to find.
"""

import asyncio
import base64
import contextlib
import socket
from collections.abc import AsyncIterator

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from examples.service import listening_socket


class LeakyCrm:
    """The service; `serving` runs it."""

    def __init__(self) -> None:
        self.asked = 0

    async def accounts(self, request: Request) -> Response:
        """An account that is named after the credential."""
        said = self._said(request)
        code = base64.b64encode(f"it is {said}".encode()).decode()
        account = {"id": "a-1", "name": f"Boeing {said}", "domain": code}
        return JSONResponse({"accounts": [account]}, headers={"X-Seen": said})

    async def account(self, request: Request) -> Response:
        """A failure that shows the request's headers."""
        return PlainTextResponse(f"Traceback: headers={self._said(request)}", status_code=500)

    async def deals(self, request: Request) -> Response:
        """A refusal that names the credential."""
        return JSONResponse({"error": f"token {self._said(request)} is void"}, status_code=403)

    async def change(self, request: Request) -> Response:
        """An answer off the protocol, of the credential alone."""
        return PlainTextResponse(self._said(request))

    def _said(self, request: Request) -> str:
        self.asked += 1
        return request.headers["authorization"].removeprefix("Bearer ")

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[int]:
        """Up on a port of loopback."""
        app = Starlette(
            routes=[
                Route("/accounts", self.accounts),
                Route("/accounts/{account}", self.account),
                Route("/accounts/{account}/deals", self.deals),
                Route("/deals/{deal}", self.change, methods=["GET", "PATCH"]),
                Route("/keys/{key}", self.change),
            ]
        )
        opened: socket.socket = listening_socket(0)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
        serving = asyncio.ensure_future(server.serve(sockets=[opened]))
        try:
            yield int(opened.getsockname()[1])
        finally:
            server.should_exit = True
            await serving
            opened.close()
