"""A person's session: connected to the running installation, the ledger read and verified.

A ledger of ten million entries takes the better part of an hour to read. So a command asks for what
it is about (`Scope`): of what the workspace itself said, which is little, and of one run.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import typer
from msgspec import Struct

from bus.client import Client
from bus.component import connect_as
from bus.connection import disconnect
from bus.consume import Filter
from bus.decider import Recorded
from bus.folder import DataFolder
from bus.roles import run_subject
from console.author import Pen, Reader
from console.custody import content_keys
from console.errors import NoSuch
from console.pens import person_pen
from crypto.sealing import ContentKeys, NoKeys
from crypto.trust import Trust
from schemas.authority import of_the_workspace, subject
from schemas.names import Role
from schemas.settings import Settings

DataOption = Annotated[
    Path, typer.Option("--data", "-d", envvar="ANYTEAM_DATA", help="The data folder.")
]
DEFAULT_DATA = Path(".anyteam/default")


Scope = Callable[[str], Filter]
"""What a session reads, by its workspace."""


def everything(workspace: str) -> Filter:
    """The whole ledger."""
    return None


def in_no_run(workspace: str) -> Filter:
    """What the workspace itself said: whose keys count, policy, access, halts."""
    return of_the_workspace(workspace)


def about_run(run: str) -> Scope:
    """What the workspace itself said, and that run: all that trust in the run's events rests on."""
    return lambda workspace: (*of_the_workspace(workspace), run_subject(workspace, run))


def about_topics(*topics: str) -> Scope:
    """What the workspace itself said, and these topics of every run. Of a producer's chain in a run
    that is not all, so it is for looking and not for signing there.
    """
    return lambda workspace: (
        *of_the_workspace(workspace),
        *(subject(workspace, "*", topic) for topic in topics),
    )


class Session(Struct, frozen=True):
    """What a command works with. `past` is what the ledger held in `scope` at its opening."""

    folder: DataFolder
    settings: Settings
    client: Client
    reader: Reader
    past: list[Recorded]
    keys: ContentKeys
    scope: Scope = everything

    def again(self, scope: Scope | None = None, *, partial: bool = False) -> Reader:
        """Another reader on the session's connection, from the first entry on; of its own scope, or
        of another.
        """
        workspace = self.settings.workspace
        trust = Trust(workspace, self.folder.root_public(), partial=partial)
        return Reader(self.client, trust, self.keys, only=(scope or self.scope)(workspace))

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
    data: Path,
    role: Role,
    *,
    scope: Scope = everything,
    read: bool = True,
    content: bool = True,
    partial: bool = False,
) -> AsyncIterator[Session]:
    """Open a session as `role`. With `content`, it is opened where this machine holds the key.
    `partial` is for a scope that has gaps in producers' chains (`crypto.trust.Trust`).

    What does not show content does without: a halt must not wait for a passphrase or a KMS.
    """
    folder = DataFolder(data)
    settings = folder.settings()
    # Before the connection: a person at a prompt may take longer than the bus waits.
    keys = content_keys(folder, settings) if content else None
    client = await connect_as(folder, role)
    try:
        trust = Trust(settings.workspace, folder.root_public(), partial=partial)
        reader = Reader(client, trust, keys, only=scope(settings.workspace))
        past = await reader.catch_up() if read else []
        yield Session(folder, settings, client, reader, past, keys or NoKeys(), scope)
    finally:
        await disconnect(client)
