"""Gated actions by how many runs are at work at once, and in how many workspaces, with the floor.

Each run has one action at a time, and asks for the next once that is done. Each workspace is an
installation of its own with its own bus, and its floor a bus of its own with the bare hops.
"""

import argparse
import asyncio
import contextlib
import os
from collections.abc import Sequence
from typing import Any, Final

import uvloop

from bench.floor import Shape
from bench.gated import Played, latencies, play, play_bare, shape_of, steady_rate
from bench.house import fsync_us, installation, quantile
from bench.living import cpu_by_part
from bus.eventloop import quiet_tls_close
from tests.faults.installation import below

ACTIONS: Final = 60
RUNS: Final = (1, 2, 4, 8, 16)
WORKSPACES: Final = (1, 2, 4)
OF_EACH: Final = 4
"""Runs of a workspace, where there are several."""


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """`runs` and `workspaces`: by figure and by how many there are, latencies in ms (`p50_ms`,
    `p99_ms`), actions a second in all (`per_s`), the floor's, CPU in ms an action, and what one
    bare fsync took (`fsync_us`) between the two.
    """
    quiet_tls_close()
    return uvloop.run(_measure(options.actions or ACTIONS))


async def _measure(actions: int) -> dict[str, Any]:
    found: dict[str, dict[str, dict[str, float]]] = {"runs": {}, "workspaces": {}}
    cases = [("runs", runs, 1, runs) for runs in RUNS]
    cases += [("workspaces", count, count, OF_EACH) for count in WORKSPACES]
    for name, count, workspaces, runs in cases:
        for figure, value in (await _at(workspaces, runs, actions)).items():
            found[name].setdefault(figure, {})[str(count)] = value
    return found


async def _at(workspaces: int, runs: int, actions: int) -> dict[str, float]:
    """Every figure with `runs` at work in each of so many workspaces."""
    async with contextlib.AsyncExitStack() as opened:
        houses = [installation(actions, max_actions=actions) for _ in range(workspaces)]
        folders = await asyncio.gather(*(opened.enter_async_context(one) for one in houses))
        before = _cpu_ms()
        ours = await asyncio.gather(*(play(folder, runs, actions) for folder in folders))
        cpu = (_cpu_ms() - before) / (workspaces * runs * actions)
    synced_us = fsync_us()
    floor = await _floor(shape_of(ours[0]), workspaces, runs, actions)
    mine, theirs = _figures(ours), _figures(floor)
    return {
        **mine,
        **{f"floor_{name}": value for name, value in theirs.items()},
        "ratio_p50": mine["p50_ms"] / theirs["p50_ms"],
        "ratio_per_s": mine["per_s"] / theirs["per_s"],
        "cpu_ms_per_action": cpu,
        "fsync_us": synced_us,
    }


async def _floor(shape: Shape, workspaces: int, runs: int, actions: int) -> Sequence[Played]:
    return await asyncio.gather(*(play_bare(shape, runs, actions) for _ in range(workspaces)))


def _figures(played: Sequence[Played]) -> dict[str, float]:
    took = [ms for one in played for ms in latencies(one.done)]
    return {
        "p50_ms": quantile(took, 0.5),
        "p99_ms": quantile(took, 0.99),
        "per_s": sum(steady_rate(one.done) for one in played),
    }


def _cpu_ms() -> float:
    """Of everything below this process, but itself, so far."""
    return sum(cpu_by_part(below(os.getpid())).values()) * 1_000
