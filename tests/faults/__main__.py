"""`python -m tests.faults [COMPONENT] --kills N [--json]`: kill -9 at N random moments."""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

import msgspec

from bus.component import quiet_tls_close
from tests.faults.kills import COMPONENTS, kill_at_random_moments


def main() -> int:
    """Exit 0 where every run ended, nothing ran twice and nothing was lost."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("component", nargs="?", choices=COMPONENTS, help="all, where left out")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    quiet_tls_close()
    components = (options.component,) if options.component else COMPONENTS
    with tempfile.TemporaryDirectory(prefix="anyteam-faults-") as home:
        work = kill_at_random_moments(Path(home), components, options.kills, options.seed)
        tally = asyncio.run(work)
    shown = msgspec.to_builtins(tally)
    if options.json:
        print(msgspec.json.encode(shown).decode())
    else:
        print(", ".join(f"{name} {value}" for name, value in shown.items()))
    wrong = tally.duplicates + tally.lost + tally.unfinished + tally.findings
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
