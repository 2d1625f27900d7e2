"""A case file that says something that is no case is refused, with its place."""

from pathlib import Path

import pytest

from tests.redteam.loader import BadCase, of_file

GOOD = """
[[attack]]
id = "a-1"
risk = "injection"
about = "Somebody does something."
workspace = "sales"
intent = "Read the mails"
caught_by = "intent"
steps = [{ propose = "mail.read", with = { id = "m-1" } }]
"""


def _file(folder: Path, text: str) -> Path:
    path = folder / "some.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_good_case_is_read(tmp_path: Path) -> None:
    (case,) = of_file(_file(tmp_path, GOOD))
    assert case.id == "a-1"
    assert case.steps[0].arguments == {"id": "m-1"}


@pytest.mark.parametrize(
    ("was", "becomes", "said"),
    [
        ('"injection"', '"boredom"', "a-1"),
        ('"intent"', '"intention"', "a-1"),
        ("caught_by", "caught", "a-1"),
        ("propose =", "prupose =", "a-1"),
        ('propose = "mail.read"', 'propose = "mail.read", halt = "run"', "step 1"),
        ('{ propose = "mail.read", with = { id = "m-1" } }', "{ wait = 3 }", "step 1"),
        ('"m-1"', '"{{base65: x}}"', "base65"),
        ("[[attack]]", "[[atack]]", "atack"),
        ("[[attack]]", "[[attack]", "some.toml"),
    ],
)
def test_a_case_broken_in_one_way_is_named(
    tmp_path: Path, was: str, becomes: str, said: str
) -> None:
    with pytest.raises(BadCase, match=said):
        list(of_file(_file(tmp_path, GOOD.replace(was, becomes))))
