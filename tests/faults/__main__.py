"""`python -m tests.faults [--minutes N] [--json]`: faults of every kind, and a checker.

`python -m tests.faults (COMPONENT | --all) --kills N [--json]` is kill -9 alone, at random moments.
With `--all` each component in turn is killed N times, in an installation of its own. The sidecar
is killed over runs that use every connector, the others over runs that change a deal at a CRM.
"""

import argparse
import asyncio
import contextlib
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec

from bus.eventloop import quiet_tls_close
from tests.faults.effects import kill_over_all_connectors
from tests.faults.kills import COMPONENTS, Tally, kill_at_random_moments
from tests.faults.nemesis import KINDS
from tests.faults.suite import Outcome, suite


def main() -> int:
    """Exit 0 where every run ended, nothing ran twice and nothing was lost."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("component", nargs="?", choices=COMPONENTS)
    which.add_argument("--all", action="store_true", help="every component, one after another")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=2.0, help="how long to injure, at least")
    parser.add_argument("--servers", type=int, choices=(1, 3, 5), default=1, help="of the bus")
    parser.add_argument("--kind", action="append", choices=KINDS, help="only this; repeat")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--home", type=Path, help="leave everything there, to look at")
    options = parser.parse_args()
    quiet_tls_close()
    if options.component is None and not options.all:
        return _suite(options)
    tallies: dict[str, Tally] = {}
    for component in COMPONENTS if options.all else (options.component,):
        with _room(options.home, component) as home:
            if component == "sidecar":
                work = kill_over_all_connectors(home, options.kills, options.seed)
            else:
                work = kill_at_random_moments(home, (component,), options.kills, options.seed)
            tallies[component] = asyncio.run(work)
        if not options.json:
            shown = msgspec.to_builtins(tallies[component])
            words = ", ".join(f"{name} {value}" for name, value in shown.items())
            print(f"{component}: {words}", flush=True)
    if options.json:
        value = tallies if options.all else tallies[options.component]
        print(msgspec.json.encode(value).decode())
    return 1 if any(tally.wrong for tally in tallies.values()) else 0


def _suite(options: argparse.Namespace) -> int:
    """Exit 0 where nothing was violated."""

    def told(outcome: Outcome) -> None:
        words = f"round {outcome.rounds}: {outcome.faults} faults, {outcome.runs} runs ended"
        found = f"{len(outcome.violations)} violations"
        print(f"{words}, {found}, {outcome.seconds:g} s", file=sys.stderr, flush=True)

    kinds = tuple(KINDS[name] for name in options.kind or KINDS)
    home = options.home or Path(tempfile.mkdtemp(prefix="anyteam-faults-"))
    outcome = asyncio.run(
        suite(home / "suite", options.minutes, options.seed, kinds, told, servers=options.servers)
    )
    if outcome.violations:
        print(f"what it found is in {home}, with logs and exports", file=sys.stderr, flush=True)
    elif options.home is None:
        shutil.rmtree(home)
    if options.json:
        print(msgspec.json.encode(outcome).decode())
    else:
        for name, value in msgspec.to_builtins(outcome).items():
            print(f"{name}: {value}")
    return 1 if outcome.violations else 0


@contextlib.contextmanager
def _room(kept: Path | None, component: str) -> Iterator[Path]:
    """A folder for one component's installations, gone again unless it is to be kept."""
    if kept is not None:
        yield kept / component
        return
    with tempfile.TemporaryDirectory(prefix="anyteam-faults-") as home:
        yield Path(home)


if __name__ == "__main__":
    sys.exit(main())
