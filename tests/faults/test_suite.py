"""A few seconds of the suite on every run of the tests; `docs/faults.md` has a long one."""

from pathlib import Path

from tests.faults.nemesis import KINDS
from tests.faults.suite import suite

SHORT = ("bus_killed", "kill", "pause", "partition", "cut", "full_disk")


async def test_a_few_seconds_of_faults_violate_nothing(tmp_path: Path) -> None:
    kinds = tuple(KINDS[name] for name in SHORT)
    outcome = await suite(tmp_path, 0.06, 1, kinds, lambda outcome: None, spoils=1)
    assert outcome.violations == []
    assert outcome.by_kind["kill nats-server"] >= 1
    assert outcome.acknowledged > 0
    assert sum(outcome.spoilt.values()) == 1
