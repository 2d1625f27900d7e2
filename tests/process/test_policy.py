"""Policy through the command line: applied while agents may run, refused whole, replayed."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.process.test_bad_input import ROOT, command, entries, hello, start, stop, until_up


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


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An installation that the tests leave as it is."""
    made = tmp_path_factory.mktemp("untouched") / "home"
    assert command("init", home=made).returncode == 0
    process = start(made)
    until_up(process)
    yield made
    stop(process)


def set_policy(home: Path, line: str) -> None:
    settings = home / "anyteam.toml"
    settings.write_text(settings.read_text().replace("[policy]", f"[policy]\n{line}", 1))


def shown(home: Path) -> dict[str, object]:
    answer = command("policy", "show", "--json", home=home)
    assert answer.returncode == 0, answer.stderr
    found = json.loads(answer.stdout)
    assert isinstance(found, dict)
    return found


def test_an_applied_policy_counts_at_once_and_replays_without_a_difference(running: Path) -> None:
    assert hello(running).returncode == 0
    before = shown(running)
    rule = """rules = 'forbid(principal, action, resource == Tool::"files.write");'"""
    set_policy(running, rule)
    assert "policy.rules" in command("policy", "diff", "--json", home=running).stdout
    applied = command("policy", "apply", "--json", home=running)
    assert applied.returncode == 0, applied.stderr
    after = shown(running)
    assert after["version"] == 2
    assert after["digest"] != before["digest"]
    history = command("policy", "history", "--json", home=running).stdout.splitlines()
    assert [json.loads(line)["version"] for line in history] == [1, 2]
    assert hello(running).returncode == 1
    assert command("replay", "--check", home=running).returncode == 0
    told = command("tail", "--json", "--no-follow", home=running).stdout.splitlines()
    events = [json.loads(line) for line in told]
    under = [
        one["body"]["policy"]
        for one in events
        if one["type"] in ("action.started", "action.refused")
    ]
    assert (under[0], under[-1]) == (before["digest"], after["digest"])


def test_a_watcher_applies_what_is_valid_and_says_what_is_not(running: Path) -> None:
    settings = running / "anyteam.toml"
    watcher = subprocess.Popen(
        [sys.executable, "-m", "console.main", "policy", "watch", "--every", "0.2", "--json"],
        env={"ANYTEAM_DATA": str(running), "COLUMNS": "400", "PATH": os.environ["PATH"]},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert watcher.stdout is not None and watcher.stderr is not None
    try:
        assert json.loads(watcher.stdout.readline())["index"] is None
        set_policy(running, "max_actions = 7")
        applied = json.loads(watcher.stdout.readline())
        assert (applied["version"], applied["changes"][0]["key"]) == (2, "policy.max_actions")
        settings.write_text(settings.read_text().replace("max_actions = 7", "max_actions = 0"))
        assert "the policy in force stays" in watcher.stderr.readline()
        settings.write_text(settings.read_text().replace("max_actions = 0", "max_actions = 9"))
        assert json.loads(watcher.stdout.readline())["version"] == 3
    finally:
        watcher.send_signal(signal.SIGINT)
        watcher.communicate(timeout=30)


def test_a_change_that_needs_a_restart_is_refused_by_name(running: Path) -> None:
    settings = running / "anyteam.toml"
    settings.write_text(settings.read_text() + "\n[sandbox]\nmemory_mb = 700\n")
    set_policy(running, "max_actions = 7")
    answer = command("policy", "apply", home=running)
    assert answer.returncode == 2
    assert "changed in sandbox" in answer.stderr
    assert "fix:" in answer.stderr
    assert shown(running)["version"] == 1


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("rules = 'forbid(principal'", "policy.rules"),
        ("rules = 'permit(principal, action, resource);'", "policy.rules"),
        ("allowlist_only = true", "policy.allowlist_only"),
        ('per_tool = { "files.shred" = { calls = 1 } }', "policy.per_tool.files.shred"),
        ("max_actions = 0", "max_actions"),
    ],
)
def test_a_policy_with_an_error_is_named_and_changes_nothing(
    untouched: Path, line: str, named: str
) -> None:
    before = entries(untouched)
    settings = untouched / "anyteam.toml"
    sound = settings.read_text()
    set_policy(untouched, line)
    for verb in ("check", "apply"):
        answer = command("policy", verb, home=untouched)
        assert answer.returncode == 2
        assert named in answer.stderr
        assert "fix:" in answer.stderr
    settings.write_text(sound)
    assert entries(untouched) == before


def test_an_unchanged_policy_is_not_signed_again(untouched: Path) -> None:
    before = entries(untouched)
    answer = command("policy", "apply", "--json", home=untouched)
    assert json.loads(answer.stdout) == {"version": 1, "index": None, "changes": []}
    assert entries(untouched) == before


def test_a_platform_halt_stops_new_runs_until_it_is_released(running: Path) -> None:
    assert command("halt", "platform", "everything", home=running).returncode == 2
    assert command("halt", "platform", home=running).returncode == 0
    assert hello(running).returncode == 1
    assert command("release", "platform", home=running).returncode == 0
    assert hello(running).returncode == 0
    assert command("replay", "--check", home=running).returncode == 0
