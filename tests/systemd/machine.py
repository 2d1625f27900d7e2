"""A machine whose first process is systemd, made of namespaces of this one. Linux, as root.

It has this machine's files but for /run, /opt, /usr/local/bin, /var/lib and the units, which are
its own and go with it. Sources: namespaces(7), unshare(1), nsenter(1), systemd(1).
"""

import asyncio
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from bus.lifeline import guarded

SYSTEMD: Final = Path("/lib/systemd/systemd")
START_S: Final = 120.0
_UNSHARE: Final = "/usr/bin/unshare"
_TRIAL: Final = """
mount --make-rprivate /
mount -t proc proc /proc
mount -t tmpfs tmpfs /run
umount -R /sys/fs/cgroup 2>/dev/null || true
mount -t cgroup2 cgroup2 /sys/fs/cgroup
"""
_ROOT: Final = Path(__file__).parents[2]
_NAMESPACES: Final = ("--mount", "--pid", "--uts", "--ipc", "--cgroup")
_PATH: Final = "/usr/local/bin:/usr/bin:/bin"
_USER: Final = ("setpriv", "--reuid", "10001", "--regid", "10001", "--clear-groups")


def missing() -> str:
    """Why this machine cannot have one; empty where it can."""
    if not SYSTEMD.exists() or not Path(_UNSHARE).exists():
        return "systemd or unshare is not installed"
    if (place := _cgroups()) is None or not os.access(place, os.W_OK):
        return "no cgroup can be made"
    tried = subprocess.run(
        [_UNSHARE, *_NAMESPACES, "--fork", "sh", "-ec", _TRIAL],
        check=False,
        capture_output=True,
        text=True,
    )
    return tried.stderr.strip()


class Machine:
    """The machine, by the process that is its systemd."""

    def __init__(self, pid: int) -> None:
        self._enter = ["nsenter", "-t", str(pid), "-m", "-p", "-u", "-i", "-C", "env", "-i"]
        self._enter += [f"PATH={_PATH}", "SYSTEMD_PAGER=", "ANYTEAM_DATA=/var/lib/anyteam"]

    async def does(self, *words: str) -> str:
        """What a command of root's says there. It must succeed."""
        code, said = await self._ended(words)
        assert code == 0, said
        return said

    async def anyteam(self, *words: str) -> str:
        """What `anyteam` says there to the user that the units run as. It must succeed."""
        return await self.does(*_USER, "anyteam", *words)

    async def shown(self, unit: str, name: str) -> str:
        """A property of a unit's."""
        return (await self.does("systemctl", "show", unit, "-p", name, "--value")).strip()

    async def until(self, unit: str, said: str) -> None:
        """Wait until the unit's latest start has said a line that begins so."""
        async with asyncio.timeout(START_S):
            while not any(line.startswith(said) for line in await self._latest(unit)):
                await asyncio.sleep(0.2)

    async def until_started_again(self, unit: str, before: str) -> None:
        """Wait until the unit's latest start is another than `before`."""
        async with asyncio.timeout(START_S):
            while await self.shown(unit, "InvocationID") in ("", before):
                await asyncio.sleep(0.2)

    async def _latest(self, unit: str) -> list[str]:
        call = await self.shown(unit, "InvocationID")
        if not call:
            return []
        asked = ("journalctl", "--no-pager", "-q", "-o", "cat", f"_SYSTEMD_INVOCATION_ID={call}")
        return (await self.does(*asked)).splitlines()

    async def up(self) -> bool:
        """Whether its systemd answers."""
        return (await self._ended(("systemctl", "list-units")))[0] == 0

    async def _ended(self, words: tuple[str, ...]) -> tuple[int, str]:
        process = await asyncio.create_subprocess_exec(
            *self._enter, *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        async with asyncio.timeout(START_S):
            said, _ = await process.communicate()
        return process.returncode or 0, said.decode()


@contextlib.asynccontextmanager
async def machine(log: Path) -> AsyncIterator[Machine]:
    """A machine that is up, with the units there and none started; what it says goes to `log`."""
    nats = shutil.which("nats-server", path=str(Path(sys.executable).parent))
    assert nats is not None
    base = Path(sys.base_prefix)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    paths = [one for one in sys.path if Path(one).is_dir() and not Path(one).is_relative_to(base)]
    words = [_UNSHARE, *_NAMESPACES, "--fork", "--kill-child", "sh"]
    words += [str(Path(__file__).with_suffix(".sh")), str(_ROOT), str(base), version, nats, *paths]
    async with _cgroup() as group:
        joined = ["sh", "-c", 'echo $$ >"$0/cgroup.procs" && exec "$@"', str(group), *words]
        async with _running(joined, log) as process:
            async with asyncio.timeout(START_S):
                made = Machine(await _first(process))
                while not await made.up():
                    assert process.returncode is None, log.read_text()
                    await asyncio.sleep(0.2)
            yield made


@contextlib.asynccontextmanager
async def _cgroup() -> AsyncIterator[Path]:
    """A cgroup for the machine, whose systemd takes it for the root; and its end."""
    group = Path(tempfile.mkdtemp(prefix="anyteam-", dir=_cgroups()))
    try:
        yield group
    finally:
        async with asyncio.timeout(START_S):
            while "populated 1" in (group / "cgroup.events").read_text():
                await asyncio.sleep(0.05)
        for folder, _, _ in os.walk(group, topdown=False):
            Path(folder).rmdir()


def _cgroups() -> Path | None:
    """Where this machine has its second kind of cgroups."""
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    return next((Path(where) for _, where, kind, *_ in mounts if kind == "cgroup2"), None)


@contextlib.asynccontextmanager
async def _running(words: list[str], log: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            *guarded(words), stdin=asyncio.subprocess.PIPE, stdout=out, stderr=out
        )
    try:
        yield process
    finally:
        # The guardian ends `unshare`, and the kernel with it the first process and all the others.
        process.terminate()
        await process.wait()


async def _first(process: asyncio.subprocess.Process) -> int:
    """The machine's first process: the child of `unshare`, which is the guardian's."""
    found = process.pid
    for _ in range(2):
        while not (children := _children(found)):
            assert process.returncode is None
            await asyncio.sleep(0.05)
        found = children[0]
    return found


def _children(pid: int) -> list[int]:
    with contextlib.suppress(FileNotFoundError):
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []
