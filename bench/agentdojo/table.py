"""The figures as the README's tables, between its two `agentdojo` marks."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

OPENING: Final = "<!-- agentdojo: written by `python -m bench agentdojo --readme README.md` -->"
CLOSING: Final = "<!-- /agentdojo -->"
_SUITES: Final = ("honest tasks", "no human", "human", "refused", "questions", "attacks")
_ATTACKS: Final = ("executed", "held", "stopped", "any call")


def tables(figures: Mapping[str, Any]) -> str:
    """Both tables in Markdown. `figures` is what the benchmark's `measure` gives."""
    rows = [*figures["suites"].items(), ("all", figures)]
    suites = _table(
        ("suite", *_SUITES, *_ATTACKS),
        ((name, *one["benign"].values(), *one["attack"].values()) for name, one in rows),
    )
    probe = _table(
        ("honest call, with one thing changed", "calls", "through", "held", "refused"),
        ((kind.replace("_", " "), *one.values()) for kind, one in figures["probe"].items()),
    )
    return f"{suites}\n{probe}"


def write(readme: Path, figures: Mapping[str, Any]) -> None:
    """Put the tables between the marks of `readme`. Raises ValueError where they are missing."""
    text = readme.read_text(encoding="utf-8")
    before, opening, rest = text.partition(OPENING)
    _, closing, after = rest.partition(CLOSING)
    if not opening or not closing:
        raise ValueError(f"{readme} lacks the lines {OPENING!r} and {CLOSING!r}")
    readme.write_text(f"{before}{OPENING}\n{tables(figures)}{CLOSING}{after}", encoding="utf-8")


def _table(heads: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "".join("| " + " | ".join(map(str, line)) + " |\n" for line in lines)
