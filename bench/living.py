"""The memory of what is at work: an installation's processes, and the share of its runs'.

Memory is what the kernel counts to a process with its part of what it shares (PSS): of pages that a
nursery and its children have in common, each has its share. Where it is not to be read, as of
another user's process, the resident size is taken, which counts shared pages in full.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Final

from msgspec import Struct

from console.supervisor import Supervisor
from tests.faults.installation import Running, below

RUN_PROGRAMS: Final = (("agents", "runtime"), ("judge",))
NURSERY: Final = "bus.nursery"
FLOOR: Final = "bench.floor"
_EVERY_S: Final = 5.0
_TICKS: Final = os.sysconf("SC_CLK_TCK")


class Peaks(Struct):
    """The most that an installation's processes held together, in MB."""

    megabytes: float = 0.0


@contextlib.asynccontextmanager
async def watching(supervisor: Supervisor) -> AsyncIterator[Peaks]:
    """Look every few seconds."""
    peaks = Peaks()

    async def look() -> None:
        while True:
            now = await asyncio.to_thread(lambda: megabytes(below(os.getpid())))
            peaks.megabytes = max(peaks.megabytes, now)
            await asyncio.sleep(_EVERY_S)

    looking = asyncio.ensure_future(look())
    try:
        yield peaks
    finally:
        looking.cancel()


def of_runs(processes: Iterable[Running]) -> list[Running]:
    """The processes of runs, those that stand ready for one, and their nurseries."""
    return [
        one
        for one in processes
        if NURSERY in one.argv or any(one.argv[-len(p) :] == p for p in RUN_PROGRAMS)
    ]


def cpu_by_part(processes: Iterable[Running]) -> dict[str, float]:
    """Seconds of CPU so far by what each process is; a nursery has those of its ended children."""
    found: dict[str, float] = {}
    for process in processes:
        with contextlib.suppress(OSError):
            used = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
            own, children = used[11:13], used[13:15]
            name = _part(process.argv)
            ticks = [*own, *(children if name == "runs" else [])]
            found[name] = found.get(name, 0.0) + sum(map(int, ticks)) / _TICKS
    return found


def _part(argv: tuple[str, ...]) -> str:
    if of_runs([Running(0, argv, b"")]):
        return "runs"
    words = [word for word in argv if word not in ("-I", "-m")]
    first = Path(words[0]).name if words else ""
    if not first.startswith("python"):
        return first.partition(":")[0].partition(" ")[0]
    named = "orchestrator" in words or words[1] == FLOOR
    return ".".join(words[1:3]) if named else Path(words[1]).name


def megabytes(processes: Iterable[Running]) -> float:
    """What these processes hold, in MB; those that have ended meanwhile hold nothing."""
    return sum(_kib(process.pid) for process in processes) / 1024


def _kib(pid: int) -> int:
    try:
        found = Path(f"/proc/{pid}/smaps_rollup").read_text()
        return int(found.partition("\nPss:")[2].split()[0])
    except (OSError, IndexError, ValueError):
        return _resident(pid)


def _resident(pid: int) -> int:
    with contextlib.suppress(OSError):
        found = Path(f"/proc/{pid}/status").read_text()
        if "VmRSS:" in found:
            return int(found.partition("VmRSS:")[2].split()[0])
    return 0
