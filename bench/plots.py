"""Curves as SVG, without a display: figures against how many there are, both by powers of ten."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

Series = Mapping[str, float]
"""Values by a number, of events as `bench growth` gives them, or of runs as `bench load` does."""


def curve(file: Path, title: str, unit: str, lines: Mapping[str, Series], of: str) -> None:
    """Draw `lines` by name into `file`, against the number `of` something. The same figures give
    the same bytes."""
    mpl.rcParams["svg.hashsalt"] = title
    mpl.rcParams["svg.fonttype"] = "none"
    figure = Figure(figsize=(6, 3.4), layout="constrained")
    axes = figure.add_subplot()
    for name, values in lines.items():
        sizes = sorted(values, key=int)
        axes.plot([int(size) for size in sizes], [values[s] for s in sizes], marker="o", label=name)
    axes.set_xscale("log")
    axes.set_yscale("log")
    measured_at = sorted({int(size) for values in lines.values() for size in values})
    axes.set_xticks(measured_at, labels=[f"{size:,}" for size in measured_at])
    axes.set_xticks([], minor=True)
    axes.set_xlabel(of)
    axes.set_ylabel(unit)
    axes.set_title(title)
    axes.grid(visible=True, which="major", alpha=0.3)
    if len(lines) > 1:
        axes.legend()
    figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
