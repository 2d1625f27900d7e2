"""Archived epochs as an export, so that `ledger.verify` holds them against the root key.

Its manifest is not read but computed, since nobody claims anything here: what is verified are the
entries and the seals. `rest` is what came after the archive, from the bus: an invalid entry at an
epoch's end is recorded as such in the next.
"""

from collections.abc import Callable, Iterator

from bus.archive import ArchivedEpoch, Entry, LedgerArchive
from bus.errors import ArchiveError
from ledger.chain import first_head, leaf_of, next_head
from ledger.checkpoint import NoteKey, origin_of
from ledger.errors import ExportDamaged
from ledger.export import FORMAT, ExportedEntry, Manifest
from ledger.merkle import Frontier


class ArchivedExport:
    """Epochs 1 to the last of `epochs`, and `rest`. Raises `ArchiveError` where one is missing or
    cannot be read.
    """

    def __init__(
        self,
        archive: LedgerArchive,
        epochs: tuple[ArchivedEpoch, ...],
        root_public: bytes,
        rest: Callable[[], Iterator[Entry]],
        rest_of_seals: tuple[str, ...],
    ) -> None:
        for number, epoch in enumerate(epochs, start=1):
            before = epochs[number - 2].last if number > 1 else 0
            if (epoch.epoch, epoch.first) != (number, before + 1):
                raise ArchiveError(
                    f"after entry {before} no archive of epoch {number} goes on",
                    fix="archive the epochs in their order",
                )
        self._archive = archive
        self._epochs = epochs
        self._rest = rest
        self._rest_of_seals = rest_of_seals
        self.manifest = self._manifest(root_public)

    def entries(self) -> Iterator[ExportedEntry]:
        """Every entry in order. Raises `ExportDamaged` where one cannot be read."""
        try:
            for entry in self.all():
                yield ExportedEntry(*entry)
        except ArchiveError as error:
            raise ExportDamaged(error.what) from error

    def seals(self) -> Iterator[str]:
        """Every seal's note in order. Raises `ExportDamaged` where one cannot be read."""
        try:
            for epoch in self._epochs:
                yield from self._archive.seals(epoch)
        except ArchiveError as error:
            raise ExportDamaged(error.what) from error
        yield from self._rest_of_seals

    def all(self) -> Iterator[Entry]:
        """Every entry in order. Raises `ArchiveError`."""
        for epoch in self._epochs:
            yield from self._archive.segments(epoch)
        yield from self._rest()

    def _manifest(self, root_public: bytes) -> Manifest:
        workspace = self._epochs[0].workspace
        frontier, head, first, last = Frontier(), first_head(workspace), 0, 0
        for index, _, body in self.all():
            frontier.append(leaf := leaf_of(body))
            head = next_head(head, leaf)
            first, last = first or index, index
        return Manifest(
            format=FORMAT,
            workspace=workspace,
            size=frontier.size,
            first=first,
            last=last,
            head=head.hex(),
            root=frontier.root().hex(),
            seals=sum(1 for _ in self.seals()),
            root_key=NoteKey(origin_of(workspace), root_public).vkey,
            made_at=0,
        )
