"""Signs of life: given to whoever asks for them, and missed by whoever minds a component."""

import asyncio
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bus.beating import beat, notify
from console.supervisor import Supervisor
from tests.faults.installation import prepared

DEADLINE_S = 60.0
CONSOLE = "\n[console]\n"


@contextmanager
def listening(address: str | bytes) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as ear:
        ear.bind(address)
        yield ear


async def heard(ear: socket.socket) -> bytes:
    async with asyncio.timeout(DEADLINE_S):
        return await asyncio.get_running_loop().sock_recv(ear, 4096)


@pytest.mark.parametrize("pid", [{}, {"WATCHDOG_PID": str(os.getpid())}])
@pytest.mark.parametrize("abstract", [False, True])
async def test_the_watchdog_hears_of_a_loop_that_turns_again_and_again(
    tmp_path: Path, abstract: bool, pid: dict[str, str]
) -> None:
    name = f"anyteam-{tmp_path.name}-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with listening(f"\0{name}" if abstract else name) as ear:
        address = f"@{name}" if abstract else name
        asked = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "60000000", **pid}
        beating = asyncio.ensure_future(beat(asked))
        assert [await heard(ear) for _ in range(2)] == [b"WATCHDOG=1"] * 2
        beating.cancel()
        notify(asked, "READY=1")
        assert await heard(ear) == b"READY=1"


@pytest.mark.parametrize("asked", [{}, {"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1"}])
async def test_what_systemd_asks_of_others_or_not_at_all_is_not_said(
    tmp_path: Path, asked: dict[str, str]
) -> None:
    file = tmp_path / "beat"
    with listening(str(tmp_path / "notify")) as ear:
        told = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "ANYTEAM_BEAT": str(file), **asked}
        beating = asyncio.ensure_future(beat(told))
        async with asyncio.timeout(DEADLINE_S):
            while not file.exists():
                await asyncio.sleep(0)
        with pytest.raises(BlockingIOError):
            ear.recv(4096)
        beating.cancel()


async def test_a_full_socket_is_a_beat_missed_and_no_end(tmp_path: Path) -> None:
    with listening(str(tmp_path / "notify")) as ear:
        asked = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "60000000"}
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as other:
            other.connect(str(tmp_path / "notify"))
            with pytest.raises(BlockingIOError):
                while True:
                    other.send(b"X")
        beating = asyncio.ensure_future(beat(asked))
        while await heard(ear) != b"WATCHDOG=1":
            assert not beating.done()
        beating.cancel()


async def test_a_sign_that_cannot_be_given_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await beat({"ANYTEAM_BEAT": str(tmp_path / "none" / "beat")})
    (tmp_path / "link").symlink_to(tmp_path / "victim")
    with pytest.raises(OSError, match="symbolic"):
        await beat({"ANYTEAM_BEAT": str(tmp_path / "link")})
    assert not (tmp_path / "victim").exists()
    with pytest.raises(FileNotFoundError):
        await beat({"NOTIFY_SOCKET": str(tmp_path / "none"), "WATCHDOG_USEC": "1"})


@pytest.mark.parametrize(
    ("name", "module"), [("supervisor", "sidecar.supervision"), ("console", "console.web")]
)
async def test_an_installation_kills_a_component_that_stands_still_and_starts_another(
    tmp_path: Path, name: str, module: str
) -> None:
    folder = prepared(tmp_path / "home")
    with folder.settings_file.open("a") as file:
        file.write(CONSOLE)
    told: list[str] = []
    supervisor = Supervisor(folder, told.append, components={name: (module,)}, silent_s=4)
    try:
        await supervisor.up()
        still = supervisor.pid_of(name)
        os.kill(still, signal.SIGSTOP)
        async with asyncio.timeout(DEADLINE_S):
            while supervisor.pid_of(name) == still:
                await asyncio.sleep(0.05)
    finally:
        await supervisor.down()
    assert f"{name} has stood still for 4 s; it is killed" in told
    assert f"{name} ended (exit code -9); starting it again" in told
    assert not list(folder.root.glob("run/*.beat"))
