"""`python -m tests.mutation`: how many of the gate's mutants the tests notice.

Cosmic Ray writes the mutants and runs the tests. Here is only the choice: a seeded sample of
each module's mutants, run against the tests of that module alone (`modules.TESTS`), in a copy
of the tree. With `--json` one object: by module `total`, `killed`, `survived`, and the same
under `all`. Cosmic Ray (8.7.0) is in no extra: install it beside the others.

Exit code 0 where at least 85 % are killed, 2 where the tests fail unmutated.
"""

import argparse
import json
import sys

from tests.mutation.modules import TESTS
from tests.mutation.run import Broken, Tally, mutate

TARGET = 0.85


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--module", action="append", choices=sorted(TESTS), help="repeatable")
    parser.add_argument("--sample", type=int, default=30, help="mutants of a module; 0 for all")
    parser.add_argument("--seed", type=int, default=0, help="which sample")
    parser.add_argument("--json", action="store_true", help="one JSON object with the counts")
    parser.add_argument("--diff", action="store_true", help="show each survivor")
    chosen = parser.parse_args(arguments)
    tallies: dict[str, Tally] = {}
    for module in chosen.module or sorted(TESTS):
        try:
            found = mutate(module, TESTS[module], sample=chosen.sample, seed=chosen.seed)
        except Broken as broken:
            print(broken, file=sys.stderr)
            return 2
        tallies[module] = found
        if not chosen.json:
            print(_row(module, found.total, found.killed), flush=True)
        if chosen.diff:
            print("\n".join(found.diffs), file=sys.stderr, flush=True)
    total = sum(one.total for one in tallies.values())
    killed = sum(one.killed for one in tallies.values())
    if chosen.json:
        counts = {name: _counts(one.total, one.killed) for name, one in tallies.items()}
        print(json.dumps({**counts, "all": _counts(total, killed)}))
    else:
        print(_row("all", total, killed))
    return 0 if killed >= TARGET * total else 1


def _counts(total: int, killed: int) -> dict[str, int]:
    return {"total": total, "killed": killed, "survived": total - killed}


def _row(name: str, total: int, killed: int) -> str:
    rate = f"{killed / total:.1%}" if total else "none"
    return f"{name:<16}{killed:>6} killed{total - killed:>6} survived{total:>6} total{rate:>9}"


if __name__ == "__main__":
    sys.exit(main())
