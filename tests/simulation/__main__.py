"""`python -m tests.simulation --seeds N [--first S] [--json]`: run seeds, report breaches.

The first seeds that fail are told again with as little as still fails. `--planted NAME` puts in a
sidecar that has a fault, to see that it is found.
"""

import argparse
import functools
import json
import sys
from concurrent.futures import ProcessPoolExecutor

import msgspec

from sidecar.decider import SidecarDecider
from tests.simulation.planted import PLANTED
from tests.simulation.scenario import play
from tests.simulation.shrinking import Shrunk, shrink


def main() -> int:
    """Exit 0 where no seed breaks an invariant, 1 otherwise."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--planted", choices=sorted(PLANTED), help="a fault that is to be found")
    parser.add_argument("--shrink", type=int, default=3, help="how many failing seeds to shrink")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    seeds = range(options.first, options.first + options.seeds)
    sidecar = PLANTED.get(options.planted, SidecarDecider)
    found: dict[int, list[str]] = {}
    crashes = steps = 0
    with ProcessPoolExecutor(options.jobs) as pool:
        for played in pool.map(functools.partial(play, sidecar=sidecar), seeds, chunksize=10):
            crashes += played.crashes
            steps += played.steps
            if played.violations:
                found[played.seed] = played.violations
                print(f"seed {played.seed}: {'; '.join(played.violations)}", file=sys.stderr)
    shrunk = [shrink(seed, sidecar=sidecar) for seed in sorted(found)[: options.shrink]]
    total = sum(len(v) for v in found.values())
    if options.json:
        print(
            json.dumps(
                {
                    "seeds": len(seeds),
                    "violations": total,
                    "failing": sorted(found),
                    "crashes": crashes,
                    "steps": steps,
                    "shrunk": [msgspec.to_builtins(one) for one in shrunk],
                }
            )
        )
    else:
        print(f"{len(seeds)} seeds, {crashes} crashes, {steps} steps: {total} violations")
        for one in shrunk:
            print(history(one))
    return 1 if found else 0


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
