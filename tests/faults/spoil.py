"""Torn, corrupted and lost files under the streams of a bus that is down, and what comes of them.

Each trial spoils one file of a copy of the bus's store and starts a real server on it, as the
installation would. What is served then must be the ledger as it was, byte for byte, or be refused,
or be found by verification with the checkpoint that an auditor keeps. What verification finds
without that checkpoint the sidecar must not go on from.
"""

import asyncio
import contextlib
import json
import random
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from bus.component import READING
from bus.errors import BusError
from bus.folder import DataFolder
from bus.lifeline import guarded
from console.installation import start_bus
from console.taking import take_whole
from ledger.errors import ExportDamaged
from ledger.export import ENTRIES, ExportReader
from ledger.verify import verify
from schemas.errors import AnyTeamError

Spoil = Callable[[Path, random.Random], str]
"""Harms one file; what was done to it, in words."""

READ_S: Final = 20.0
"""How long a server may take to give what it has; one that never does refuses it."""

SIDECAR_S: Final = 40.0


def torn(file: Path, dice: random.Random) -> str:
    """The file ends early, as where the machine went down with it half written."""
    size = file.stat().st_size
    end = dice.randrange(size) if dice.random() < 0.5 else max(0, size - dice.randrange(1, 200))
    with file.open("r+b") as opened:
        opened.truncate(end)
    return f"torn at {end} of {size}"


def corrupted(file: Path, dice: random.Random) -> str:
    """Some bits are flipped, or a page is zero."""
    data = bytearray(file.read_bytes())
    if dice.random() < 0.2:
        at = dice.randrange(len(data)) // 4096 * 4096
        page = data[at : at + 4096]
        data[at : at + 4096] = bytes(len(page))
        what = f"the page at {at} is zero"
    else:
        places = sorted(dice.randrange(len(data)) for _ in range(dice.choice((1, 1, 8))))
        for place in places:
            data[place] ^= 1 << dice.randrange(8)
        what = f"bits flipped at {places}"
    file.write_bytes(data)
    return what


def lost(file: Path, dice: random.Random) -> str:
    """The file is not there."""
    file.unlink()
    return "lost"


WAYS: Final[dict[str, Spoil]] = {"torn file": torn, "corrupted file": corrupted, "lost file": lost}


class Trials:
    """Trials on one installation that is down. `whole` is its ledger as it was exported before."""

    def __init__(self, folder: DataFolder, whole: Path, kept: str, seed: str) -> None:
        self.folder, self.whole, self.kept = folder, whole, kept
        self.dice = random.Random(seed)
        self.ends: dict[str, int] = {"whole": 0, "refused": 0, "found": 0}

    async def one(self, home: Path) -> tuple[str, str]:
        """Spoil a copy under `home`; (the kind of fault, the violation or nothing)."""
        view = self._copy(home)
        store = view.root / "nats"
        stores = (path for path in store.rglob("jetstream") if path.is_dir())
        files = sorted(
            file
            for path in stores
            for file in path.rglob("*")
            if file.is_file() and file.stat().st_size
        )
        blocks = [file for file in files if file.suffix == ".blk"]
        file = self.dice.choice(blocks if self.dice.random() < 0.7 else files)
        way = self.dice.choice(("torn file", "corrupted file", "corrupted file", "lost file"))
        what = f"{file.relative_to(store)}: {WAYS[way](file, self.dice)}"
        try:
            return way, await self._judged(view, home / "export", what)
        finally:
            shutil.rmtree(home)

    async def _judged(self, view: DataFolder, out: Path, what: str) -> str:
        try:
            server, site = await start_bus(view, view.settings())
        except BusError:
            self.ends["refused"] += 1
            return ""
        try:
            view.bus_file.write_text(json.dumps({"url": site.url}))
            try:
                async with asyncio.timeout(READ_S):
                    await take_whole(view.root, out)
                found = self._findings(out, self.kept)
            except (AnyTeamError, TimeoutError):
                self.ends["refused"] += 1
                return ""
            if _bytes(out) == _bytes(self.whole):
                self.ends["whole"] += 1
                return ""
            if not found:
                return f"silently accepted: {what}"
            self.ends["found"] += 1
            if self._findings(out, None) and self.dice.random() < 0.3:
                return await self._sidecar_refuses(view, what)
            return ""
        finally:
            await server.stop()

    def _findings(self, out: Path, kept: str | None) -> int:
        try:
            reader = ExportReader(out)
            return len(verify(reader, self.folder.root_public(), checkpoint=kept).findings)
        except ExportDamaged:
            return 1

    async def _sidecar_refuses(self, view: DataFolder, what: str) -> str:
        """A sidecar that has no snapshot to start behind the damage must end, and not decide."""
        command = [sys.executable, "-I", "-m", "sidecar", "--data", str(view.root)]
        process = await asyncio.create_subprocess_exec(
            *guarded(command),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        assert process.stdin is not None and process.stdout is not None
        line = READING
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SIDECAR_S):
                while line.startswith(READING):
                    line = await process.stdout.readline()
        process.stdin.close()
        await process.wait()
        return f"the sidecar goes on from: {what}" if line == b"ready\n" else ""

    def _copy(self, home: Path) -> DataFolder:
        view = home / "data"
        (view / "run").mkdir(parents=True)
        (view / "snapshots").mkdir()
        (view / "outbox").mkdir()
        for held in self.folder.root.iterdir():
            if held.name == "nats":
                shutil.copytree(held, view / "nats")
            elif not (view / held.name).exists():
                (view / held.name).symlink_to(held)
        return DataFolder(view)


def _bytes(export: Path) -> bytes:
    return (export / ENTRIES).read_bytes()
