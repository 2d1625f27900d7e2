"""`python -m tests.simulation --seeds N [--first S] [--json]`: run seeds, report breaches."""

import argparse
import json
import sys
from concurrent.futures import ProcessPoolExecutor

from tests.simulation.scenario import play


def main() -> int:
    """Exit 0 where no seed breaks an invariant, 1 otherwise."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    seeds = range(options.first, options.first + options.seeds)
    found: dict[int, list[str]] = {}
    crashes = steps = 0
    with ProcessPoolExecutor(options.jobs) as pool:
        for played in pool.map(play, seeds, chunksize=10):
            crashes += played.crashes
            steps += played.steps
            if played.violations:
                found[played.seed] = played.violations
                print(f"seed {played.seed}: {'; '.join(played.violations)}", file=sys.stderr)
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
                }
            )
        )
    else:
        print(f"{len(seeds)} seeds, {crashes} crashes, {steps} steps: {total} violations")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
