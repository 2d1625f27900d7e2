"""An export taken from an earlier export, and `anyteam verify` on what stands beside it."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from console.author import Pen
from console.beside import check_beside, verify_part
from console.sources import source
from console.taking import Taken, Wanted, take
from crypto.keyfile import write_public
from crypto.sealing import ContentKeys
from crypto.signing import Signer
from ledger.checkpoint import parse_note
from ledger.cosignature import WitnessKey, cosign
from ledger.disclosure import FILE
from ledger.export import ExportReader, ExportWriter
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


def test_a_part_is_proved_under_a_cosigned_seal_where_that_leaves_nothing_out(
    tmp_path: Path,
) -> None:
    witness = Signer.from_seed(bytes([4]) * 32)
    key = WitnessKey("witness.example.com/w1", witness.public)
    story = told()
    cosigned = story.seals[-1] + cosign(parse_note(story.seals[-1])[0], key.name, witness, 1)
    story.begin("r-3").act()
    story.seal()
    with ExportWriter(tmp_path / "whole", story.workspace, ROOT) as writer:
        writer.add_cosigned([cosigned])
        for note in story.seals:
            writer.add_seal(note)
        for entry in story.entries:
            writer.add(entry.index, entry.subject, entry.body)
        writer.finish(1)
    for run, code in (("r-2", 0), ("r-3", 1)):
        (tmp_path / run).mkdir()
        (tmp_path / run / "whole").symlink_to(tmp_path / "whole")
        taken(tmp_path / run, Criteria(runs=(run,)))
        assert verify_part(tmp_path / run / "out", ROOT, True, (), 0) == 0
        assert verify_part(tmp_path / run / "out", ROOT, True, (key,), 1) == code


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
