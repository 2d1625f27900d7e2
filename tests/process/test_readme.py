"""The README's commands, run as they stand there against a real installation."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

README = Path(__file__).parents[2] / "README.md"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "mine"


def anyteam(*words: str, home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "console.main", *words],
        env={"ANYTEAM_DATA": str(home), "COLUMNS": "200"},
        cwd=README.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def running(home: Path) -> Iterator[Path]:
    assert anyteam("init", home=home).returncode == 0
    process = subprocess.Popen(
        [sys.executable, "-m", "console.main", "up", "--data", str(home), "--json"],
        cwd=README.parent,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["up"] == str(home)
    yield home
    process.terminate()
    assert process.wait(30) == 0


def commands() -> list[list[str]]:
    """The commands of the README's second terminal, comments left out."""
    text = README.read_text(encoding="utf-8")
    block = re.findall(r"```console\n(anyteam .*?)```", text, re.S)[0]
    found = []
    for line in block.splitlines():
        words = re.findall(r'"[^"]*"|\S+', line.partition("#")[0])
        found.append([word.strip('"') for word in words[1:]])
    return found


def test_the_readme_shows_the_commands_in_an_order_that_works(running: Path) -> None:
    done = []
    for words in commands():
        if words[0] in ("questions", "approve") or words[:2] == ["receipt", "export"]:
            continue
        if words[0] == "tail":
            words = [*words, "--no-follow"]
        if words[0] in ("export", "verify"):
            words = [words[0], str(running.parent / words[1]), *words[2:]]
        words = [str(running / w) if w == "root.pub" else w for w in words]
        answer = anyteam(*words, home=running)
        assert answer.returncode == 0, (words, answer.stdout, answer.stderr)
        done.append(words[0])
    assert done == [
        "run",
        "tail",
        "halt",
        "budget",
        "doctor",
        "export",
        "verify",
        "receipt",
        "replay",
        "epoch",
    ]
    assert (running / "files" / "hello.txt").read_text() == "hello"


def test_every_command_in_the_readme_exists() -> None:
    for words in commands():
        answer = anyteam(words[0], "--help", home=Path("unused"))
        assert answer.returncode == 0, answer.stderr
