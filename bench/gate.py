"""A gated action end to end on a real installation, beside its bare durable hops.

Latency is that of a single run. Throughput is over the window in which all of several runs are at
work, each with one action at a time. CPU is that of every process but the reader's own, over the
runs at once, their starts included.
"""

import argparse
from typing import Any, Final

import uvloop

from bench.floor import BARE
from bench.gated import latencies, play, play_bare, shape_of, steady_rate
from bench.house import fsync_us, installation, quantile
from bus.eventloop import quiet_tls_close

ACTIONS: Final = 150
BARE_IN_FLIGHT: Final = 64


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Latencies in ms and actions a second, with those of the floor, and the ratios."""
    quiet_tls_close()
    return uvloop.run(_measure(options.actions or ACTIONS, options.runs))


async def _measure(actions: int, runs: int) -> dict[str, Any]:
    async with installation(actions, max_actions=actions) as folder:
        alone = await play(folder, 1, actions)
        together = await play(folder, runs, actions)
    shape, synced_us = shape_of(alone), fsync_us()
    floor = latencies((await play_bare(shape, 1, actions)).done)
    floor_together = await play_bare(shape, runs, actions)
    bare = latencies((await play_bare(BARE, 1, actions)).done)
    bare_together = await play_bare(BARE, 1, actions * runs, min(BARE_IN_FLIGHT, actions))
    whole = latencies(alone.done)
    per_s, floor_per_s = steady_rate(together.done), steady_rate(floor_together.done)
    p50, floor_p50 = quantile(whole, 0.5), quantile(floor, 0.5)
    cpu, floor_cpu = sum(together.cpu.values()), sum(floor_together.cpu.values())
    return {
        "p50_ms": p50,
        "p99_ms": quantile(whole, 0.99),
        "per_s": per_s,
        "floor_p50_ms": floor_p50,
        "floor_per_s": floor_per_s,
        "ratio_p50": p50 / floor_p50,
        "ratio_per_s": per_s / floor_per_s,
        "cpu_ms_per_action": cpu,
        "floor_cpu_ms_per_action": floor_cpu,
        "ratio_cpu": cpu / floor_cpu,
        "cpu_ms_per_action_by_part": _rounded(together.cpu),
        "floor_cpu_ms_per_action_by_part": _rounded(floor_together.cpu),
        "fsync_us": synced_us,
        "bare_p50_ms": quantile(bare, 0.5),
        "bare_per_s": steady_rate(bare_together.done),
    }


def _rounded(cpu: dict[str, float]) -> dict[str, float]:
    return {part: round(used, 2) for part, used in sorted(cpu.items())}
