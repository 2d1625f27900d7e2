"""A night of seeds goes on where it was ended, and counts no seed that other code has played."""

from pathlib import Path

import pytest

from tests.simulation.night import Night, NightMisfit, after, begun, code, keep
from tests.simulation.planted import Patient
from tests.simulation.scenario import play


def night_of(night: Night, seeds: int) -> Night:
    for seed in range(night.first + night.played, night.first + seeds):
        night = after(night, play(seed))
    return night


def test_a_night_in_two_parts_is_the_night_in_one(tmp_path: Path) -> None:
    file = tmp_path / "night.json"
    keep(file, night_of(begun(file, "c", 40), 5))
    again = begun(file, "c", 40)
    assert again.played == 5
    assert night_of(again, 12) == night_of(begun(None, "c", 40), 12)


def test_what_a_seed_broke_is_kept(tmp_path: Path) -> None:
    failing = next(s for s in range(1_500) if play(s, sidecar=Patient).violations)
    night = after(begun(None, "c", failing), play(failing, sidecar=Patient))
    assert night.violations == len(night.found[failing]) > 0
    keep(tmp_path / "night.json", night)
    assert begun(tmp_path / "night.json", "c", failing) == night


@pytest.mark.parametrize(("by", "first"), [("other", 40), ("c", 41)])
def test_a_file_of_another_code_or_other_seeds_is_not_gone_on_from(
    by: str, first: int, tmp_path: Path
) -> None:
    file = tmp_path / "night.json"
    keep(file, Night(code="c", first=40, played=7))
    with pytest.raises(NightMisfit, match="from 40 on") as refused:
        begun(file, by, first)
    assert refused.value.fix
    file.write_text("{}")
    with pytest.raises(NightMisfit, match="holds no night"):
        begun(file, "c", 40)


def test_the_same_code_has_the_same_digest() -> None:
    assert code() == code() and len(code()) == 64
