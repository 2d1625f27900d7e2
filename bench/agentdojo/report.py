"""`python -m bench agentdojo [--json]`: the table, and one object of counts."""

import argparse
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import msgspec
from msgspec import Struct
from rich.console import Console
from rich.table import Table

from bench.agentdojo.hostile import Call
from bench.agentdojo.play import Attack, Benign, attack_of, benign_of, suites
from bench.agentdojo.probe import Kind, probe_of
from bench.agentdojo.table import write

SUITES = ("workspace", "travel", "banking", "slack")


class Scores(Struct, kw_only=True):
    """One suite, or all of them."""

    benign: Benign
    attack: Attack
    probe: dict[str, Kind]
    let_through: list[tuple[str, str, Call]]


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """`benign`, `attack` and `probe` as counts over the four suites, and `suites` by name."""
    chosen = tuple(options.suite) or SUITES
    with ProcessPoolExecutor(max_workers=2) as pool:
        scores = dict(zip(chosen, pool.map(score, chosen), strict=True))
    show(scores)
    whole = {
        "benign": total(one.benign for one in scores.values()),
        "attack": total(one.attack for one in scores.values()),
        "probe": probes(scores.values()),
        "suites": {
            name: {"benign": one.benign, "attack": one.attack} for name, one in scores.items()
        },
    }
    figures: dict[str, Any] = msgspec.to_builtins(whole)
    if options.readme is not None:
        write(options.readme, figures)
    return figures


def score(name: str) -> Scores:
    """Play one suite."""
    suite = suites()[name]
    tally: dict[str, Kind] = {}
    through: list[tuple[str, str, Call]] = []
    probe_of(suite, tally, through)
    return Scores(
        benign=benign_of(suite), attack=attack_of(suite), probe=tally, let_through=through
    )


def total(counts: Iterable[Any]) -> dict[str, int]:
    """The sums, field by field."""
    sums: dict[str, int] = {}
    for one in counts:
        for name, value in msgspec.structs.asdict(one).items():
            sums[name] = sums.get(name, 0) + value
    return sums


def probes(scores: Iterable[Scores]) -> dict[str, dict[str, int]]:
    """The probe's kinds over all suites."""
    every = list(scores)
    kinds = sorted({kind for one in every for kind in one.probe})
    return {kind: total(one.probe.get(kind, Kind()) for one in every) for kind in kinds}


def show(scores: dict[str, Scores]) -> None:
    """The tables, on standard error."""
    out = Console(stderr=True)
    table = Table(title="AgentDojo v1.2.2, no model: the ground truth behind the gate")
    for head in ("suite", "honest tasks", "no human", "human", "refused", "questions"):
        table.add_column(head, justify="left" if head == "suite" else "right")
    for head in ("attacks", "executed", "held", "stopped", "any call"):
        table.add_column(head, justify="right")
    rows = [(name, one.benign, one.attack) for name, one in scores.items()]
    for name, benign, attack in rows:
        table.add_row(name, *_figures(benign), *_figures(attack))
    sums = (total(b for _, b, _ in rows), total(a for _, _, a in rows))
    table.add_row("all", *(str(value) for part in sums for value in part.values()))
    out.print(table)
    mutants = Table(title="In-lease mutation probe: honest calls with one thing changed")
    for head in ("change", "mutants", "through", "held", "refused"):
        mutants.add_column(head, justify="left" if head == "change" else "right")
    for kind, tally in probes(scores.values()).items():
        mutants.add_row(kind.replace("_", " "), *(str(value) for value in tally.values()))
    out.print(mutants)
    for one in scores.values():
        for task, kind, call in one.let_through:
            out.print(f"[dim]through: {task}, {kind}: {call[0]}[/dim]")


def _figures(counts: Any) -> list[str]:
    return [str(value) for value in msgspec.structs.asdict(counts).values()]
