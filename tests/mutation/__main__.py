"""`python -m tests.mutation`: how many of the gate's mutants the tests notice.

Cosmic Ray writes the mutants of every module of `sidecar/gate`; a seeded sample of them is tried
against the gate's tests (`trial` says which). With `--json` one object: by module `total`,
`killed`, `survived`, and the same under `all`, with how many were `left_out` (`mutants` says
which). Cosmic Ray (8.7.0) is in no extra: install it beside the others.

Exit code 0 where at least 85 % are killed, 2 where the tests fail unmutated.
"""

import argparse
import difflib
import json
import os
import sys
from collections import Counter

from tests.mutation.mutants import GATE, Mutant, modules, mutants, sample
from tests.mutation.trial import passes_unmutated, tried

TARGET = 0.85


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--module", action="append", choices=modules(), help="repeatable")
    parser.add_argument("--sample", type=int, default=300, help="mutants to try; 0 for all")
    parser.add_argument("--seed", type=int, default=0, help="which sample")
    parser.add_argument("--at-once", type=int, default=os.cpu_count() or 1, help="trials")
    parser.add_argument("--json", action="store_true", help="one JSON object with the counts")
    parser.add_argument("--diff", action="store_true", help="show each survivor")
    chosen = parser.parse_args(arguments)
    if not passes_unmutated():
        print("the gate's tests fail unmutated: mend them first", file=sys.stderr)
        return 2
    made = [mutants(module) for module in chosen.module or modules()]
    found, left_out = [one for some, _ in made for one in some], sum(count for _, count in made)
    total: Counter[str] = Counter()
    killed: Counter[str] = Counter()
    for mutant, noticed in tried(sample(found, chosen.sample, chosen.seed), chosen.at_once):
        total[mutant.module] += 1
        killed[mutant.module] += noticed
        if chosen.diff and not noticed:
            so_far = f"{killed.total()} of {total.total()} killed so far"
            print(so_far, _difference(mutant), sep="\n", file=sys.stderr, flush=True)
    rows = {module: (total[module], killed[module]) for module in sorted(total)}
    rows["all"] = (total.total(), killed.total())
    if chosen.json:
        counts = {name: _counts(*row) for name, row in rows.items()}
        counts["all"]["left_out"] = left_out
        print(json.dumps(counts))
    else:
        print(
            f"{len(found)} mutants ({left_out} that cannot change behaviour left out), "
            f"{total.total()} tried (seed {chosen.seed})"
        )
        print("\n".join(_row(name, *row) for name, row in rows.items()))
    return 0 if killed.total() >= TARGET * total.total() else 1


def _counts(total: int, killed: int) -> dict[str, int]:
    return {"total": total, "killed": killed, "survived": total - killed}


def _row(name: str, total: int, killed: int) -> str:
    rate = f"{killed / total:.1%}" if total else "none"
    return f"{name:<16}{killed:>6} killed{total - killed:>6} survived{total:>6} total{rate:>9}"


def _difference(mutant: Mutant) -> str:
    before = (GATE / f"{mutant.module}.py").read_text(encoding="utf-8").splitlines()
    place = f"{mutant.module}.py:{mutant.line} {mutant.operator}"
    return "\n".join(
        [place, *list(difflib.unified_diff(before, mutant.source().splitlines(), n=1))[2:]]
    )


if __name__ == "__main__":
    sys.exit(main())
