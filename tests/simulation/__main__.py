"""`python -m tests.simulation --seeds N [--first S] [--keep FILE] [--json]`: play, tell breaches.

The nightly form is `--seeds 100000 --keep night.json`: over all cores, with its progress told, and
the same command goes on where it was ended. The first seeds that fail are told again with as little
as still fails. `--planted NAME` puts in a sidecar that has a fault, to see that it is found.
"""

import argparse
import functools
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import msgspec

from schemas.errors import AnyTeamError
from sidecar.decider import SidecarDecider
from tests.simulation.night import Night, after, begun, code, keep
from tests.simulation.planted import PLANTED
from tests.simulation.scenario import Played, play
from tests.simulation.shrinking import Shrunk, shrink

KEEP_EVERY = 500
TELL_EVERY_S = 30.0
BLOCK = 5_000


def main() -> int:
    """Exit 0 where no seed breaks an invariant, 1 where one does, 2 on a file that does not fit."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--seeds", type=int, default=200, help="how many, from --first on")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--keep", type=Path, help="a file to go on from, and to keep up")
    parser.add_argument("--planted", choices=sorted(PLANTED), help="a fault that is to be found")
    parser.add_argument("--shrink", type=int, default=3, help="how many failing seeds to shrink")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    # Ended by whoever minds it, it keeps how far it came, as when it is interrupted.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sidecar = PLANTED.get(options.planted, SidecarDecider)
    started = time.monotonic()
    try:
        night = begun(options.keep, f"{code()} {options.planted or ''}".strip(), options.first)
    except AnyTeamError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    resumed = night.played
    night = _played(night, options.seeds, options.jobs, sidecar, options.keep)
    shrunk = [shrink(seed, sidecar=sidecar) for seed in sorted(night.found)[: options.shrink]]
    if options.json:
        told = {
            "seeds": night.played,
            "first": night.first,
            "resumed": resumed,
            "seconds": round(time.monotonic() - started, 1),
            "violations": night.violations,
            "failing": sorted(night.found),
            "crashes": night.crashes,
            "steps": night.steps,
            "entries": night.entries,
            "shrunk": [msgspec.to_builtins(one) for one in shrunk],
        }
        print(json.dumps(told))
    else:
        print(_in_words(night))
        for one in shrunk:
            print(history(one))
    return 1 if night.found else 0


def _played(
    night: Night, seeds: int, jobs: int, sidecar: type[SidecarDecider], path: Path | None
) -> Night:
    """The night with all its seeds; kept up in `path`, also where it is ended."""
    begin, last = time.monotonic(), time.monotonic()
    before = night.played
    try:
        for played in _plays(night.first + night.played, night.first + seeds, jobs, sidecar):
            night = after(night, played)
            if played.violations:
                print(f"seed {played.seed}: {'; '.join(played.violations)}", file=sys.stderr)
            if path is not None and night.played % KEEP_EVERY == 0:
                keep(path, night)
            now = time.monotonic()
            if now - last >= TELL_EVERY_S:
                last = now
                left = (now - begin) / (night.played - before) * (seeds - night.played)
                print(f"{_in_words(night)}; {left / 60:.0f} minutes left", file=sys.stderr)
    finally:
        if path is not None:
            keep(path, night)
    return night


def _plays(first: int, end: int, jobs: int, sidecar: type[SidecarDecider]) -> Iterator[Played]:
    """Each seed in order. Each some thousand have processes of their own, which grow with them."""
    for start in range(first, end, BLOCK):
        some = range(start, min(start + BLOCK, end))
        with ProcessPoolExecutor(jobs) as pool:
            try:
                yield from pool.map(functools.partial(play, sidecar=sidecar), some, chunksize=10)
            finally:
                pool.shutdown(wait=False, cancel_futures=True)


def _in_words(night: Night) -> str:
    return (
        f"{night.played} seeds from {night.first} on, {night.crashes} crashes,"
        f" {night.steps} steps: {night.violations} violations"
    )


def history(shrunk: Shrunk) -> str:
    """A smallest failing history, as a person reads it."""
    halt = [f"halt: {shrunk.halt}"] if shrunk.halt else []
    failing = ["tools fail at times"] if shrunk.failing else []
    lines = [*shrunk.steps, *halt, *failing, *shrunk.mishaps]
    told = "".join(f"\n  {line}" for line in lines)
    broken = "".join(f"\n  broken: {violation}" for violation in shrunk.violations)
    return (
        f"\nseed {shrunk.seed}, {shrunk.after} of {shrunk.before} parts,"
        f" {shrunk.entries} entries:{told}{broken}"
    )


if __name__ == "__main__":
    sys.exit(main())
