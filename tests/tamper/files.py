"""Bits flipped in an export's files, as they lie on disk and are read back."""

import random
from pathlib import Path

from ledger.errors import ExportDamaged
from ledger.export import ENTRIES, MANIFEST, SEALS, ExportReader
from ledger.verify import verify
from tests.ledgers import write_export
from tests.tamper.scene import LEDGER, remembered


class Disk:
    """A good export below `home`, of which each trial spoils one file and mends it again."""

    def __init__(self, home: Path) -> None:
        self._folder = write_export(LEDGER, home / "export")
        self._good = {n: (self._folder / n).read_bytes() for n in (ENTRIES, SEALS, MANIFEST)}

    def tried(self, number: int) -> str:
        """What verification makes of the flips of this number."""
        chance = random.Random(f"file {number}")
        name = chance.choice((ENTRIES, ENTRIES, SEALS, MANIFEST))
        good = self._good[name]
        bent = bytearray(good)
        for _ in range(chance.choice((1, 1, 2, 5))):
            bent[chance.randrange(len(bent))] ^= 1 << chance.randrange(8)
        if chance.random() < 0.1:
            del bent[chance.randrange(len(bent)) :]
        if bent == good:
            return "found"
        (self._folder / name).write_bytes(bent)
        try:
            report = verify(ExportReader(self._folder), LEDGER.root_public, check=remembered)
        except ExportDamaged:
            return "found"
        finally:
            (self._folder / name).write_bytes(good)
        if not report.ok:
            return "found"
        return "a date" if name == MANIFEST and _only_the_date(bytes(bent), good) else "missed"


def _only_the_date(bent: bytes, good: bytes) -> bool:
    start = good.index(b'"made_at"')
    return bent[:start] == good[:start]
