"""A sample of `python -m tests.tamper`: what was thought out, and some of what is generated."""

from collections import Counter
from pathlib import Path

import pytest

from tests.tamper.__main__ import LAWFUL, tried
from tests.tamper.clever import FOUND, UNSEEN
from tests.tamper.files import Disk
from tests.tamper.generated import draw, nobody_could
from tests.tamper.scene import LEDGER, audit, shown


def test_the_ledger_that_is_tampered_with_is_good() -> None:
    assert audit(shown(LEDGER.entries, checkpoint=LEDGER.seals[-1])).findings == ()


@pytest.mark.parametrize("name", FOUND)
def test_a_clever_manipulation_is_found(name: str) -> None:
    report = audit(FOUND[name]())
    assert not report.ok and all(finding.by for finding in report.findings)


@pytest.mark.parametrize("name", UNSEEN)
def test_what_nobody_could_see_is_not_claimed_to_be_seen(name: str) -> None:
    make, reason = UNSEEN[name]
    assert audit(make()).ok and reason


def test_generated_manipulations_are_found_or_lawfully_unseen() -> None:
    outcome = Counter(tried(number) for number in range(100_000, 100_400))
    assert set(outcome) <= {"found", *LAWFUL}, outcome
    assert outcome["lawfully unseen"] < 20


def test_flipped_bits_of_the_files_are_found(tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    outcome = Counter(disk.tried(number) for number in range(200))
    assert set(outcome) <= {"found", *LAWFUL}, outcome


def test_the_law_lets_nothing_pass_that_changes_a_chain() -> None:
    bits = [t for n in range(400) if (t := draw(n)).name in ("bit flipped", "signature replaced")]
    assert bits and not any(nobody_could(trial.held) for trial in bits)
