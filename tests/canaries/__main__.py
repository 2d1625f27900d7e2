"""`python -m tests.canaries [--json]`: credentials that nothing but the vault may hold, sought.

With `--json` one object: `places` that were searched, `found` (place and which canary) that
should not have been there. Exit code 0 where nothing was found.
"""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

import msgspec

from bus.component import quiet_tls_close
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
        print(msgspec.json.encode({"places": search.places, "found": search.found}).decode())
    else:
        for one in search.found:
            print(f"canary {one.canary} is in {one.place}")
        print(f"{search.places} places searched, {len(search.found)} canaries found")
    return 1 if search.found else 0


if __name__ == "__main__":
    sys.exit(main())
