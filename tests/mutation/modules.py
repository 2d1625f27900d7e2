"""Which tests stand for which module of the gate.

Tables of words and patterns (`phrases`, `tongues`, `frames`, `letters`, `disguises`, `markers`)
are measured on corpora (`bench markers`, `python -m tests.redteam`) and are not mutated.
"""

from pathlib import Path
from typing import Final

_HERE: Final = Path(__file__).parents[1]
_UNIT: Final = "tests/unit/sidecar/gate"

TESTS: Final[dict[str, tuple[str, ...]]] = {
    path.stem.removeprefix("test_"): (f"{_UNIT}/{path.name}",)
    for path in sorted((_HERE / "unit/sidecar/gate").glob("test_*.py"))
}
"""Every module that has a file of tests of its own."""
