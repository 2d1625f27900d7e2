"""An installation whose keys are sealed under a passphrase, or at Google: up, at work, rotated."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from crypto.keyfile import read_public
from tests.contract.google_kms import DECRYPT, SIGN, GoogleKms
from tests.faults.installation import below

ROOT = Path(__file__).parents[2]
CREDENTIALS = "/nonexistent/credentials.json"
PASSPHRASE = "a canary sings underground"


class Command:
    """The `anyteam` command on one data folder; what it reads from its descriptor, if anything."""

    def __init__(self, home: Path, *lines: str) -> None:
        self.home = home
        self._lines = lines

    def __call__(self, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run to its end."""
        with self._descriptor() as (options, descriptors):
            return subprocess.run(
                [sys.executable, "-m", "console.main", *options, *words],
                env=self._environment(),
                cwd=ROOT,
                input=stdin,
                capture_output=True,
                text=True,
                timeout=90,
                check=False,
                pass_fds=descriptors,
            )

    @contextlib.contextmanager
    def up(self) -> Iterator[int]:
        """The installation while it is up; its supervisor's process id."""
        with self._descriptor() as (options, descriptors):
            process = subprocess.Popen(
                [sys.executable, "-m", "console.main", *options, "up", "--json"],
                env=self._environment(),
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                pass_fds=descriptors,
            )
        try:
            assert process.stdout is not None and process.stderr is not None
            line = process.stdout.readline()
            assert line and json.loads(line)["up"], process.stderr.read()
            yield process.pid
        finally:
            process.terminate()
            process.communicate(timeout=60)

    def hello(self) -> subprocess.CompletedProcess[str]:
        """A run that writes one file."""
        words = ("run", "example", "hello", "--tool", "files.write", "--effect", "mutation")
        return self(*words, "--ttl", "30")

    @contextlib.contextmanager
    def _descriptor(self) -> Iterator[tuple[list[str], tuple[int, ...]]]:
        if not self._lines:
            yield [], ()
            return
        read, write = os.pipe()
        with os.fdopen(read, "rb"), os.fdopen(write, "wb") as file:
            file.write("".join(f"{line}\n" for line in self._lines).encode())
            file.close()
            yield ["--passphrase-fd", str(read)], (read,)

    def _environment(self) -> dict[str, str]:
        return {
            "ANYTEAM_DATA": str(self.home),
            "COLUMNS": "400",
            "GOOGLE_APPLICATION_CREDENTIALS": CREDENTIALS,
            "PATH": os.environ["PATH"],
        }


def initiated(home: Path, kms: str, *lines: str) -> Command:
    """A data folder with its settings."""
    command = Command(home, *lines)
    assert command("init").returncode == 0
    with (home / "anyteam.toml").open("a") as file:
        file.write(f"\n[kms]\n{kms}\n")
    return command


def wrapped_key(home: Path) -> bytes:
    return (home / "vault" / "main.datakey").read_bytes()


@pytest.fixture
def google() -> Iterator[GoogleKms]:
    server = GoogleKms()
    yield server
    server.stop()


def google_settings(server: GoogleKms) -> str:
    wrapping, root = server.add_wrapping_key("wrapping"), server.add_root("root")
    return (
        f'provider = "google"\nwrapping_key = "{wrapping}"\nroot_key = "{root}"\n'
        f'endpoint = "{server.endpoint}"'
    )


def test_a_root_at_google_certifies_an_installation_whose_export_verifies_offline(
    google: GoogleKms, tmp_path: Path
) -> None:
    command = initiated(tmp_path / "home", google_settings(google))
    with command.up() as supervisor:
        assert command.hello().returncode == 0
        assert not (command.home / "kms").exists()
        components = {
            process.argv[3]: set(process.environ.split(b"\0"))
            for process in below(supervisor)
            if process.argv[1:3] == ("-I", "-m")
        }
        given = f"GOOGLE_APPLICATION_CREDENTIALS={CREDENTIALS}".encode()
        # These two open content, and nobody else is told where the credentials lie.
        for name in ("sidecar", "console.web"):
            beat = f"ANYTEAM_BEAT={command.home / 'run' / name.partition('.')[0]}.beat".encode()
            assert components.pop(name) - {b""} == {given, beat}
        assert components and not any(given in environ for environ in components.values())
        at_google = google.keys[next(name for name in google.keys if name.endswith("/root"))][0]
        public = at_google.material.public_key().public_bytes_raw()
        assert read_public(command.home / "root.pub") == public

        google.rotate(next(name for name in google.keys if name.endswith("/wrapping")))
        done = json.loads(command("key", "rewrap", "--json").stdout)
        assert done["rotated"] and done["after"].endswith("/cryptoKeyVersions/2")
        assert command.hello().returncode == 0

        settings = command.home / "anyteam.toml"
        settings.write_text(settings.read_text().replace("[policy]", "[policy]\nmax_actions = 9"))
        google.denied.add((SIGN, at_google.name))
        refused = command("policy", "apply")
        assert refused.returncode == 2 and SIGN in refused.stderr
        google.denied.clear()
        assert command("policy", "apply").returncode == 0
        assert command("export", str(tmp_path / "audit")).returncode == 0
        google.stop()
        assert command("halt", "workspace", "--reason", "the key service is away").returncode == 0
        assert command("status").returncode == 0
    verified = command("verify", str(tmp_path / "audit"), "--root", str(command.home / "root.pub"))
    assert verified.returncode == 0, verified.stderr


def test_without_leave_to_open_the_data_key_nothing_comes_up(
    google: GoogleKms, tmp_path: Path
) -> None:
    command = initiated(tmp_path / "home", google_settings(google))
    wrapping = next(name for name in google.keys if name.endswith("/wrapping"))
    google.denied.add((DECRYPT, wrapping))
    refused = command("up")
    assert refused.returncode == 2
    assert DECRYPT in refused.stderr and wrapping in refused.stderr


def test_another_root_than_the_workspaces_is_refused_and_root_pub_stays(
    google: GoogleKms, tmp_path: Path
) -> None:
    command = initiated(tmp_path / "home", google_settings(google))
    with command.up():
        before = (command.home / "root.pub").read_bytes()
    settings = command.home / "anyteam.toml"
    other = google.add_root("another-root")
    text = settings.read_text()
    old = next(line for line in text.splitlines() if line.startswith("root_key"))
    settings.write_text(text.replace(old, f'root_key = "{other}"'))
    refused = command("up")
    assert refused.returncode == 2 and "never changes" in refused.stderr
    assert (command.home / "root.pub").read_bytes() == before


def test_a_passphrase_opens_an_installation_and_shows_nowhere(tmp_path: Path) -> None:
    command = initiated(tmp_path / "home", "passphrase = true", PASSPHRASE)
    with command.up() as supervisor:
        assert command.hello().returncode == 0
        sidecar = json.loads((command.home / "run" / "state.json").read_text())["components"][
            "sidecar"
        ]
        os.kill(sidecar, signal.SIGKILL)
        assert command.hello().returncode == 0, "the sidecar came back without a person"
        old = wrapped_key(command.home)
        assert json.loads(command("key", "rewrap", "--json").stdout)["rotated"]
        assert wrapped_key(command.home) != old
        assert command("replay", "--check").returncode == 0
        processes = below(os.getpid())
        assert any(process.pid == supervisor for process in processes) and len(processes) >= 5
        for process in processes:
            assert PASSPHRASE not in " ".join(process.argv)
            assert PASSPHRASE.encode() not in process.environ
    for file in command.home.rglob("*"):
        if file.is_file():
            assert PASSPHRASE.encode() not in file.read_bytes(), file
    assert all(file.name.endswith(".sealed") for file in (command.home / "kms").iterdir())


def test_a_wrong_or_missing_passphrase_brings_nothing_up(tmp_path: Path) -> None:
    command = initiated(tmp_path / "home", "passphrase = true", PASSPHRASE)
    assert command("credential", "add", "crm", stdin="token\n").returncode == 0
    wrong = Command(command.home, "something else entirely")("up")
    assert wrong.returncode == 2
    assert "the passphrase does not open" in wrong.stderr and "fix:" in wrong.stderr
    missing = Command(command.home)("up")
    assert missing.returncode == 2 and "--passphrase-fd" in missing.stderr


def test_a_short_passphrase_makes_no_keys(tmp_path: Path) -> None:
    command = initiated(tmp_path / "home", "passphrase = true", "short")
    refused = command("up")
    assert refused.returncode == 2 and "12 characters" in refused.stderr
    assert not list((command.home / "kms").glob("*"))


def test_keys_in_the_clear_are_sealed_and_sealed_anew_and_open_the_same_workspace(
    tmp_path: Path,
) -> None:
    plain = initiated(tmp_path / "home", "passphrase = false")
    with plain.up():
        assert plain.hello().returncode == 0
        busy = Command(plain.home, PASSPHRASE)("key", "seal")
        assert busy.returncode == 3 and "is up already" in busy.stderr
    root = (plain.home / "root.pub").read_bytes()
    assert Command(plain.home, PASSPHRASE)("key", "seal").returncode == 0
    settings = plain.home / "anyteam.toml"
    settings.write_text(settings.read_text().replace("passphrase = false", "passphrase = true"))
    another = "nobody hears the miner's bird"
    assert Command(plain.home, PASSPHRASE, another)("key", "seal").returncode == 0
    assert all(file.name.endswith(".sealed") for file in (plain.home / "kms").iterdir())
    assert Command(plain.home, PASSPHRASE)("up").returncode == 2
    command = Command(plain.home, another)
    with command.up():
        assert command("replay", "--check").returncode == 0
        assert command.hello().returncode == 0
    assert (plain.home / "root.pub").read_bytes() == root


def _typed_at(terminal: BinaryIO) -> bytes:
    """The next byte that a terminal shows. Raises EOFError once nobody is at its other end."""
    try:
        return terminal.read(1)
    except OSError as error:  # EIO, as Linux says it of a terminal that everybody has closed
        raise EOFError from error


@pytest.mark.timeout(120)
def test_a_passphrase_is_typed_twice_for_new_keys_and_is_never_echoed(tmp_path: Path) -> None:
    command = initiated(tmp_path / "home", "passphrase = true")
    controller, terminal = os.openpty()
    with os.fdopen(controller, "r+b", buffering=0) as typing:
        # The terminal is the command's alone, so that its end is the end of what is read.
        with os.fdopen(terminal, "rb") as stdin:
            process = subprocess.Popen(
                [sys.executable, "-m", "console.main", "credential", "add", "crm"],
                env={"ANYTEAM_DATA": str(command.home), "PATH": os.environ["PATH"]},
                cwd=ROOT,
                stdin=stdin,
                stdout=stdin.fileno(),
                stderr=stdin.fileno(),
                start_new_session=True,
            )
        said = b""
        for prompt, answer in (
            (b"new passphrase: ", PASSPHRASE.encode()),
            (b"confirmation: ", PASSPHRASE.encode()),
            (b"credential crm: ", b"token-of-the-crm"),
        ):
            while not said.endswith(prompt):
                said += _typed_at(typing)
            typing.write(answer + b"\n")
        with contextlib.suppress(EOFError):
            while True:
                said += _typed_at(typing)
        assert process.wait(timeout=60) == 0, said
    assert PASSPHRASE.encode() not in said and b"token-of-the-crm" not in said
    with Command(command.home, PASSPHRASE).up():
        pass
