"""A few kills of each component on every run of the suite; many more by hand."""

from pathlib import Path

from tests.faults.kills import COMPONENTS, kill_at_random_moments


async def test_whatever_is_killed_nothing_runs_twice_and_nothing_is_lost(tmp_path: Path) -> None:
    tally = await kill_at_random_moments(tmp_path, COMPONENTS, kills=8, seed=3)
    assert tally.kills == tally.runs == 8
    assert (tally.unfinished, tally.duplicates, tally.lost, tally.findings) == (0, 0, 0, 0)
