"""A person's session: connected to the running installation, the ledger read and verified."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import typer
from msgspec import Struct

from bus.client import Client
from bus.component import connect_as
from bus.connection import disconnect
from bus.decider import Recorded
from bus.folder import DataFolder
from console.author import Pen, Reader
from console.custody import content_keys
from console.errors import NoSuch
from console.pens import person_pen
from crypto.sealing import ContentKeys, NoKeys
from crypto.trust import Trust
from schemas.names import Role
from schemas.settings import Settings

DataOption = Annotated[
    Path, typer.Option("--data", "-d", envvar="ANYTEAM_DATA", help="The data folder.")
]
DEFAULT_DATA = Path(".anyteam/default")


class Session(Struct, frozen=True):
    """What a command works with. `past` is the whole ledger at its opening."""

    folder: DataFolder
    settings: Settings
    client: Client
    reader: Reader
    past: list[Recorded]
    keys: ContentKeys

    def pen(self, role: Role, name: str | None) -> Pen:
        """The pen of a rep or admin; the first in the settings where none is named."""
        people = self.settings.reps if role is Role.REP else self.settings.admins
        person = name or next(iter(people), None)
        if person is None or person not in people:
            raise NoSuch(
                f"no {role.value} {person or ''}".rstrip(),
                fix=f"one of {', '.join(people) or '(none configured)'}",
            )
        return person_pen(self.folder, person, role)


@asynccontextmanager
async def session(
    data: Path, role: Role, *, read: bool = True, content: bool = True
) -> AsyncIterator[Session]:
    """Open a session as `role`. With `content`, it is opened where this machine holds the key.

    What does not show content does without: a halt must not wait for a passphrase or a KMS.
    """
    folder = DataFolder(data)
    settings = folder.settings()
    # Before the connection: a person at a prompt may take longer than the bus waits.
    keys = content_keys(folder, settings) if content else None
    client = await connect_as(folder, role)
    try:
        trust = Trust(settings.workspace, folder.root_public())
        reader = Reader(client, trust, keys)
        past = await reader.catch_up() if read else []
        yield Session(folder, settings, client, reader, past, keys or NoKeys())
    finally:
        await disconnect(client)
