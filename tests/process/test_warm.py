"""Processes that stand ready: walled in, with nothing but their pipes, and replaceable."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from agents.warm import Warm
from bus.confinement import Cell
from schemas.confinement import Wall
from schemas.settings import SandboxSettings
from tests.faults.installation import Running, below

PATIENCE_S = 60


@pytest_asyncio.fixture
async def warm(tmp_path: Path) -> AsyncIterator[Warm]:
    found = Warm(("judge",), 1, tmp_path / "nursery.log")
    yield found
    await found.close()


def cell(home: Path) -> Cell:
    return Cell(port=4222, hidden=str(home), memory_mb=1024, cpu_s=600)


def nurseries() -> list[Running]:
    return [one for one in below(os.getpid()) if "bus.nursery" in one.argv]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.01)


@pytest.mark.skipif(os.geteuid() != 0, reason="these processes let only root look into them")
async def test_children_share_no_pipe_or_socket_with_one_another_or_the_nursery(
    warm: Warm, tmp_path: Path
) -> None:
    first = await warm.take(tmp_path / "first.log", cell(tmp_path))
    await until(lambda: len(nurseries()) == 3)
    family = [one.pid for one in nurseries()]

    def apart() -> bool:
        held = [_lines(pid) for pid in family]
        return sum(map(len, held)) == len(set().union(*held))

    # Each shuts what it was forked with before anything else.
    await until(apart)
    second = await warm.take(tmp_path / "second.log", cell(tmp_path))
    await second.confine(cell(tmp_path), SandboxSettings(), "judge-2")
    await asyncio.gather(first.end(), second.end())
    assert first.code is not None and second.code is not None


async def test_one_that_is_walled_in_for_another_place_is_not_taken(
    warm: Warm, tmp_path: Path
) -> None:
    first = await warm.take(tmp_path / "first.log", cell(tmp_path))
    await until(lambda: len(nurseries()) == 3)
    elsewhere = Cell(port=4223, hidden=str(tmp_path), memory_mb=1024, cpu_s=600)
    second = await warm.take(tmp_path / "second.log", elsewhere)
    said = await second.confine(elsewhere, SandboxSettings(), "judge-2")
    await asyncio.gather(first.end(), second.end())
    assert Wall.DESCRIPTORS in said.in_force
    assert second.cell == elsewhere


async def test_a_nursery_that_is_killed_costs_no_run(warm: Warm, tmp_path: Path) -> None:
    first = await warm.take(tmp_path / "first.log", cell(tmp_path))
    [nursery] = [one for one in nurseries() if _parent(one.pid) == os.getpid()]
    os.kill(nursery.pid, signal.SIGKILL)
    second = await warm.take(tmp_path / "second.log", cell(tmp_path))
    said = await second.confine(cell(tmp_path), SandboxSettings(), "judge-2")
    # Nobody tells how a child of the dead one ends; that it has ended is known all the same.
    await asyncio.gather(first.end(), second.end())
    assert Wall.DESCRIPTORS in said.in_force
    assert first.code is not None


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def _lines(pid: int) -> set[str]:
    """The pipes and sockets that a process has open."""
    shown = set()
    for one in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            shown.add(os.readlink(one))
    return {one for one in shown if one.startswith(("pipe:", "socket:"))}
