"""`python -m tests.fuzz`: every decoder that takes bytes from outside, for as long as it is told.

With `--json` one object: `inputs`, `targets`, `seconds`, `findings` (objects `target`, `what`,
`where`, `data` in base64). Exits 1 where something was found. `--first N` goes on from there, so
that another night tries other inputs; `--target NAME` (a part of one) tries some alone.
"""

import argparse
import base64
import json
import sys
import time

from tests.fuzz.campaign import campaign
from tests.fuzz.targets import all_targets


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0, help="for how long")
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    parser.add_argument("--target", default="", help="part of the targets' names")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    chosen = parser.parse_args(arguments)
    targets = [target for target in all_targets() if chosen.target in target.name]
    if not targets:
        parser.error(f"no target's name has {chosen.target!r} in it")
    began = time.monotonic()
    end = began + 60 * chosen.minutes
    count, found = campaign(targets, until=lambda: time.monotonic() >= end, first=chosen.first)
    verdict = {
        "inputs": count,
        "targets": len(targets),
        "seconds": round(time.monotonic() - began, 1),
        "findings": [
            {
                "target": one.target,
                "what": one.what,
                "where": one.where,
                "data": base64.b64encode(one.data).decode(),
            }
            for one in found
        ],
    }
    if chosen.json:
        print(json.dumps(verdict))
    else:
        print(f"{count} inputs to {len(targets)} decoders, {len(found)} findings")
        for one in found:
            print(f"- {one.target}: {one.what} at {one.where}: {one.data[:80]!r}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
