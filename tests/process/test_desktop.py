"""Speech in, redacted text out, through the real model and the process that holds the sound."""

import json
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from desktop_agent.capture.messages import Ended, Ready, Segment, decode_said
from desktop_agent.model.prepare import prepare, weights_folder
from tests.speech import spoken

SAID = (
    "Good morning, and thank you for your time today.",
    "My name is Patrick Doyle, and my number is four one five, five five five, zero one nine"
    " eight.",
    "We would pay forty eight thousand dollars for the first year.",
    "Please send me the contract before the end of the week.",
)
PLANTED = ("patrick", "doyle", "415", "555", "0198", "nine eight", "forty", "48", "eight thousand")
TOKEN = re.compile(r"\[[a-z]+_[a-z0-9]{8,32}\]")
"""What stands for what was said: random letters and digits, which may be a planted word's."""
ORDINARY = ("good morning", "thank you", "contract", "week")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("desktop")
    made = prepare(weights_folder(), folder / "tiny.en.bin")
    result = desktop("init", made.path, "--sha256", made.sha256, "--home", str(folder / "home"))
    assert result.returncode == 0, result.stderr
    (folder / "speech.wav").write_bytes(spoken(SAID))
    return folder


def desktop(*words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "desktop_agent.command", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_speech_in_redacted_text_out(home: Path) -> None:
    before = {path: path.stat().st_size for path in home.rglob("*")}
    result = desktop("transcribe", str(home / "speech.wav"), "--home", str(home / "home"), "--json")
    assert result.returncode == 0, result.stderr
    ready, *middle, ended = [decode_said(line.encode()) for line in result.stdout.splitlines()]
    assert isinstance(ready, Ready)
    assert not ready.confinement.absent
    assert isinstance(ended, Ended)
    segments = [one for one in middle if isinstance(one, Segment)]
    assert len(segments) == len(middle) >= 3
    text = " ".join(one.text for one in segments).lower()
    assert [word for word in ORDINARY if word not in text] == [], text
    assert [word for word in PLANTED if word in TOKEN.sub("[]", text)] == [], text
    assert sum(one.masked.get("person", 0) for one in segments) >= 1
    assert all(a.end_ms <= b.start_ms + 10 for a, b in pairwise(segments))
    # Nothing was written but the key of the tokens, which a first use makes.
    after = {path: path.stat().st_size for path in home.rglob("*")}
    assert set(after) - set(before) <= {home / "home" / "tokens.key"}
    assert {path: size for path, size in after.items() if path in before} == before


def test_what_holds_sound_can_neither_send_nor_keep_it(tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(b"")
    command = [sys.executable, "-m", "tests.process.walled", str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, str] = json.loads(result.stdout)
    assert [name for name, end in found.items() if end == "done"] == []
    assert len(found) == 18
    sizes = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    assert sizes == {"old": 0, "open-before": 0}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("transcribe", "missing.wav"), "missing.wav cannot be read"),
        (("transcribe", __file__), "not a sound file"),
        (("listen", "--device", "no such device"), "the device cannot be heard"),
    ],
)
def test_what_is_no_sound_is_said_to_be_none(home: Path, words: tuple[str, ...], says: str) -> None:
    result = desktop(*words, "--home", str(home / "home"))
    assert result.returncode != 0
    assert says in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr


def test_a_model_that_is_not_the_approved_one_is_not_listened_with(home: Path) -> None:
    other = home / "other.bin"
    other.write_bytes(b"lmgg" + bytes(100))
    result = desktop("init", str(other), "--sha256", "0" * 64, "--home", str(home / "elsewhere"))
    assert result.returncode == 2
    assert "hashes to" in result.stderr
    assert not (home / "elsewhere").exists()
    other.unlink()


def test_a_machine_without_settings_is_told_how_to_begin(tmp_path: Path, home: Path) -> None:
    result = desktop("transcribe", str(home / "speech.wav"), "--home", str(tmp_path))
    assert result.returncode == 2
    assert "anyteam-desktop init" in result.stderr
    result = desktop("pending", "--home", str(tmp_path))
    assert result.returncode == 2
    assert "anyteam device invite" in result.stderr
    assert list(tmp_path.iterdir()) == []
