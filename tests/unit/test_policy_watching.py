"""When a watched settings file counts, and what of it running components do not take up."""

from pathlib import Path

import pytest

from console.errors import NeedsRestart
from console.policies import Looks, looked
from console.standing import recorded, sections, unchanged
from schemas.settings import Settings, parse_settings

TEXT = """
workspace = "boeing"
reps = ["ann"]
admins = ["root"]

[policy]
tools = []
"""


def settings(text: str = TEXT) -> Settings:
    return parse_settings(text, "anyteam.toml")


def acted_on(*texts: bytes | None) -> list[bool]:
    """At which of these looks a watcher acts."""
    looks, found = Looks(), []
    for text in texts:
        looks = looked(looks, text)
        found.append(looks.settled)
    return found


@pytest.mark.parametrize(
    ("texts", "acts"),
    [
        ((b"a",), [False]),
        ((b"a", b"a"), [False, True]),
        ((b"a", b"a", b"a"), [False, True, False]),
        ((b"a", b"ab", b"abc", b"abc"), [False, False, False, True]),
        ((b"a", b"a", b"b", b"a", b"a"), [False, True, False, False, False]),
        ((b"a", b"a", b"b", b"b", b"a", b"a"), [False, True, False, True, False, True]),
        ((None, None, b"a", None, b"a", b"a"), [False, False, False, False, False, True]),
    ],
)
def test_a_text_counts_once_when_two_looks_in_a_row_found_it(
    texts: tuple[bytes | None, ...], acts: list[bool]
) -> None:
    assert acted_on(*texts) == acts


def test_a_changed_policy_needs_no_restart(tmp_path: Path) -> None:
    file = tmp_path / "started.json"
    file.write_bytes(recorded(settings()))
    unchanged(file, settings())
    unchanged(file, settings(TEXT + "max_actions = 3\n"))


@pytest.mark.parametrize(
    ("text", "section"),
    [
        (TEXT.replace('["ann"]', '["ann", "bo"]'), "reps"),
        (TEXT + "\n[sandbox]\nmemory_mb = 512\n", "sandbox"),
        (TEXT + '\n[connectors.files]\nroot = "elsewhere"\n', "connectors"),
    ],
)
def test_what_only_a_start_takes_up_is_refused_by_its_name(
    tmp_path: Path, text: str, section: str
) -> None:
    file = tmp_path / "started.json"
    file.write_bytes(recorded(settings()))
    with pytest.raises(NeedsRestart, match=f"changed in {section}, which") as refused:
        unchanged(file, settings(text))
    assert "start it again" in refused.value.fix


@pytest.mark.parametrize("content", [None, b"", b"[]", b'{"reps": 1}'])
def test_without_a_word_on_the_start_nothing_is_applied(
    tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "started.json"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(NeedsRestart, match="does not say"):
        unchanged(file, settings())


def test_the_policy_is_the_one_section_that_is_live() -> None:
    assert sections(settings()).keys() == set(Settings.__struct_fields__) - {"policy"}
