"""docs/security.md claims nothing that no test shows: what it names is there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/.]+(?:::\w+)?)`", TEXT)))


def test_every_test_that_it_names_is_there() -> None:
    missing = []
    for name in NAMED:
        path, _, function = name.partition("::")
        file = ROOT / path
        if not file.is_file() or (function and f"def {function}(" not in file.read_text()):
            missing.append(name)
    assert missing == []
    assert len(NAMED) > 30


def test_each_of_the_six_risks_has_layers_and_tests() -> None:
    rows = re.findall(r"^\| ([1-6]) .*?\|(.*?)\|(.*?)\|$", TEXT, flags=re.MULTILINE)
    assert [number for number, _, _ in rows] == list("123456")
    assert all("`tests/" in shown for _, _, shown in rows)
