"""`python -m tests.canaries [--json]`: credentials that nothing but the vault may hold, sought.

With `--json` one object: how many `places` were searched, how many canaries were `found` that
should not have been there, and `where` (place and which canary). Exit code 0 where none was found.
"""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

import msgspec

from bus.eventloop import quiet_tls_close
from tests.canaries.places import Search
from tests.canaries.story import play


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.canaries", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object")
    options = parser.parse_args()
    quiet_tls_close()
    with tempfile.TemporaryDirectory(prefix="anyteam-canaries-") as home:
        search = asyncio.run(play(Path(home)))
    if options.json:
        print(msgspec.json.encode(summary(search)).decode())
    else:
        for one in search.found:
            print(f"canary {one.canary} is in {one.place}")
        print(f"{search.places} places searched, {len(search.found)} canaries found")
    return 1 if search.found else 0


def summary(search: Search) -> dict[str, object]:
    """The figures, and the places behind them."""
    return {"places": search.places, "found": len(search.found), "where": search.found}


if __name__ == "__main__":
    sys.exit(main())
