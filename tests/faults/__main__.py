"""`python -m tests.faults (COMPONENT | --all) --kills N [--json]`: kill -9 at N random moments.

With `--all` each component in turn is killed N times, in an installation of its own. The sidecar
is killed over runs that use every connector, the others over runs that change a deal at a CRM.
"""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

import msgspec

from bus.component import quiet_tls_close
from tests.faults.effects import kill_over_all_connectors
from tests.faults.kills import COMPONENTS, Tally, kill_at_random_moments


def main() -> int:
    """Exit 0 where every run ended, nothing ran twice and nothing was lost."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("component", nargs="?", choices=COMPONENTS)
    which.add_argument("--all", action="store_true", help="every component, one after another")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    quiet_tls_close()
    tallies: dict[str, Tally] = {}
    for component in COMPONENTS if options.all else (options.component,):
        with tempfile.TemporaryDirectory(prefix="anyteam-faults-") as home:
            if component == "sidecar":
                work = kill_over_all_connectors(Path(home), options.kills, options.seed)
            else:
                work = kill_at_random_moments(Path(home), (component,), options.kills, options.seed)
            tallies[component] = asyncio.run(work)
        if not options.json:
            shown = msgspec.to_builtins(tallies[component])
            words = ", ".join(f"{name} {value}" for name, value in shown.items())
            print(f"{component}: {words}", flush=True)
    if options.json:
        value = tallies if options.all else tallies[options.component]
        print(msgspec.json.encode(value).decode())
    return 1 if any(tally.wrong for tally in tallies.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
