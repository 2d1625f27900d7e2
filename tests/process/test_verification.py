"""`anyteam verify` over processes: the same verdict on any number of cores, whatever dies."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from crypto.keyfile import write_public
from ledger.export import ENTRIES, ExportedEntry, ExportReader
from ledger.signatures import Known
from ledger.spread import Spread
from ledger.verify import verify
from tests.ledgers import HeldExport, small_ledger, write_export

LEDGER = small_ledger(runs=60)
SIZE = len(LEDGER.entries)


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A good export."""
    home = tmp_path_factory.mktemp("audit")
    write_public(home / "root.pub", LEDGER.root_public)
    return write_export(LEDGER, home / "export")


def test_helpers_check_and_the_verdict_is_that_of_one_process(export: Path) -> None:
    reader = ExportReader(export)
    alone = verify(reader, LEDGER.root_public, receipt_key=LEDGER.receipt_key)
    checked: list[int] = []

    def seen(entries: Iterator[ExportedEntry], skip: int) -> Iterator[Known]:
        for known in spread.ahead(entries, skip):
            checked.append(len(known.held))
            yield known

    with Spread(3, LEDGER.root_public) as spread:
        together = verify(reader, LEDGER.root_public, receipt_key=LEDGER.receipt_key, ahead=seen)
    assert alone.ok and together == alone
    # Each entry's own signature and each receipt's.
    assert sum(checked) == SIZE + alone.receipts


@pytest.mark.parametrize("at", [0, 100, SIZE - 1])
def test_a_bad_entry_is_found_alike_on_any_number_of_cores(at: int) -> None:
    entries = list(LEDGER.entries)
    body = bytearray(entries[at].body)
    body[-1] ^= 1
    entries[at] = ExportedEntry(at + 1, entries[at].subject, bytes(body))
    alone = verify(HeldExport(LEDGER, entries), LEDGER.root_public)
    with Spread(2, LEDGER.root_public) as spread:
        together = verify(HeldExport(LEDGER, entries), LEDGER.root_public, ahead=spread.ahead)
    assert together == alone and together.first_bad == at + 1


def test_a_file_damaged_midway_is_found_at_the_same_entry(tmp_path: Path) -> None:
    folder = write_export(LEDGER, tmp_path / "export")
    data = (folder / ENTRIES).read_bytes()
    (folder / ENTRIES).write_bytes(data[: len(data) // 2])
    alone = verify(ExportReader(folder), LEDGER.root_public)
    with Spread(2, LEDGER.root_public) as spread:
        together = verify(ExportReader(folder), LEDGER.root_public, ahead=spread.ahead)
    assert together == alone and not together.ok


def test_helpers_that_are_killed_cost_nothing_but_time() -> None:
    def killing(entries: Iterator[ExportedEntry], skip: int) -> Iterator[Known]:
        for number, known in enumerate(spread.ahead(entries, skip)):
            if number == SIZE // 4:
                for helper in spread.helpers:
                    os.kill(helper, signal.SIGKILL)
            yield known

    with Spread(3, LEDGER.root_public) as spread:
        report = verify(HeldExport(LEDGER), LEDGER.root_public, ahead=killing)
    assert report.ok and report.size == SIZE


def test_the_command_goes_on_from_its_file_and_refuses_another_machines(
    export: Path, tmp_path: Path
) -> None:
    def command(home: str) -> subprocess.CompletedProcess[str]:
        words = ("verify", str(export), "--root", str(export.parent / "root.pub"), "--json")
        more = ("--cores", "2", "--resume", str(tmp_path / "state"))
        env = os.environ | {"XDG_CONFIG_HOME": str(tmp_path / home)}
        return subprocess.run(
            [sys.executable, "-m", "console.main", *words, *more],
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )

    first, second = command("ours"), command("ours")
    assert first.returncode == second.returncode == 0, first.stderr + second.stderr
    assert json.loads(first.stdout)["resumed"] == 0
    verdict = json.loads(second.stdout)
    assert verdict["resumed"] == SIZE and verdict["ok"] and verdict["first_bad"] is None
    foreign = command("theirs")
    assert foreign.returncode == 2 and "not written on this machine" in foreign.stderr
