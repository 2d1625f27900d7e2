"""The configuration of the judge's model: another than the runtime's, or none."""

import pytest

from schemas.sections import BadSettings
from schemas.settings import parse_settings

BASE = """\
workspace = "acme"
reps = ["ann"]
admins = ["ada"]
[policy]
tools = []
"""
SECTION = '[{key}]\nmodel = "{model}"\nurl = "http://127.0.0.1:9/v1"\nlocal = {local}\n'


def section(key: str, model: str, local: str = "true") -> str:
    return SECTION.format(key=key, model=model, local=local)


def test_a_judge_s_model_of_its_own_is_taken() -> None:
    text = BASE + section("model", "openai/small") + section("judge", "openai/careful")
    settings = parse_settings(text, "anyteam.toml")
    assert settings.judge is not None
    assert settings.judge.model == "openai/careful"


def test_a_judge_may_have_a_model_where_no_runtime_has_one() -> None:
    assert parse_settings(BASE + section("judge", "openai/careful"), "x").model is None


@pytest.mark.parametrize("judge", ["openai/small", "OpenAI/Small", " openai/small ", "small"])
def test_the_runtime_s_own_model_cannot_judge(judge: str) -> None:
    text = BASE + section("model", "openai/small") + section("judge", judge)
    with pytest.raises(BadSettings, match=r"judge\.model is the same as model\.model") as refused:
        parse_settings(text, "anyteam.toml")
    assert refused.value.fix


@pytest.mark.parametrize("key", ["model", "judge"])
def test_a_model_outside_the_walls_is_taken_with_tokens_and_refused_without(key: str) -> None:
    text = BASE + section(key, "openai/small", "false")
    assert parse_settings(text, "anyteam.toml")
    with pytest.raises(BadSettings, match=rf"{key}\.tokens is false"):
        parse_settings(text + "tokens = false\n", "anyteam.toml")
