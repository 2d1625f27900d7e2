"""What is lost is brought back, or its loss is seen: the drill, and what a restore refuses."""

from pathlib import Path

import pytest

from bus.folder import DataFolder
from console.errors import NotRestored
from console.restoring import archived, restore
from crypto.keyfile import write_public
from ledger.export import ExportReader
from tests.drill.losses import drill
from tests.ledgers import small_ledger, write_export


async def test_three_losses_are_brought_back_and_what_is_gone_for_good_is_noticed(
    tmp_path: Path,
) -> None:
    by_copy, by_export, by_archive = await drill(tmp_path)
    for one in (by_copy, by_export):
        assert one.ok and not one.noticed and one.lost == 0 and one.after > one.before
    assert by_archive.ok and by_archive.noticed and 0 < by_archive.lost < by_archive.before
    folder = DataFolder(tmp_path / "data")
    with pytest.raises(NotRestored, match="already"):
        await restore(folder, ExportReader(tmp_path / "before"), closed=False)


async def test_another_workspaces_ledger_is_not_restored(tmp_path: Path) -> None:
    mine, other = small_ledger(), small_ledger(seed=2)
    folder = DataFolder(tmp_path / "data")
    write_public(folder.root_public_file, mine.root_public)
    export = ExportReader(write_export(other, tmp_path / "export"))
    with pytest.raises(NotRestored, match="does not verify"):
        await restore(folder, export, closed=False)
    assert not (folder.root / "nats").exists()


def test_without_an_archived_epoch_there_is_nothing_to_restore_from(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    people = 'reps = ["ann"]\nadmins = ["ada"]\n'
    folder.settings_file.write_text(f'workspace = "acme"\n{people}[policy]\ntools = []\n')
    with pytest.raises(NotRestored, match="no epoch"):
        archived(folder)
