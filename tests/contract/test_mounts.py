"""No way out of a folder by mounts, magic links, devices or races, by either way of opening.

What this machine does not permit to be set up is skipped, and says so.
"""

import errno
import os
import stat
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from schemas.actions import ActionOutcome
from sidecar.connectors.beneath import (
    Opener,
    has_openat2,
    open_atomic,
    open_beneath,
    open_compared,
)
from sidecar.connectors.connector import Finding
from sidecar.connectors.files import FilesConnector
from sidecar.errors import BadTarget, ConnectorError, OutsideFolder
from tests.contract.services import new_key

SECRET = "outside\n"
ROUNDS = 400

Mount = Callable[..., Path]


@pytest.fixture(params=["openat2", "compared"])
def opener(request: pytest.FixtureRequest) -> Opener:
    """Each way of opening in turn."""
    if request.param == "compared":
        return open_compared
    if not has_openat2():
        pytest.skip("this system has no openat2(2)")
    return open_atomic


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with a file and a folder in it, beside a folder with a secret."""
    made = tmp_path / "root"
    (made / "sub").mkdir(parents=True)
    (made / "sub" / "note.txt").write_text("inside\n")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "note.txt").write_text(SECRET)
    return made


@pytest.fixture
def mount() -> Iterator[Mount]:
    """Mounts something, and takes it away again; skips where that is not permitted."""
    mounted: list[Path] = []

    def do(where: Path, *arguments: str) -> Path:
        done = _run("mount", *arguments, str(where))
        if done.returncode:
            pytest.skip(f"mounting is not permitted here: {done.stderr.strip()}")
        mounted.append(where)
        return where

    yield do
    for where in reversed(mounted):
        assert _run("umount", str(where)).returncode == 0


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)


async def refused(connector: FilesConnector, path: str) -> None:
    """Neither read nor written, and no word that it was not done."""
    with pytest.raises(OutsideFolder):
        await connector.execute("files.read", {"path": path}, new_key())
    written = {"path": path, "content": "changed"}
    with pytest.raises(ConnectorError) as raised:
        await connector.execute("files.write", written, new_key())
    assert raised.value.before_effect
    found = await connector.reconcile("files.write", written, new_key())
    assert found.finding is Finding.UNKNOWN


async def test_a_folder_mounted_from_elsewhere_is_not_entered(
    root: Path, opener: Opener, mount: Mount
) -> None:
    mount(root / "sub", "--bind", str(root.parent / "outside"))
    connector = FilesConnector(root, opener=opener)
    await refused(connector, "sub/note.txt")
    with pytest.raises(OutsideFolder):
        await connector.execute("files.list", {"path": "sub"}, new_key())
    assert (root.parent / "outside" / "note.txt").read_text() == SECRET


async def test_a_file_mounted_from_elsewhere_is_not_opened(
    root: Path, opener: Opener, mount: Mount
) -> None:
    mount(root / "sub" / "note.txt", "--bind", str(root.parent / "outside" / "note.txt"))
    await refused(FilesConnector(root, opener=opener), "sub/note.txt")
    assert (root.parent / "outside" / "note.txt").read_text() == SECRET


async def test_another_file_system_is_neither_entered_nor_listed(
    root: Path, opener: Opener, mount: Mount
) -> None:
    (mount(root / "sub", "-t", "tmpfs", "none") / "note.txt").write_text(SECRET)
    connector = FilesConnector(root, opener=opener)
    await refused(connector, "sub/note.txt")
    listed = await connector.execute("files.list", {}, new_key())
    assert listed.result["entries"] == []


async def test_a_root_that_is_a_mount_itself_is_used(
    root: Path, opener: Opener, mount: Mount
) -> None:
    mount(root / "sub", "-t", "tmpfs", "none")
    connector = FilesConnector(root / "sub", opener=opener)
    outcome = await connector.execute(
        "files.write", {"path": "a/b.txt", "content": "new"}, new_key()
    )
    assert outcome.status is ActionOutcome.CONFIRMED


async def test_a_magic_link_is_not_followed(opener: Opener) -> None:
    process = Path("/proc") / str(os.getpid())
    if not process.exists():
        pytest.skip("there is no /proc here")
    connector = FilesConnector(process, opener=opener)
    for path in ("root/etc/passwd", "cwd/pyproject.toml", "exe", "fd/0"):
        with pytest.raises(BadTarget):
            await connector.execute("files.read", {"path": path}, new_key())


async def test_a_device_is_not_opened(root: Path, opener: Opener) -> None:
    try:
        os.mknod(root / "zero", stat.S_IFCHR | 0o600, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("devices cannot be made here")
    with pytest.raises(BadTarget):
        await FilesConnector(root, opener=opener).execute("files.read", {"path": "zero"}, new_key())


def _churn(steps: list[Callable[[], None]], over: threading.Event) -> None:
    while not over.is_set():
        for step in steps:
            try:
                step()
            except OSError:
                # The other side of the race was faster.
                pass


async def test_a_name_that_changes_all_the_time_never_leads_outside(
    root: Path, opener: Opener
) -> None:
    outside, other = root.parent / "outside", root.parent / "moved"
    note, moved = root / "sub" / "note.txt", root / "sub" / "moved.txt"
    steps: list[Callable[[], None]] = [
        lambda: (root / "sub").rename(other),
        lambda: (root / "sub").symlink_to(outside),
        (root / "sub").unlink,
        lambda: other.rename(root / "sub").touch(),
        lambda: note.rename(moved).touch(),
        lambda: note.symlink_to(outside / "note.txt"),
        note.unlink,
        lambda: os.link(outside / "note.txt", note),
        note.unlink,
        lambda: os.mkfifo(note),
        note.unlink,
        lambda: moved.rename(note).touch(),
    ]
    over = threading.Event()
    racing = threading.Thread(target=_churn, args=(steps, over))
    connector = FilesConnector(root, opener=opener)
    seen = set()
    racing.start()
    try:
        for _ in range(ROUNDS):
            try:
                read = await connector.execute("files.read", {"path": "sub/note.txt"}, new_key())
                seen.add(read.result["text"])
                written = {"path": "sub/note.txt", "content": "inside\n"}
                await connector.execute("files.write", written, new_key())
            except ConnectorError:
                continue
    finally:
        over.set()
        racing.join()
    assert seen <= {"inside\n"}
    assert (outside / "note.txt").read_text() == SECRET
    assert [path.name for path in outside.iterdir()] == ["note.txt"]


def test_the_kernels_own_way_refuses_what_climbs_by_itself(root: Path) -> None:
    if not has_openat2():
        pytest.skip("this system has no openat2(2)")
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for path in ("..", "../outside/note.txt", "/etc/passwd", "sub/../../outside"):
            with pytest.raises(OSError) as raised:
                open_beneath(folder, path, os.O_RDONLY)
            assert raised.value.errno == errno.EXDEV
    finally:
        os.close(folder)
