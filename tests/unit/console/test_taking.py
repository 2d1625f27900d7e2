"""An export taken from an earlier export, and `anyteam verify` on what stands beside it."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from console.author import Pen
from console.beside import check_beside
from console.sources import source
from console.taking import Taken, Wanted, take
from crypto.keyfile import write_public
from crypto.sealing import ContentKeys
from ledger.disclosure import FILE
from ledger.export import ExportReader
from ledger.renderings.writing import Rendering
from ledger.selection.criteria import Criteria
from ledger.selection.folder import SelectionReader, is_selection
from ledger.selection.verify import verify_selection
from ledger.verify import verify
from schemas.events import Actor
from schemas.names import Role
from tests.ledgers import write_export
from tests.stories import Story


def told() -> Story:
    story = Story()
    story.found()
    for name in ("r-1", "r-2"):
        story.begin(name).act()
    story.seal()
    return story


STORY = told()
ROOT = STORY.signers["root"].public


def pen() -> Pen:
    signer = STORY.signers["ada"]
    return Pen(Actor(Role.ADMIN, "ada"), signer.key_id, signer.sign_raw)


def taken(home: Path, criteria: Criteria, keys: ContentKeys | None = STORY.keys) -> Taken:
    """Taken from an export that lies on disk, with nothing running and no data folder."""
    write_public(home / "root.pub", ROOT)
    if not (home / "whole").exists():
        write_export(STORY.ledger(), home / "whole")
    wanted = Wanted(criteria=criteria, keys=keys, renderings=tuple(Rendering), signer=pen())

    async def run() -> Taken:
        found = source(home / "none", home / "whole", home / "root.pub", content=False)
        async with found as ledger:
            return await take(ledger, home / "out", wanted)

    return asyncio.run(run())


@pytest.mark.parametrize("criteria", [Criteria(), Criteria(runs=("r-2",))])
def test_what_is_taken_verifies_with_all_that_stands_beside_it(
    tmp_path: Path, criteria: Criteria
) -> None:
    done = taken(tmp_path, criteria)
    folder = tmp_path / "out"
    part = is_selection(folder)
    assert part is not criteria.everything
    if part:
        assert verify_selection(SelectionReader(folder), ROOT).ok
    else:
        assert verify(ExportReader(folder), ROOT).ok
    beside = check_beside(folder, ROOT)
    assert beside.ok and beside.page and beside.signed_by == "ada"
    assert beside.opened == done.opened == (3 if part else 6)


def test_content_that_says_something_else_is_named_by_its_entry(tmp_path: Path) -> None:
    taken(tmp_path, Criteria())
    path = tmp_path / "out" / FILE
    path.write_bytes(path.read_bytes().replace(b'"deal-1"', b'"deal-2"', 1))
    problems = check_beside(tmp_path / "out", ROOT).problems
    assert any("sealed with another content" in problem for problem in problems)
    assert any("since ada signed" in problem for problem in problems)


def test_a_page_that_was_changed_is_not_ours(tmp_path: Path) -> None:
    taken(tmp_path, Criteria(), None)
    page = tmp_path / "out" / "index.html"
    page.write_text(page.read_text().replace("Not verified", "Verified"))
    beside = check_beside(tmp_path / "out", ROOT)
    assert beside.page is False and beside.signed_by == "" and not beside.ok


def test_without_keys_nothing_is_opened_and_no_file_says_so(tmp_path: Path) -> None:
    done = taken(tmp_path, Criteria(), None)
    assert done.opened == 0 and not (tmp_path / "out" / FILE).exists()
    assert msgspec.json.encode(done)
