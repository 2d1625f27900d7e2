"""Bad input through the command line: what is wrong, how to mend it, and nothing lost."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def command(*words: str, home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "console.main", *words],
        env={"ANYTEAM_DATA": str(home), "COLUMNS": "400", "PATH": os.environ["PATH"]},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def start(home: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "console.main", "up", "--data", str(home), "--json"],
        env={"COLUMNS": "400", "PATH": os.environ["PATH"]},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def until_up(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["up"]


def stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    process.communicate(timeout=40)


def hello(home: Path) -> subprocess.CompletedProcess[str]:
    words = ("run", "example", "hello", "--tool", "files.write", "--effect", "mutation")
    return command(*words, "--ttl", "10", home=home)


def entries(home: Path) -> int:
    return int(json.loads(command("status", "--json", home=home).stdout)["entries"])


@pytest.fixture
def home(tmp_path: Path) -> Path:
    made = tmp_path / "home"
    assert command("init", home=made).returncode == 0
    return made


@pytest.fixture
def running(home: Path) -> Iterator[Path]:
    process = start(home)
    until_up(process)
    yield home
    stop(process)


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('workspace = "main"', "", "workspace"),
        ('workspace = "main"', 'workspace = "Main Street"', "workspace"),
        ('reps = ["me"]', 'reps = "me"', "reps"),
        ('reps = ["me"]', 'reps = ["me"]\ncolour = 1', "colour"),
        ("[policy]", "[policy]\nmax_ttl_s = 0", "max_ttl_s"),
        ("[policy]", "[policy", "toml"),
        ('planner = "scripted"', 'planner = "guess"', "planner"),
        ('"files.write"]', '"files.shred"]', "files.shred"),
    ],
)
def test_a_setting_out_of_form_is_named(home: Path, old: str, new: str, named: str) -> None:
    settings = home / "anyteam.toml"
    assert old in settings.read_text()
    settings.write_text(settings.read_text().replace(old, new, 1))
    answer = command("up", home=home)
    assert answer.returncode == 2
    assert named in answer.stderr
    assert "fix:" in answer.stderr


def test_a_missing_configuration_says_how_to_make_one(tmp_path: Path) -> None:
    answer = command("up", home=tmp_path / "nowhere")
    assert answer.returncode == 2
    assert "anyteam" in answer.stderr
    assert "fix:" in answer.stderr


def test_a_key_that_others_may_read_is_refused(running: Path) -> None:
    key = running / "people" / "me" / "event.key"
    key.chmod(0o644)
    answer = hello(running)
    assert answer.returncode == 2
    assert "0644" in answer.stderr
    assert "chmod 600" in answer.stderr
    key.chmod(0o600)
    assert hello(running).returncode == 0


def test_a_second_up_leaves_the_first_alone(running: Path) -> None:
    answer = command("up", home=running)
    assert answer.returncode == 3
    assert "is up already" in answer.stderr
    assert hello(running).returncode == 0


def test_a_taken_port_is_named(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        settings = home / "anyteam.toml"
        settings.write_text(settings.read_text() + f"\n[bus]\nport = {port}\n")
        answer = command("up", home=home)
    assert answer.returncode == 3
    assert str(port) in answer.stderr


def test_a_bus_killed_under_it_is_told_and_the_ledger_is_whole_after_a_restart(home: Path) -> None:
    process = start(home)
    until_up(process)
    assert hello(home).returncode == 0
    before = entries(home)
    bus = _child(process.pid, b"nats-server")
    os.kill(bus, signal.SIGKILL)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 4
    assert "nats-server ended" in said
    again = start(home)
    try:
        until_up(again)
        assert entries(home) == before
        assert hello(home).returncode == 0
        assert command("replay", "--check", home=home).returncode == 0
    finally:
        stop(again)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small tmpfs needs root")
def test_a_full_disk_under_the_stream_fails_closed_and_loses_nothing(home: Path) -> None:
    bus = home / "nats"
    bus.mkdir(mode=0o700)
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(bus)]
    if shutil.which("mount") is None or subprocess.run(mount, check=False).returncode != 0:
        pytest.skip("this machine allows no tmpfs mount")
    try:
        process = start(home)
        until_up(process)
        assert hello(home).returncode == 0
        before = entries(home)
        (bus / "ballast").write_bytes(b"x" * _free(bus))
        deadline = time.monotonic() + 60
        while hello(home).returncode == 0:
            assert time.monotonic() < deadline
        process.terminate()
        process.communicate(timeout=60)
        (bus / "ballast").unlink()
        again = start(home)
        try:
            until_up(again)
            assert entries(home) >= before
            assert hello(home).returncode == 0
            assert command("replay", "--check", home=home).returncode == 0
        finally:
            stop(again)
    finally:
        subprocess.run(["umount", str(bus)], check=True)  # noqa: S607


def _free(folder: Path) -> int:
    stat = os.statvfs(folder)
    return stat.f_bavail * stat.f_frsize


def _child(ancestor: int, name: bytes) -> int:
    """The process that runs `name` below `ancestor`, from /proc."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    for pid in parents:
        line, at = pid, Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0]
        if not at.endswith(name):
            continue
        while line in parents:
            line = parents[line]
            if line == ancestor:
                return pid
    raise AssertionError(f"no {name!r} below {ancestor}")
