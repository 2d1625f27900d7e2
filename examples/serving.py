"""Serving an example's web application until it is told to end; see `examples.service`."""

import argparse
import asyncio
import contextlib
from typing import Any

import uvicorn

from examples.service import announce, ending, listening_socket


class _Server(uvicorn.Server):
    """Uvicorn without its own signal handling: `ending` has that."""

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        yield


async def serve(app: Any, options: argparse.Namespace) -> None:
    """Serve `app` (ASGI) by the options of `examples.service.common_arguments`."""
    opened = listening_socket(options.port)
    server = _Server(
        uvicorn.Config(
            app,
            lifespan="off",
            access_log=False,
            log_level="warning",
            timeout_graceful_shutdown=1,
        )
    )
    serving = asyncio.ensure_future(server.serve(sockets=[opened]))
    told = ending(options.lifeline)
    announce(opened, options.port_file)
    waiting = asyncio.ensure_future(told.wait())
    await asyncio.wait([serving, waiting], return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    await serving
