"""`python -m tests.drill`: an installation is lost in three ways and brought back.

With `--json` one object: `losses`, each with `loss`, `by`, `seconds`, `before`, `after`, `lost`,
`noticed`, `ok`. Exits 1 where something does not verify, or is lost without being noticed.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path

import msgspec

from tests.drill.losses import drill


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.drill", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="anyteam-drill-") as home:
        found = asyncio.run(drill(Path(home)))
    if chosen.json:
        print(json.dumps({"losses": [msgspec.to_builtins(one) for one in found]}))
    else:
        for one in found:
            print(
                f"{one.loss} lost, back by {one.by} in {one.seconds} s: {one.lost} of {one.before}"
                f" entries lost{', noticed' if one.noticed else ''}; {one.after} verified since"
            )
    return 0 if all(one.ok and one.noticed == (one.lost > 0) for one in found) else 1


if __name__ == "__main__":
    sys.exit(main())
