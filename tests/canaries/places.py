"""Where a credential could have been left: files, processes, the ledger's events, what was said.

Each place is read whole and searched for every form of every canary (`forms`). A process's
memory is a place too, but for the sidecar's own: it is the one that must hold them.
"""

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from msgspec import Struct

from sidecar.connectors.scrubbing import forms
from tests.faults.installation import Running

_CHUNK = 1 << 22


class Finding(Struct, frozen=True):
    """A canary, by its number, in a place."""

    place: str
    canary: int


class Search:
    """What was looked at, and what was found there."""

    def __init__(self, canaries: Iterable[str]) -> None:
        self._forms = [
            (*(form.encode() for form in forms([canary])), canary[::-1].encode())
            for canary in canaries
        ]
        self._longest = max(len(form) for each in self._forms for form in each)
        self.places = 0
        self.found: list[Finding] = []

    def look(self, place: str, *pieces: bytes) -> None:
        """Look through one place, which may come in pieces that adjoin."""
        self.through(place, pieces)

    def through(self, place: str, pieces: Iterable[bytes]) -> None:
        """The same, for pieces that are read as they are needed."""
        self.places += 1
        seen: set[int] = set()
        tail = b""
        for piece in pieces:
            data = tail + piece
            for number, each in enumerate(self._forms):
                if number not in seen and any(form in data for form in each):
                    seen.add(number)
                    self.found.append(Finding(place, number))
            tail = data[-self._longest :]

    def files(self, folder: Path, *, leaving_out: Iterable[Path] = ()) -> None:
        """Every file below a folder, and its name."""
        left_out = set(leaving_out)
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink() and path not in left_out:
                with contextlib.suppress(FileNotFoundError):
                    self.through(str(path), _read(path))

    def process(self, process: Running, *, memory: bool) -> None:
        """A process's arguments and environment, and where asked all that it can write to."""
        name = " ".join(process.argv[:6])
        self.look(f"arguments of {name}", "\0".join(process.argv).encode())
        self.look(f"environment of {name}", process.environ)
        if memory:
            with contextlib.suppress(ProcessLookupError, FileNotFoundError):
                self.through(f"memory of {name}", _memory(process.pid))


def may_read_memory(pid: int) -> bool:
    """Whether this user may read another process's memory here; it takes privileges."""
    try:
        next(_memory(pid), b"")
    except PermissionError:
        return False
    except (FileNotFoundError, ProcessLookupError):
        # It has ended since, and there is nothing left to read.
        return True
    return True


def _read(path: Path) -> Iterator[bytes]:
    yield path.name.encode()
    with path.open("rb") as file:
        while piece := file.read(_CHUNK):
            yield piece


def _memory(pid: int) -> Iterator[bytes]:
    """A process's writable memory, region by region (proc(5))."""
    regions = Path(f"/proc/{pid}/maps").read_text().splitlines()
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for region in regions:
            bounds, rights, *_ = region.split()
            first, last = (int(bound, 16) for bound in bounds.split("-"))
            if "w" not in rights:
                continue
            for at in range(first, last, _CHUNK):
                # A region may be gone by now, or be none that can be read.
                with contextlib.suppress(OSError, OverflowError):
                    memory.seek(at)
                    yield memory.read(min(_CHUNK, last - at))
