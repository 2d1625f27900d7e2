"""A component that fails tells its parent of which kind and where, beside what its log has."""

import subprocess
import sys

import pytest

from schemas.faults import read_fault

FAILS = """\
import sys
from bus.component import run_process, say_ready
{imports}
async def main():
    say_ready()
    raise {error}
sys.exit(run_process(main()))
"""


@pytest.mark.parametrize(
    ("imports", "error", "kind", "code"),
    [
        ("", "ZeroDivisionError('Dana Whitfield')", "builtins.ZeroDivisionError", 70),
        (
            "from bus.errors import StreamUnavailable",
            "StreamUnavailable('Dana Whitfield')",
            "bus.errors.StreamUnavailable",
            None,
        ),
    ],
    ids=["a fault", "an error of ours"],
)
def test_what_ends_a_component_is_told_without_its_words(
    imports: str, error: str, kind: str, code: int | None
) -> None:
    program = FAILS.format(imports=imports, error=error)
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=False, timeout=60
    )
    fault = read_fault(ended.stdout)
    assert ended.stdout.startswith(b"ready\n")
    assert fault is not None and fault.raised[0].kind == kind
    assert fault.raised[0].frames[-1].function == "main"
    assert b"Whitfield" not in ended.stdout
    assert b"Whitfield" in ended.stderr, "the log has all of it"
    assert ended.returncode == code if code is not None else ended.returncode != 0
