"""What the connectors over folders owe besides: no way out of the folder, and no lost update."""

import os
import socket
import stat
from pathlib import Path

import pytest

from schemas.actions import ActionOutcome
from sidecar.connectors.connector import MAX_RESULT_BYTES, Finding
from sidecar.connectors.files import FilesConnector
from sidecar.connectors.folder import DRAFT_PREFIX
from sidecar.errors import BadArguments, BadTarget, OutsideFolder
from tests.contract.services import FilesBench, new_key

pytestmark = pytest.mark.asyncio

SECRET = "outside\n"

ESCAPES = [
    "../outside.eml",
    "sub/../../outside.eml",
    "sub/../inside.eml",
    "./inside.eml",
    "sub//deep.eml",
    "inside.eml/",
    "/etc/passwd",
    "{outside}",
    "~/outside.eml",
    "..",
    ".",
    "link.eml",
    "linked/outside.eml",
    "dangling.eml",
    "inside.eml\x00.txt",
    "inside.eml\n",
    "sub\\..\\..\\outside.eml",
    "C:outside.eml",
    "NUL",
    "con.eml",
    "COM1.eml",
    "fifo.eml",
    "socket.eml",
    "inside.eml/below.eml",
    "sub",
    f"{DRAFT_PREFIX}1.eml",
    "a" * 256,
    "/".join("a" * 40),
    "\ud800.eml",
]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with a file, a folder, and every way out that somebody could have laid."""
    made = tmp_path / "root"
    (made / "sub").mkdir(parents=True)
    (made / "inside.eml").write_text("Subject: inside\n\ninside\n")
    (made / "sub" / "deep.eml").write_text("deep\n")
    (tmp_path / "outside.eml").write_text(SECRET)
    (made / "link.eml").symlink_to("../outside.eml")
    (made / "linked").symlink_to("..")
    (made / "dangling.eml").symlink_to("../made-outside.eml")
    os.mkfifo(made / "fifo.eml")
    with socket.socket(socket.AF_UNIX) as opened:
        here = os.open(made, os.O_RDONLY)
        try:
            opened.bind(f"/proc/self/fd/{here}/socket.eml")
        finally:
            os.close(here)
    return made


def drafts(root: Path) -> list[Path]:
    """What an unfinished write has left."""
    return list(root.rglob(f"{DRAFT_PREFIX}*"))


@pytest.mark.parametrize("path", ESCAPES)
async def test_no_path_leads_out_of_the_folder_or_to_anything_but_a_file(
    root: Path, path: str
) -> None:
    path = path.replace("{outside}", str(root.parent / "outside.eml"))
    files, refusals = FilesConnector(root), (BadTarget, BadArguments)
    with pytest.raises(refusals):
        await files.execute("files.read", {"path": path}, new_key())
    with pytest.raises(refusals):
        await files.execute("files.write", {"path": path, "content": "changed"}, new_key())
    assert (root.parent / "outside.eml").read_text() == SECRET
    assert (root / "inside.eml").read_text().endswith("inside\n")
    assert sorted(found.name for found in root.parent.iterdir()) == ["outside.eml", "root"]
    assert drafts(root) == []


@pytest.mark.parametrize("path", ["..", "/", "linked", "fifo.eml", "sub/..", "inside.eml"])
async def test_no_listing_shows_another_folder(root: Path, path: str) -> None:
    with pytest.raises(BadTarget):
        await FilesConnector(root).execute("files.list", {"path": path}, new_key())


async def test_a_listing_leaves_out_links_devices_and_drafts(root: Path) -> None:
    (root / f"{DRAFT_PREFIX}1").write_text("half")
    listed = await FilesConnector(root).execute("files.list", {}, new_key())
    assert [entry["name"] for entry in listed.result["entries"]] == ["inside.eml", "sub"]


async def test_a_plain_path_below_the_folder_is_read(root: Path) -> None:
    read = await FilesConnector(root).execute("files.read", {"path": "sub/deep.eml"}, new_key())
    assert read.result == {"text": "deep\n", "bytes": 5, "truncated": False}
    assert read.evidence == b"deep\n"


async def test_a_large_file_is_cut_and_says_so(root: Path) -> None:
    (root / "large.txt").write_text('"\n' * 2_000_000)
    read = await FilesConnector(root).execute("files.read", {"path": "large.txt"}, new_key())
    assert read.result["truncated"]
    assert read.result["bytes"] == 4_000_000
    assert 0 < len(read.result["text"]) < MAX_RESULT_BYTES


async def test_a_file_that_is_no_text_is_refused(root: Path) -> None:
    (root / "image").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(BadTarget, match="not UTF-8"):
        await FilesConnector(root).execute("files.read", {"path": "image"}, new_key())


async def test_replacing_a_file_keeps_its_mode(root: Path) -> None:
    target = root / "inside.eml"
    target.chmod(0o640)
    await FilesConnector(root).execute(
        "files.write", {"path": "inside.eml", "content": "new"}, new_key()
    )
    assert target.read_text() == "new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


async def test_a_file_with_another_name_is_refused_unless_the_settings_allow_it(
    root: Path,
) -> None:
    os.link(root.parent / "outside.eml", root / "linked.eml")
    reads, writes = {"path": "linked.eml"}, {"path": "linked.eml", "content": "new"}
    with pytest.raises(OutsideFolder, match="another name"):
        await FilesConnector(root).execute("files.read", reads, new_key())
    with pytest.raises(OutsideFolder, match="another name"):
        await FilesConnector(root).execute("files.write", writes, new_key())
    allowed = FilesConnector(root, hard_links=True)
    assert (await allowed.execute("files.read", reads, new_key())).result["text"] == SECRET
    await allowed.execute("files.write", writes, new_key())
    assert (root / "linked.eml").read_text() == "new"
    assert (root.parent / "outside.eml").read_text() == SECRET


async def test_a_draft_left_by_a_crash_is_taken_over_by_the_retry(tmp_path: Path) -> None:
    bench, key = FilesBench(tmp_path), new_key()
    (bench.root / "drafts").mkdir()
    (bench.root / "drafts" / f"{DRAFT_PREFIX}{key}").write_text("Dear J")
    connector = bench.connector()
    found = await connector.reconcile(bench.tool, bench.arguments, key)
    assert found.finding is Finding.NOT_DONE
    outcome = await connector.execute(bench.tool, bench.arguments, key)
    assert outcome.status is ActionOutcome.CONFIRMED
    assert [path.name for path in (bench.root / "drafts").iterdir()] == ["boeing.txt"]


async def test_a_file_that_somebody_changed_since_reconciles_as_unknown(tmp_path: Path) -> None:
    bench, key = FilesBench(tmp_path), new_key()
    connector = bench.connector()
    await connector.execute(bench.tool, bench.arguments, key)
    key_of_long_ago = f"01900000-0000-{key[14:]}"
    (bench.root / "drafts" / "boeing.txt").write_text("by another hand")
    found = await connector.reconcile(bench.tool, bench.arguments, key_of_long_ago)
    assert found.finding is Finding.UNKNOWN


async def test_a_folder_that_became_a_link_reconciles_as_unknown(tmp_path: Path) -> None:
    bench, key = FilesBench(tmp_path), new_key()
    (bench.root / "drafts").symlink_to(tmp_path)
    found = await bench.connector().reconcile(bench.tool, bench.arguments, key)
    assert found.finding is Finding.UNKNOWN
    with pytest.raises(OutsideFolder):
        await bench.connector().execute(bench.tool, bench.arguments, key)
