"""What is said of a process's walls, and what the settings may ask for."""

import pytest

from schemas.confinement import NAMED, Confinement, Wall, common
from schemas.sections import BadSettings
from schemas.settings import SandboxSettings, parse_settings

BASE = """\
workspace = "acme"
reps = ["ann"]
admins = ["ada"]
[policy]
tools = ["files.read"]
"""


def test_a_wall_that_was_not_reported_is_missing() -> None:
    assert Confinement(in_force=(Wall.FILES,)).missing((Wall.FILES, Wall.SYSCALLS)) == (
        "syscalls (not reported)",
    )


def test_a_missing_wall_comes_with_its_reason() -> None:
    said = Confinement(absent={Wall.SYSCALLS: "no libseccomp"})
    assert said.missing((Wall.SYSCALLS,)) == ("syscalls (no libseccomp)",)


def test_two_processes_have_in_common_what_both_have() -> None:
    one = Confinement(in_force=(Wall.FILES, Wall.LIMITS))
    other = Confinement(in_force=(Wall.LIMITS, Wall.SYSCALLS))
    assert common((one, other)) == (Wall.LIMITS,)


def test_no_process_has_no_walls() -> None:
    assert common(()) == ()


def test_by_default_all_that_needs_no_root_is_named_and_nothing_is_required() -> None:
    sandbox = parse_settings(BASE, "anyteam.toml").sandbox
    assert sandbox == SandboxSettings()
    assert not sandbox.required
    assert set(sandbox.walls) == set(NAMED) == set(Wall) - {Wall.USER}


def test_a_wall_that_does_not_exist_is_an_error_that_names_the_key() -> None:
    with pytest.raises(BadSettings, match=r"sandbox\.walls"):
        parse_settings(BASE + '[sandbox]\nwalls = ["moat"]\n', "anyteam.toml")


@pytest.mark.parametrize("key", ["memory_mb", "cpu_s"])
def test_a_limit_too_small_to_work_with_is_an_error_that_names_the_key(key: str) -> None:
    with pytest.raises(BadSettings, match=rf"sandbox\.{key}"):
        parse_settings(BASE + f"[sandbox]\n{key} = 1\n", "anyteam.toml")
