"""What a process is listed as is what it says of itself, and no more than there is room for."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")

SHOW = """\
import sys
from bus.arguments import be_listed_as, own_arguments
place = own_arguments()
be_listed_as(sys.argv[1].split(",") * int(sys.argv[2]), place)
print(place.size, open("/proc/self/cmdline").read(), end="")
"""


def listed(words: str, times: int = 1) -> tuple[int, str]:
    """(how much room there is, what is there now)."""
    process = subprocess.run(
        [sys.executable, "-c", SHOW, words, str(times)],
        env={},
        capture_output=True,
        check=True,
        text=True,
    )
    size, _, shown = process.stdout.partition(" ")
    return int(size), shown


def test_a_process_without_an_environment_is_listed_as_it_says() -> None:
    _, shown = listed("python,-I,-m,judge")
    assert shown.rstrip("\0").split("\0") == ["python", "-I", "-m", "judge"]


def test_what_has_no_room_is_cut_off() -> None:
    size, shown = listed("word", times=1_000)
    assert len(shown) == size
    assert set(shown.split("\0")) <= {"word", "wor", "wo", "w", ""}
