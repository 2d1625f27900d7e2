"""One command for all of it: `python -m bench report --out FOLDER`, in Markdown with plots.

Each benchmark runs in a process of its own, one after another, for no longer than its time; what
fails or takes longer is named with what it said, and the rest goes on. Figures are this machine's
at this hour: the floors beside them are what to compare.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

CORE_HOUR: Final = 0.04
"""What an hour of one core is taken to cost, where `--core-hour` says nothing else."""


class Part(Struct, frozen=True):
    """One benchmark: its words on the command line, and the most seconds that it may take."""

    name: str
    words: tuple[str, ...]
    most_s: int


class Curve(Struct, frozen=True):
    """A plot: its file, title and unit, the figures that are drawn, and what they are against."""

    file: str
    title: str
    unit: str
    names: tuple[str, ...]
    of: str


_EVENTS, _RUNS = "events in the ledger", "runs at work"
_RATES: Final = ("append", "verify", "projection")
_STARTS: Final = ("start", "start_from_snapshot")
_LATENCIES: Final = ("p50_ms", "p99_ms", "floor_p50_ms", "floor_p99_ms")
CURVES: Final[Mapping[str, Sequence[Curve]]] = {
    "growth": (
        Curve("growth-rates.svg", "Events a second", "events/s", _RATES, _EVENTS),
        Curve("growth-times.svg", "One decision, one proof", "µs", ("gate", "proof"), _EVENTS),
        Curve("growth-start.svg", "The sidecar's start", "s", _STARTS, _EVENTS),
    ),
    "load": (
        Curve("load-latency.svg", "A gated action, and its bare hops", "ms", _LATENCIES, _RUNS),
        Curve("load-rate.svg", "Actions a second", "1/s", ("per_s", "floor_per_s"), _RUNS),
    ),
}


class Outcome(Struct, frozen=True):
    """What came of a part: its figures, or why there are none."""

    figures: Mapping[str, Any] = {}
    problem: str = ""


PARTS: Final = (
    Part("publish", (), 120),
    Part("verify", ("--cores", "2"), 300),
    Part("gate", (), 300),
    Part("load", (), 600),
    Part("peers", (), 900),
    Part("layers", (), 180),
    Part("start", (), 240),
    Part("restart", (), 120),
    Part("rebuild", (), 180),
    Part("webhooks", (), 240),
    Part("growth", ("--up-to", "{up_to}"), 2_400),
    Part("day", ("--actions", "{actions}"), 3_600),
)


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Run every part and write `report.md` and the plots into `--out`; how many parts failed."""
    out: Path = options.out
    out.mkdir(parents=True, exist_ok=True)
    given = {"up_to": options.up_to or 10_000, "actions": options.actions or 1_000}
    found: dict[str, Outcome] = {}
    for part in PARTS:
        print(f"{part.name} ...", file=sys.stderr, flush=True)
        found[part.name] = _run(part, given)
    plots = {name: _plots(name, out, found[name].figures) for name in ("growth", "load")}
    text = written(found, plots, options.core_hour or CORE_HOUR, datetime.now(UTC), machine())
    (out / "report.md").write_text(text, encoding="utf-8")
    failed = [name for name, outcome in found.items() if outcome.problem]
    return {"parts": len(found), "failed": failed, "report": str(out / "report.md")}


def _run(part: Part, given: Mapping[str, int]) -> Outcome:
    words = [word.format(**given) for word in part.words]
    command = [sys.executable, "-m", "bench", part.name, "--json", *words]
    try:
        ended = subprocess.run(
            command,
            cwd=Path(__file__).parents[1],
            capture_output=True,
            text=True,
            timeout=part.most_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Outcome(problem=f"took longer than {part.most_s} s")
    if ended.returncode != 0:
        last = ended.stderr.strip().splitlines()[-1:] or ["nothing was said"]
        return Outcome(problem=f"exit code {ended.returncode}: {last[0]}")
    return Outcome(json.loads(ended.stdout.strip().splitlines()[-1]))


def machine() -> str:
    """What this was measured on, in words."""
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def written(
    found: Mapping[str, Outcome],
    plots: Mapping[str, Sequence[str]],
    core_hour: float,
    now: datetime,
    where: str,
) -> str:
    """The report in Markdown."""
    lines = [
        "# Benchmarks",
        "",
        f"{now:%Y-%m-%d %H:%M} UTC, {where}. What each figure is: `bench/README.md`.",
        "",
    ]
    lines += _costs(found, core_hour)
    for name, outcome in found.items():
        lines += [f"## {name}", ""]
        if outcome.problem:
            lines += [f"Not measured: {outcome.problem}.", ""]
        elif name == "growth":
            lines += _table(outcome.figures)
        elif name == "load":
            lines += ["By runs at work:", "", *_table(outcome.figures["runs"])]
            lines += ["By workspaces, of four runs each:", ""]
            lines += _table(outcome.figures["workspaces"])
        elif name == "peers":
            lines += _table(_turned(outcome.figures))
        else:
            lines += ["| figure | value |", "| --- | --- |"]
            lines += [f"| `{key}` | {_shown(value)} |" for key, value in outcome.figures.items()]
            lines.append("")
        lines += [line for plot in plots.get(name, ()) for line in (f"![{plot}]({plot})", "")]
    return "\n".join(lines)


def _costs(found: Mapping[str, Outcome], core_hour: float) -> list[str]:
    """What a million actions cost, and a live run holds."""
    lines = ["## Cost and capacity", ""]
    day, start = found.get("day", Outcome()).figures, found.get("start", Outcome()).figures
    if day:
        hours = day["cpu_ms_per_action"] * 1e6 / 1e3 / 3600
        stored = day["stored_bytes_per_action"] * 1e6 / 1e9
        lines += [
            f"A million gated actions, every process counted: {hours:.1f} core hours"
            f" ({hours * core_hour:.2f} at {core_hour:.3f} an hour) and {stored:.0f} GB of ledger"
            f" and database, by {day['actions']:,} actions.",
            "",
        ]
    if start:
        lines += [
            f"A live run holds {start['memory_mb_per_run']:.0f} MB with its share of what all have"
            f" in common, with {start['live']:.0f} at once.",
            "",
        ]
    if not day and not start:
        lines += ["Not measured.", ""]
    return lines


def _table(figures: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """A line a figure, and a column for each of what it was measured at."""
    columns = list({column: None for values in figures.values() for column in values})
    named = [f"{int(column):,}" if column.isdecimal() else column for column in columns]
    lines = ["| figure | " + " | ".join(named) + " |"]
    lines.append("| --- |" + " --- |" * len(columns))
    for name, values in figures.items():
        shown = [_shown(values[column]) if column in values else "" for column in columns]
        lines.append(f"| `{name}` | " + " | ".join(shown) + " |")
    return [*lines, ""]


def _turned(systems: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """By figure, what was by system; of the manipulations found, one figure each."""
    found: dict[str, dict[str, Any]] = {}
    for system, figures in systems.items():
        for name, value in figures.items():
            if isinstance(value, dict):
                for kind, was_found in value.items():
                    found.setdefault(f"{name}: {kind}", {})[system] = was_found
            else:
                found.setdefault(name, {})[system] = value
    return found


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.3f}" if abs(value) < 10 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else json.dumps(value)


def _plots(name: str, out: Path, figures: Mapping[str, Any]) -> list[str]:
    """The plots' file names; none where the package that draws is missing, and that is said."""
    if not figures:
        return []
    try:
        from bench.plots import curve
    except ImportError:
        print('no plots: pip install "anyteam-trust[plots]"', file=sys.stderr)
        return []
    files = []
    values = figures["runs"] if name == "load" else figures
    for drawn in CURVES[name]:
        lines = {one: values[one] for one in drawn.names}
        curve(out / drawn.file, drawn.title, drawn.unit, lines, drawn.of)
        files.append(drawn.file)
    return files
