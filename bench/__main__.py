"""`python -m bench NAME [--json]`: run one benchmark; the last line with `--json` is one object."""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import (
    detection,
    gate,
    halt,
    layers,
    load,
    markers,
    publish,
    report,
    restart,
    start,
    verify,
    webhooks,
)
from bench.errors import BenchError

Measure = Callable[[argparse.Namespace], dict[str, Any]]


def _agentdojo(options: argparse.Namespace) -> dict[str, Any]:
    """Imported when asked for: the benchmark is an extra."""
    from bench.agentdojo.report import measure

    return measure(options)


def _console(options: argparse.Namespace) -> dict[str, Any]:
    """Imported when asked for: its client is not among the installed requirements of all."""
    from bench.console import measure

    return measure(options)


def _day(options: argparse.Namespace) -> dict[str, Any]:
    """Imported when asked for: the stores are extras."""
    from bench.day import measure

    return measure(options)


def _growth(options: argparse.Namespace) -> dict[str, Any]:
    """Imported when asked for: the stores are extras."""
    from bench.growth import measure

    return measure(options)


def _peers(options: argparse.Namespace) -> dict[str, Any]:
    """Imported when asked for: it needs the stores, and an environment for the peers."""
    from bench.peers.measure import measure

    return measure(options)


def _rebuild(options: argparse.Namespace) -> dict[str, Any]:
    """Imported when asked for: the stores are extras."""
    from bench.rebuild import measure

    return measure(options)


def _scale(options: argparse.Namespace) -> dict[str, Any]:
    """Imported when asked for: its browser is not among the installed requirements of all."""
    from bench.scale import measure

    return measure(options)


def _speech(options: argparse.Namespace) -> dict[str, Any]:
    """Imported when asked for: it needs the extras `desktop`, `speech-model` and `dev`."""
    from bench.speech import measure

    return measure(options)


BENCHMARKS: dict[str, Measure] = {
    "agentdojo": _agentdojo,
    "console": _console,
    "day": _day,
    "detection": detection.measure,
    "gate": gate.measure,
    "growth": _growth,
    "halt": halt.measure,
    "layers": layers.measure,
    "load": load.measure,
    "markers": markers.measure,
    "peers": _peers,
    "publish": publish.measure,
    "rebuild": _rebuild,
    "report": report.measure,
    "restart": restart.measure,
    "scale": _scale,
    "speech": _speech,
    "start": start.measure,
    "verify": verify.measure,
    "webhooks": webhooks.measure,
}


USUAL, LARGE = 5_000, 20_000
"""Events, unless `--events` says."""


def main(words: list[str] | None = None) -> int:
    """Measure, print, exit 0."""
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("name", choices=sorted(BENCHMARKS))
    parser.add_argument("--json", action="store_true")
    parser.add_argument(
        "--events",
        type=int,
        help="console, publish, peers, restart, scale, webhooks: how many (5,000); rebuild, verify:"
        " how many (20,000, so that their helpers' start does not count)",
    )
    parser.add_argument(
        "--peers", type=Path, help="peers: the Python of an environment that has them"
    )
    parser.add_argument("--cores", type=int, default=1, help="verify: processes that check")
    parser.add_argument(
        "--actions",
        type=int,
        help="gate, load: of each run (150, 60); day: in all (100,000; in a report 1,000)",
    )
    parser.add_argument("--per-run", type=int, default=25, help="day: actions of each run")
    parser.add_argument("--desks", type=int, default=16, help="day: live runs at once")
    parser.add_argument("--minutes", type=float, help="day: ask for no run after so many")
    parser.add_argument("--reps", type=int, help="day: people with a key (one to 100 actions)")
    parser.add_argument(
        "--up-to", type=int, help="growth: the most events (100,000; in a report 10,000)"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("bench-report"), help="report: the folder it goes to"
    )
    parser.add_argument("--core-hour", type=float, help="report: what a core costs an hour (0.04)")
    parser.add_argument("--starts", type=int, default=30, help="start: runs one after another")
    parser.add_argument(
        "--warm", type=int, default=2, help="start: runs that processes stand ready for"
    )
    parser.add_argument("--runs", type=int, default=6, help="gate: live runs for throughput")
    parser.add_argument(
        "--live", type=int, help="halt: the most runs at once (100); start: runs at once (10)"
    )
    parser.add_argument(
        "--suite", action="append", default=[], help="agentdojo: only this suite, repeatable"
    )
    parser.add_argument(
        "--readme", type=Path, help="agentdojo: write the tables between this file's marks"
    )
    parser.add_argument(
        "--home", type=Path, help="scale: a folder to keep; what was done there is gone on with"
    )
    parser.add_argument(
        "--stage",
        choices=("written", "from-nothing", "started", "exported", "verified"),
        help="scale: end after this one (all)",
    )
    options = parser.parse_args(words)
    if options.events is None:
        options.events = LARGE if options.name in {"rebuild", "verify"} else USUAL
    try:
        figures = BENCHMARKS[options.name](options)
    except BenchError as error:
        print(f"bench {options.name}: {error}", file=sys.stderr)
        return error.exit_code
    for name, value in figures.items():
        shown = f"{value:,.2f}" if isinstance(value, int | float) else value
        print(f"{name:>34}  {shown}", file=sys.stderr)
    if options.json:
        print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
