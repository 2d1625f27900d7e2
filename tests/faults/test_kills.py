"""A few kills of each component on every run of the suite; many more by hand."""

from pathlib import Path

import pytest

from tests.faults.effects import kill_over_all_connectors
from tests.faults.kills import BUS, COMPONENTS, kill_at_random_moments

ELSEWHERE = ("sidecar", BUS)
"""The sidecar is killed below, over all connectors, and the bus in `test_suite`."""


@pytest.mark.parametrize("component", [name for name in COMPONENTS if name not in ELSEWHERE])
async def test_whatever_is_killed_nothing_runs_twice_and_nothing_is_lost(
    tmp_path: Path, component: str
) -> None:
    tally = await kill_at_random_moments(tmp_path, (component,), kills=3, seed=3)
    assert tally.runs == 3
    assert tally.kills > 0
    assert tally.actions >= 15
    assert tally.wrong == 0, tally


async def test_a_killed_sidecar_repeats_nothing_and_loses_nothing_at_any_connector(
    tmp_path: Path,
) -> None:
    tally = await kill_over_all_connectors(tmp_path, kills=4, seed=3)
    assert tally.kills >= 4
    assert tally.actions >= 10
    assert tally.wrong == 0, tally
