"""The NATS client, as everything here imports it: without its websocket transport.

nats-py loads aiohttp for `ws://` addresses wherever it happens to be installed (the model
gateway's library brings it). No address here is one, and it would cost every process of an
installation 0.3 s of its start and 12 MB. Others may still import aiohttp afterwards.
"""

import importlib
import sys
from typing import Final

_UNUSED: Final = ("aiohttp", "multidict")


def _load() -> None:
    absent = [name for name in _UNUSED if name not in sys.modules]
    for name in absent:
        sys.modules[name] = None  # type: ignore[assignment]  # "not installed", to an import
    try:
        importlib.import_module("nats.aio.client")
    finally:
        for name in absent:
            del sys.modules[name]


_load()

from nats.aio.client import Client  # noqa: E402
from nats.aio.msg import Msg  # noqa: E402
from nats.errors import ConnectionClosedError, NoRespondersError  # noqa: E402
from nats.errors import Error as NatsError  # noqa: E402
from nats.errors import TimeoutError as NatsTimeout  # noqa: E402

__all__ = [
    "Client",
    "ConnectionClosedError",
    "Msg",
    "NatsError",
    "NatsTimeout",
    "NoRespondersError",
]
