"""Where a command reads a ledger from: the running installation, or an export on disk.

Both give the same: every entry in order, and every seal, as often as they are asked. Nothing
they give is verified.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Protocol

import typer

from bus.client import Client
from bus.component import connect_as
from bus.connection import disconnect
from bus.consume import CaughtUp, follow
from bus.folder import DataFolder
from bus.roles import LEDGER, SEALS
from console.custody import content_keys
from console.feeding.memory import cosigned_in
from crypto.keyfile import read_public
from crypto.sealing import ContentKeys
from ledger.cosigned import kept_cosigned
from ledger.disclosure import DisclosedKeys, read_disclosure
from ledger.errors import ExportDamaged
from ledger.export import ExportReader
from ledger.selection.folder import is_selection
from schemas.names import Role

Entry = tuple[int, str, bytes]
"""(index, subject, message body)."""

ExportOption = Annotated[
    Path | None,
    typer.Option("--export", help="Read this export, not the running installation."),
]
RootOption = Annotated[
    Path | None,
    typer.Option("--root", help="The root public key; the data folder's where it is left out."),
]


class Source(Protocol):
    """A ledger to read."""

    @property
    def workspace(self) -> str:
        """Whose it is."""
        ...

    @property
    def root_public(self) -> bytes:
        """The raw root key that it is held against."""
        ...

    def entries(self) -> AsyncIterator[Entry]:
        """Every entry that the ledger holds now, in order."""
        ...

    def seals(self) -> AsyncIterator[str]:
        """Every seal's note, in order."""
        ...

    def cosigned(self) -> tuple[str, ...]:
        """The newest seals that witnesses cosigned, by size; none is of more than `entries` gives
        when asked thereafter.
        """
        ...

    def keys(self) -> ContentKeys:
        """What opens its content, as far as this machine or the export holds it."""
        ...


class _Live:
    """The running installation of a data folder."""

    def __init__(self, folder: DataFolder, client: Client, keys: ContentKeys | None) -> None:
        self.workspace = folder.settings().workspace
        self.root_public = folder.root_public()
        self._folder, self._client, self._keys = folder, client, keys

    async def entries(self) -> AsyncIterator[Entry]:
        async for message in self._all(LEDGER):
            yield message

    async def seals(self) -> AsyncIterator[str]:
        async for _, _, body in self._all(SEALS):
            yield body.decode("utf-8", "replace")

    def cosigned(self) -> tuple[str, ...]:
        return kept_cosigned(cosigned_in(self._folder.witnesses))

    def keys(self) -> ContentKeys:
        return self._keys or content_keys(self._folder, self._folder.settings())

    async def _all(self, stream: str) -> AsyncIterator[Entry]:
        found = follow(
            self._client, stream=stream, filter_subject=None, consumer="export", throwaway=True
        )
        async for message in found:
            if isinstance(message, CaughtUp):
                return
            yield message.index, message.subject, message.body


class _Exported:
    """A whole export, with the keys of a data folder or those that it discloses."""

    def __init__(self, export: Path, root_public: bytes, folder: DataFolder | None) -> None:
        if is_selection(export):
            raise ExportDamaged(
                f"{export} holds part of a ledger, and this needs all of it",
                fix="use a whole export: `anyteam export` without --run, --rep, --from and --until",
            )
        self._reader = ExportReader(export)
        self._export, self._folder = export, folder
        self.workspace = self._reader.manifest.workspace
        self.root_public = root_public

    async def entries(self) -> AsyncIterator[Entry]:
        for entry in self._reader.entries():
            yield entry.index, entry.subject, entry.body

    async def seals(self) -> AsyncIterator[str]:
        for note in self._reader.seals():
            yield note

    def cosigned(self) -> tuple[str, ...]:
        return self._reader.cosigned()

    def keys(self) -> ContentKeys:
        disclosed = DisclosedKeys(read_disclosure(self._export))
        if disclosed or self._folder is None:
            return disclosed
        return content_keys(self._folder, self._folder.settings())


@asynccontextmanager
async def source(
    data: Path, export: Path | None, root: Path | None, *, content: bool
) -> AsyncIterator[Source]:
    """A ledger to read. With `content` the keys are got before the connection is made: a person
    at a prompt may take longer than the bus waits."""
    folder = DataFolder(data)
    if export is not None:
        known = folder if folder.settings_file.exists() else None
        public = read_public(root) if root is not None else folder.root_public()
        yield _Exported(export, public, known)
        return
    settings = folder.settings()
    keys = content_keys(folder, settings) if content else None
    client = await connect_as(folder, Role.REP)
    try:
        yield _Live(folder, client, keys)
    finally:
        await disconnect(client)
