"""A hijacked runtime, within the walls that production builds, comes back with nothing."""

from pathlib import Path

import pytest

from schemas.confinement import NAMED
from tests.escape.attempts import ATTEMPTS
from tests.escape.story import played


async def test_a_runtime_that_tries_everything_comes_back_with_nothing(tmp_path: Path) -> None:
    report = await played(tmp_path)
    if not set(NAMED) <= set(report.confined_by):
        pytest.skip(f"this kernel allows no more than {', '.join(report.confined_by)}")
    assert report.unmade == ()
    assert len(report.told) == len(ATTEMPTS) > 150
    assert report.unreal == (), "an attempt that fails without walls proves nothing"
    assert report.succeeded == []
    assert report.ended == "success", "its own plan must still be played to the end"
