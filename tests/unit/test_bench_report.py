"""The benchmarks' report: what was measured, what was not and why, and what it costs."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bench.report import Outcome, written

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
DAY = {"cpu_ms_per_action": 36.0, "stored_bytes_per_action": 20_000.0, "actions": 5_000}
START = {"memory_mb_per_run": 31.6, "live": 10}
GROWTH = {"append": {"1000": 4_000.0, "10000": 3_900.0}, "gate": {"1000": 200.5}}


def test_costs_follow_from_the_processor_time_and_bytes_of_one_action() -> None:
    found = {"day": Outcome(DAY), "start": Outcome(START)}
    text = written(found, {}, 0.05, NOW, "a machine")
    assert "10.0 core hours (0.50 at 0.050 an hour) and 20 GB" in text
    assert "A live run holds 32 MB" in text


def test_what_was_not_measured_is_named_with_its_reason() -> None:
    text = written({"day": Outcome(problem="took longer than 60 s")}, {}, 0.04, NOW, "a machine")
    assert "## day\n\nNot measured: took longer than 60 s." in text
    assert "core hours" not in text


def test_growth_is_a_line_a_figure_and_a_column_a_length() -> None:
    text = written({"growth": Outcome(GROWTH)}, {"growth": ["a.svg"]}, 0.04, NOW, "a machine")
    assert "| figure | 1,000 | 10,000 |" in text
    assert "| `append` | 4,000 | 3,900 |" in text
    assert "| `gate` | 200 |  |" in text
    assert "![a.svg](a.svg)" in text


def test_load_is_a_table_by_runs_and_one_by_workspaces() -> None:
    found = {
        "load": Outcome({"runs": {"p50_ms": {"1": 12.5}}, "workspaces": {"per_s": {"2": 90.0}}})
    }
    text = written(found, {"load": ["b.svg"]}, 0.04, NOW, "a machine")
    assert "By runs at work:\n\n| figure | 1 |\n| --- | --- |\n| `p50_ms` | 12 |" in text
    assert "four runs each:\n\n| figure | 2 |\n| --- | --- |\n| `per_s` | 90 |\n\n![b.svg]" in text


def test_peers_stand_beside_one_another_with_each_manipulation_they_find() -> None:
    ours = {"append_per_s": 1_200.0, "tamper_found": {"cut": True}}
    theirs = {"append_per_s": 5_000.0, "tamper_found": {"cut": False}}
    text = written({"peers": Outcome({"ours": ours, "x": theirs})}, {}, 0.04, NOW, "a machine")
    assert "| figure | ours | x |" in text
    assert "| `append_per_s` | 1,200 | 5,000 |" in text
    assert "| `tamper_found: cut` | yes | no |" in text


def test_the_same_figures_are_drawn_the_same(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="the extra plots is not installed")
    from bench.plots import curve

    drawn = [tmp_path / "one.svg", tmp_path / "other.svg"]
    for file in drawn:
        curve(file, "Events a second", "events/s", GROWTH, "events in the ledger")
    assert drawn[0].read_bytes() == drawn[1].read_bytes()
    assert "events in the ledger" in drawn[0].read_text()
